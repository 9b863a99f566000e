//! Relays on the table, and a toy ratchet that only knows what matters here: a message opens once,
//! for the one whose keys it was made with, and not without what came before it was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_core::id::MemberId;
use pairwave_core::input::ConnectedRelay;
use pairwave_core::key::hash;
use pairwave_core::letter::Ratcheted;
use pairwave_core::letters::LetterKeys;
use pairwave_core::time::Timestamp;
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, MailboxRequest, RelayRefusal, Waiting};
use pairwave_wire::{TransportId, cbor, limits};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::world::At;

/// All relays and what waits at them.
pub struct Post {
    up: usize,
    pub were_up: bool,
    /// By relay, as they came.
    letters: BTreeMap<(usize, u64), Letter>,
    /// By relay, tag and who published: the newest last.
    records: BTreeMap<(usize, BlindedTag, At), Vec<ByteBuf>>,
    next: u64,
    /// What time it is.
    pub now: Timestamp,
    /// Most letters in one answer.
    pub batch: usize,
    /// One letter in so many is thrown away although it was called stored; 0: none.
    pub lose_one_in: u64,
    /// One letter in so many is kept twice.
    pub double_one_in: u64,
    /// One byte of one letter in so many is changed.
    pub change_one_in: u64,
    /// One letter in so many changes its tag with another one that waits at that relay.
    pub swap_one_in: u64,
    /// Every letter is held back for a while, at most so long.
    pub hold_back_ms: u64,
    /// Letters are given in any order.
    pub jumbles: bool,
    /// Answers take at most so long.
    pub slow_ms: u64,
    /// One record in so many that is asked for is an older one of the same publisher.
    pub old_one_in: u64,
    /// One record in so many that is asked for is another one, of whomever, or junk.
    pub false_one_in: u64,
    /// Nothing that was to be discarded goes.
    pub keeps_all: bool,
    pub refuses: bool,
    /// This relay takes no letters, as those that are not ours.
    pub mute: Option<usize>,
    /// So many requests get no answer: the connection ends first.
    pub lose_answers: u64,
    /// Whoever looks finds junk, always other junk, and is told that there is more.
    pub floods: bool,
    /// How often it was asked for anything.
    pub asked: u64,
    /// Every letter and record that relays were ever given.
    pub seen: Vec<Vec<u8>>,
    /// All that was ever said to relays, tags included.
    pub told: Vec<Vec<u8>>,
}

