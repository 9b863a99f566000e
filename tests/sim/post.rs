//! Relays on the table, and a toy ratchet that only knows what matters here: a message opens once,
//! for the one whose keys it was made with, and not without what came before it was kept.

use std::collections::BTreeMap;

use pairwave_core::id::MemberId;
use pairwave_core::input::ConnectedRelay;
use pairwave_core::key::hash;
use pairwave_core::letter::Ratcheted;
use pairwave_core::letters::LetterKeys;
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
#[derive(Default)]
pub struct Post {
    up: usize,
    pub were_up: bool,
    letters: BTreeMap<(usize, LetterId), (BlindedTag, ByteBuf)>,
    records: BTreeMap<(usize, BlindedTag, At), ByteBuf>,
    next: u64,
    /// One letter in so many is thrown away although it was called stored; 0: none.
    pub lose_one_in: u64,
    /// One letter in so many is kept twice.
    pub double_one_in: u64,
    /// One byte of one letter in so many is changed.
    pub change_one_in: u64,
    /// Nothing that was to be discarded goes.
    pub keeps_all: bool,
    /// Letters that one answer has room for; 0: two.
    pub at_once: usize,
    pub refuses: bool,
    /// Whoever looks finds junk, always other junk, and is told that there is more.
    pub floods: bool,
    /// How often it was asked for anything.
    pub asked: u64,
    /// Everything that relays were ever given.
    pub seen: Vec<Vec<u8>>,
}

impl Post {
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
        self.asked += 1;
        let request = MailboxRequest::decode(&request.encode()).expect("companions ask within bounds");
        Some(match request {
            MailboxRequest::Present { .. } => MailboxAnswer::Welcome,
            MailboxRequest::Deposit { .. } if self.refuses => MailboxAnswer::Refused(RelayRefusal::RelayFull),
            MailboxRequest::Deposit { at, letter } => self.deposit(relay, at, letter, rng),
            MailboxRequest::Collect { at, .. } if self.floods => self.junk(at[0], rng),
            MailboxRequest::Collect { at, besides } => self.collect(relay, &at, &besides),
            MailboxRequest::Discard { letters } => {
                let gone = |id: &LetterId, tag: &BlindedTag| letters.contains(&(*tag, *id));
                let keeps_all = self.keeps_all;
                self.letters.retain(|(at, id), (tag, _)| *at != relay || keeps_all || !gone(id, tag));
                MailboxAnswer::Discarded
            }
        })
    }

    pub fn look_up(&mut self, from: At, relay: &TransportId, request: LookupRequest) -> Option<LookupAnswer> {
        let relay = (0..self.up).find(|at| transport(*at) == *relay)?;
        Some(match LookupRequest::decode(&request.encode()).expect("companions ask within bounds") {
            LookupRequest::Publish { at, record } => {
                self.seen.push(record.to_vec());
                self.records.insert((relay, at, from), record);
                LookupAnswer::Published
            }
            LookupRequest::Find { at } => {
                let found = self.records.iter().filter(|((where_, tag, _), _)| *where_ == relay && at.contains(tag));
                LookupAnswer::Found(found.map(|((_, tag, _), record)| (*tag, record.clone())).collect())
            }
        })
    }

    fn deposit(&mut self, relay: usize, at: BlindedTag, letter: ByteBuf, rng: &mut ChaCha20Rng) -> MailboxAnswer {
        self.seen.push(letter.to_vec());
        if hits(self.lose_one_in, rng) {
            return MailboxAnswer::Stored;
        }
        let copies = if hits(self.double_one_in, rng) { 2 } else { 1 };
        for _ in 0..copies {
            let mut letter = letter.clone();
            if hits(self.change_one_in, rng) {
                let byte = rng.next_u64() as usize % letter.len();
                letter[byte] ^= 1;
            }
            self.next += 1;
            let id = hash(b"simulated-letter", &[&self.next.to_be_bytes()]);
            let id = LetterId(id[..16].try_into().expect("32 bytes"));
            self.letters.insert((relay, id), (at, letter));
        }
        MailboxAnswer::Stored
    }

    fn junk(&mut self, at: BlindedTag, rng: &mut ChaCha20Rng) -> MailboxAnswer {
        let mut letter = vec![0; limits::LETTERS[0]];
        rng.fill_bytes(&mut letter);
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let letters = vec![Waiting { id: LetterId(id), at, letter: ByteBuf::from(letter) }];
        MailboxAnswer::Letters { letters, more: true }
    }

    fn collect(&self, relay: usize, at: &[BlindedTag], besides: &[LetterId]) -> MailboxAnswer {
        let ours = self
            .letters
            .iter()
            .filter(|((where_, id), (tag, _))| *where_ == relay && at.contains(tag) && !besides.contains(id));
        let mut letters: Vec<Waiting> =
            ours.map(|((_, id), (tag, letter))| Waiting { id: *id, at: *tag, letter: letter.clone() }).collect();
        let at_once = if self.at_once == 0 { 2 } else { self.at_once };
        let more = letters.len() > at_once;
        letters.truncate(at_once);
        MailboxAnswer::Letters { letters, more }
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