/// One letter that waits.
struct Letter {
    id: LetterId,
    at: BlindedTag,
    content: ByteBuf,
    /// Held back until then.
    shown_at: Timestamp,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            up: 0,
            were_up: false,
            letters: BTreeMap::new(),
            records: BTreeMap::new(),
            next: 0,
            now: Timestamp(0),
            batch: 2,
            lose_one_in: 0,
            double_one_in: 0,
            change_one_in: 0,
            swap_one_in: 0,
            hold_back_ms: 0,
            jumbles: false,
            slow_ms: 40,
            old_one_in: 0,
            false_one_in: 0,
            keeps_all: false,
            refuses: false,
            mute: None,
            lose_answers: 0,
            floods: false,
            asked: 0,
            seen: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl Post {
    /// From now on relays do to letters and records whatever they could do.
    pub fn cheats(&mut self, rng: &mut ChaCha20Rng) {
        let mut one_in = |most: u64| 2 + rng.next_u64() % most;
        self.lose_one_in = one_in(6);
        self.double_one_in = one_in(4);
        self.change_one_in = one_in(6);
        self.swap_one_in = one_in(4);
        self.old_one_in = one_in(3);
        self.false_one_in = one_in(3);
        self.hold_back_ms = 1 << one_in(14);
        self.slow_ms = 1 << one_in(12);
        self.jumbles = one_in(2) == 2;
        self.keeps_all = one_in(3) == 2;
    }

    /// From now on they do what they should. What they did before stays as it is.
    pub fn is_honest(&mut self) {
        let Self { up, were_up, next, now, asked, .. } = *self;
        let letters = std::mem::take(&mut self.letters);
        let records = std::mem::take(&mut self.records);
        let (seen, told) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.told));
        *self = Self { up, were_up, letters, records, next, now, asked, seen, told, ..Self::default() };
    }

    /// Was a relay ever told this?
    pub fn learnt(&self, what: &[u8]) -> bool {
        self.told.iter().any(|told| told.windows(what.len()).any(|window| window == what))
    }

    pub fn set_up(&mut self, up: usize) {
        self.were_up = true;
        self.up = up;
    }

    pub fn connected(&self) -> Vec<ConnectedRelay> {
        (0..self.up).map(|relay| ConnectedRelay { transport: transport(relay), named: vec![name(relay)] }).collect()
    }

    /// How many letters wait.
    pub fn waiting(&self) -> usize {
        self.letters.len()
    }

    pub fn mail(
        &mut self,
        _: At,
        relay: &TransportId,
        request: MailboxRequest,
        rng: &mut ChaCha20Rng,
    ) -> Option<MailboxAnswer> {
        let relay = (0..self.up).find(|at| transport(*at) == *relay)?;
        if self.mute == Some(relay) {
            return None;
        }
        if self.lose_answers > 0 {
            self.lose_answers -= 1;
            return None;
        }
        self.asked += 1;
        self.told.push(request.encode());
        let request = MailboxRequest::decode(&request.encode()).expect("companions ask within bounds");
        Some(match request {
            MailboxRequest::Present { .. } => MailboxAnswer::Welcome,
            MailboxRequest::Deposit { .. } if self.refuses => MailboxAnswer::Refused(RelayRefusal::RelayFull),
            MailboxRequest::Deposit { at, letter } => self.deposit(relay, at, letter, rng),
            MailboxRequest::Collect { at, .. } if self.floods => self.junk(at[0], rng),
            MailboxRequest::Collect { at, besides } => self.collect(relay, &at, &besides, rng),
            MailboxRequest::Discard { letters } => {
                let gone: BTreeSet<_> = letters.into_iter().collect();
                let keeps_all = self.keeps_all;
                self.letters
                    .retain(|(at, _), letter| *at != relay || keeps_all || !gone.contains(&(letter.at, letter.id)));
                MailboxAnswer::Discarded
            }
        })
    }

    pub fn look_up(
        &mut self,
        from: At,
        relay: &TransportId,
        request: LookupRequest,
        rng: &mut ChaCha20Rng,
    ) -> Option<LookupAnswer> {
        let relay = (0..self.up).find(|at| transport(*at) == *relay)?;
        self.told.push(request.encode());
        Some(match LookupRequest::decode(&request.encode()).expect("companions ask within bounds") {
            LookupRequest::Publish { at, record } => {
                self.seen.push(record.to_vec());
                self.records.entry((relay, at, from)).or_default().push(record);
                LookupAnswer::Published
            }
            LookupRequest::Find { at } => {
                let is_wanted = |(where_, tag, _): &&(usize, BlindedTag, At)| *where_ == relay && at.contains(tag);
                let found: Vec<_> = self.records.keys().filter(is_wanted).copied().collect();
                LookupAnswer::Found(found.into_iter().map(|key| (key.1, self.record(key, rng))).collect())
            }
        })
    }

    /// What is given where this record is asked for.
    fn record(&self, key: (usize, BlindedTag, At), rng: &mut ChaCha20Rng) -> ByteBuf {
        let of_one = &self.records[&key];
        if hits(self.old_one_in, rng) {
            return of_one[rng.next_u64() as usize % of_one.len()].clone();
        }
        if hits(self.false_one_in, rng) {
            let others: Vec<&ByteBuf> = self.records.values().flatten().collect();
            let mut record = others[rng.next_u64() as usize % others.len()].clone();
            if rng.next_u64().is_multiple_of(2) {
                rng.fill_bytes(&mut record);
            }
            return record;
        }
        of_one.last().expect("there is one").clone()
    }

    fn deposit(&mut self, relay: usize, at: BlindedTag, letter: ByteBuf, rng: &mut ChaCha20Rng) -> MailboxAnswer {
        self.seen.push(letter.to_vec());
        if hits(self.lose_one_in, rng) {
            return MailboxAnswer::Stored;
        }
        let copies = if hits(self.double_one_in, rng) { 2 } else { 1 };
        for _ in 0..copies {
            let mut content = letter.clone();
            if hits(self.change_one_in, rng) {
                let byte = rng.next_u64() as usize % content.len();
                content[byte] ^= 1;
            }
            self.next += 1;
            let id = hash(b"simulated-letter", &[&self.next.to_be_bytes()]);
            let id = LetterId(id[..16].try_into().expect("32 bytes"));
            let held_back = Duration::from_millis(rng.next_u64() % self.hold_back_ms.max(1));
            let mut letter = Letter { id, at, content, shown_at: self.now + held_back };
            if hits(self.swap_one_in, rng) {
                self.swap_tags(relay, &mut letter, rng);
            }
            self.letters.insert((relay, self.next), letter);
        }
        MailboxAnswer::Stored
    }

    fn swap_tags(&mut self, relay: usize, letter: &mut Letter, rng: &mut ChaCha20Rng) {
        let mut others: Vec<&mut Letter> =
            self.letters.iter_mut().filter(|((at, _), _)| *at == relay).map(|(_, other)| other).collect();
        if !others.is_empty() {
            let other = rng.next_u64() as usize % others.len();
            std::mem::swap(&mut others[other].at, &mut letter.at);
        }
    }

    fn junk(&mut self, at: BlindedTag, rng: &mut ChaCha20Rng) -> MailboxAnswer {
        let mut letter = vec![0; limits::LETTERS[0]];
        rng.fill_bytes(&mut letter);
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let letters = vec![Waiting { id: LetterId(id), at, letter: ByteBuf::from(letter) }];
        MailboxAnswer::Letters { letters, more: true }
    }

    fn collect(&self, relay: usize, at: &[BlindedTag], besides: &[LetterId], rng: &mut ChaCha20Rng) -> MailboxAnswer {
        let besides: BTreeSet<&LetterId> = besides.iter().collect();
        let is_asked_for =
            |letter: &&Letter| at.contains(&letter.at) && !besides.contains(&letter.id) && letter.shown_at <= self.now;
        let mut letters: Vec<&Letter> =
            self.letters.range((relay, 0)..(relay + 1, 0)).map(|(_, letter)| letter).filter(is_asked_for).collect();
        if self.jumbles {
            letters.sort_by_cached_key(|_| rng.next_u64());
        }
        let more = letters.len() > self.batch;
        letters.truncate(self.batch);
        let letters = letters.into_iter();
        let letters =
            letters.map(|Letter { id, at, content, .. }| Waiting { id: *id, at: *at, letter: content.clone() });
        MailboxAnswer::Letters { letters: letters.collect(), more }
    }
}

/// What the toy keeps.
#[derive(Default, Serialize, Deserialize)]
struct Toy {
    #[serde(with = "serde_bytes")]
    me: Vec<u8>,
    /// How many messages were made.
    made: u64,
    /// Which were opened.
    opened: Vec<(ByteBuf, u64)>,
}

pub fn make(member: MemberId, chance: u64) -> (LetterKeys, Vec<u8>) {
    let identity = hash(b"toy-ratchet", &[&member.0, &chance.to_be_bytes()]);
    let toy = Toy { me: identity.to_vec(), ..Toy::default() };
    (LetterKeys { identity, fallback: identity }, cbor::encode(&toy).expect("encodes"))
}

pub fn seal(ratchets: &[u8], keys: &LetterKeys, afresh: bool, content: Vec<u8>) -> (Vec<u8>, Ratcheted) {
    let mut toy: Toy = cbor::decode(ratchets, usize::MAX).expect("what the toy kept");
    toy.made += 1;
    let message = (ByteBuf::from(keys.identity), ByteBuf::from(toy.me.clone()), toy.made, ByteBuf::from(content));
    let bytes = cbor::encode(&message).expect("encodes");
    (cbor::encode(&toy).expect("encodes"), Ratcheted { kind: u8::from(!afresh), bytes })
}

pub fn open(ratchets: &[u8], message: &Ratcheted) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut toy: Toy = cbor::decode(ratchets, usize::MAX).expect("what the toy kept");
    let (to, from, number, content): (ByteBuf, ByteBuf, u64, ByteBuf) =
        cbor::decode(&message.bytes, usize::MAX).ok()?;
    if to != toy.me || toy.opened.contains(&(from.clone(), number)) {
        return None;
    }
    toy.opened.push((from, number));
    Some((cbor::encode(&toy).expect("encodes"), content.into_vec()))
}

fn hits(one_in: u64, rng: &mut ChaCha20Rng) -> bool {
    one_in > 0 && rng.next_u64().is_multiple_of(one_in)
}

fn transport(relay: usize) -> TransportId {
    TransportId::new(hash(b"simulated-relay", &[&relay.to_be_bytes()])).expect("32 bytes")
}

/// The address under which rooms name a relay.
pub fn name(relay: usize) -> String {
    format!("/ip4/198.51.100.{relay}/udp/4011/quic-v1/p2p/12D3KooW{}", "2".repeat(44))
}
