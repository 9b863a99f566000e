//! Letters of one room: ours to members who are away, and what others left for us at the relays.
//!
//! A letter spares waiting and is never the only copy: what links tell each other decides what is
//! complete. So whatever happens to one, it is only counted; the events in it come again by a link
//! or by the next letter.

mod porter;
mod writing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, MailboxRequest, Waiting};
use pairwave_wire::{TransportId, cbor, limits};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use self::porter::Porch;
use crate::context::Context;
use crate::effect::{Effect, Slot};
use crate::event::{Body, SignedEvent};
use crate::id::{EventId, MemberId};
use crate::key;
use crate::letter::{self, Content, Envelope, Ratcheted};
use crate::letters::LetterKeys;
use crate::log::LogError;
use crate::pairing::companion;
use crate::relays;
use crate::seat::{Seat, Standing};
use crate::time::Timestamp;

/// How long what was said waits for more of the same before a letter is written.
const GATHER: Duration = Duration::from_millis(300);
/// How long a member may be gone before it is written to: a link that moves is no absence.
const ABSENCE: Duration = Duration::from_secs(6);
/// First pause after a letter to a member could not be written or left anywhere; then ever longer.
const RETRY: Duration = Duration::from_secs(30);
const LONGEST_RETRY: Duration = Duration::from_secs(3600);
/// Pause between two looks into our own mailboxes while somebody is away.
const LOOK: Duration = Duration::from_secs(60);
/// Newest epochs under whose tags letters may wait.
const EPOCHS: usize = 4;
/// Relays that one letter is left at.
pub(crate) const COPIES: usize = 2;
/// Letters that are recognised when they come a second time.
const SEEN: usize = 1024;
/// A session that failed is begun anew at most so often.
const AFRESH: Duration = Duration::from_secs(3600);
/// Bytes of events out of letters that are kept while they wait for their parents.
const WAITING: usize = 1024 * 1024;

/// How letters fared since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LetterCounts {
    /// Left at a relay.
    pub stored: u64,
    /// Collected and read.
    pub read: u64,
    /// Came more than once.
    pub repeated: u64,
    /// Did not open: forged, damaged, or of a session that is lost.
    pub unreadable: u64,
    /// Refused by every relay.
    pub refused: u64,
}

/// One room's letters.
#[derive(Debug, Default)]
pub struct Mailbox {
    own: Option<Own>,
    /// The ratchet works on one thing at a time.
    work: Option<Work>,
    /// The letter that is on its way to the relays.
    writing: Option<Writing>,
    /// What was collected and is to be opened.
    collected: VecDeque<(TransportId, Waiting)>,
    /// Collected, and not discarded yet.
    held: BTreeSet<LetterId>,
    /// To be discarded at each relay, once it has done so with those before.
    done: BTreeMap<TransportId, Vec<(BlindedTag, LetterId)>>,
    errands: BTreeMap<u64, Errand>,
    /// Knock letters, and the answer to one that is under way.
    porch: Porch,
    /// Tags that were asked for, and the epochs they belong to.
    tags: BTreeMap<BlindedTag, EventId>,
    seen: VecDeque<[u8; 32]>,
    /// The relays of the room that could be asked when it was last looked at.
    relays: Vec<TransportId>,
    /// Members whose letters went nowhere: how often in a row, and until when they wait.
    unwritten: BTreeMap<MemberId, (u32, Timestamp)>,
    /// Members with whom a session is to be begun anew, and since when one was.
    afresh: BTreeMap<MemberId, (bool, Timestamp)>,
    /// When to see who is to be written to.
    write_at: Option<Timestamp>,
    /// When to look for letters.
    look_at: Option<Timestamp>,
    /// A relay said that more wait than it gave.
    more: bool,
    /// Something new was read since. Without it a relay that gives the same again and again is
    /// asked no more than one that has nothing.
    progress: bool,
    pub(crate) counts: LetterCounts,
}

/// What is kept: our ratchets, opaque and as secret as the keys, and what others know of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Own {
    keys: LetterKeys,
    #[serde(with = "serde_bytes")]
    ratchets: Vec<u8>,
    /// Events out of letters that wait for their parents: their letters are gone.
    waiting: Vec<ByteBuf>,
    /// What newcomers said of their letter keys who have not said it in the room yet.
    #[serde(default)]
    guests: BTreeMap<MemberId, LetterKeys>,
}

#[derive(Debug)]
enum Work {
    Making,
    Sealing { to: MemberId, through: u64, afresh: bool },
    Opening { from: MemberId, letter: Place },
}

/// Where a letter was found.
#[derive(Debug)]
struct Place {
    relay: TransportId,
    at: BlindedTag,
    id: LetterId,
}

#[derive(Debug)]
struct Writing {
    to: MemberId,
    through: u64,
    afresh: bool,
    /// Deposits without an answer so far.
    open: usize,
    stored: bool,
}

#[derive(Debug)]
enum Errand {
    Collect(TransportId),
    Deposit,
    /// A reply to a newcomer.
    Reply,
    Discard(TransportId, Vec<LetterId>),
}

impl Own {
    pub fn new(keys: LetterKeys, ratchets: Vec<u8>) -> Self {
        Self { keys, ratchets, waiting: Vec::new(), guests: BTreeMap::new() }
    }

    pub fn keys(&self) -> LetterKeys {
        self.keys
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        cbor::decode(bytes, usize::MAX).ok()
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("bytes always encode")
    }
}

impl Mailbox {
    /// Reads what was saved of it; without it, new keys are made.
    pub fn decode(bytes: &[u8]) -> Self {
        Self { own: Own::decode(bytes), ..Self::default() }
    }

    /// Takes the keys that a knock letter told of.
    pub(crate) fn adopt(&mut self, own: Own) {
        self.own.get_or_insert(own);
    }

    /// Our letter keys, if they are made.
    pub(crate) fn own_keys(&self) -> Option<LetterKeys> {
        self.own.as_ref().map(Own::keys)
    }

    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let write_at = self.write_at.filter(|_| self.work.is_none() && self.writing.is_none());
        let look_at = self.look_at.filter(|_| self.own.is_some());
        write_at.into_iter().chain(look_at).min()
    }

    fn write_by(&mut self, at: Timestamp) {
        self.write_at = Some(self.write_at.map_or(at, |due| due.min(at)));
    }

    fn look_by(&mut self, at: Timestamp) {
        self.look_at = Some(self.look_at.map_or(at, |due| due.min(at)));
    }

    /// Goes on at once where there is more, as long as there is something new in it.
    fn look_for_more(&mut self, now: Timestamp) {
        let is_opening = matches!(self.work, Some(Work::Opening { .. }));
        let is_through = self.collected.is_empty() && !is_opening && self.porch.is_empty();
        if is_through && std::mem::take(&mut self.more) && std::mem::take(&mut self.progress) {
            self.look_by(now);
        }
    }

    /// Says whether a letter that is sealed for us is new. Its other copies are expected.
    fn see(&mut self, letter: &[u8]) -> bool {
        let digest = key::hash(b"pairwave-letter-seen-v1", &[letter]);
        let times = self.seen.iter().filter(|seen| **seen == digest).count();
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        if times < COPIES {
            self.seen.push_back(digest);
        }
        self.progress |= times > 0 && times < COPIES;
        times == 0
    }

    /// A letter to a member went nowhere; others are not kept waiting by it.
    fn postpone(&mut self, to: MemberId, now: Timestamp) {
        let times = self.unwritten.get(&to).map_or(0, |(times, _)| *times);
        let pause = RETRY.saturating_mul(1 << times.min(10)).min(LONGEST_RETRY);
        self.unwritten.insert(to, (times + 1, now + pause));
        self.write_by(now);
    }

    fn wants_afresh(&self, member: &MemberId) -> bool {
        self.afresh.get(member).is_some_and(|(wanted, _)| *wanted)
    }

    /// A letter of `member` did not open.
    fn lost_session(&mut self, member: MemberId, now: Timestamp) {
        let begun = self.afresh.get(&member).map(|(_, since)| *since);
        if begun.is_none_or(|since| now.since(since) >= AFRESH) {
            self.afresh.insert(member, (true, now));
            self.write_by(now);
        }
    }
}

impl Seat {
    /// Notices when the relays of this room that can be asked are others.
    pub(crate) fn follow_relays(&mut self, context: &mut Context<'_>) {
        let relays = self.relays(context);
        if relays == self.mailbox.relays {
            return;
        }
        self.mailbox.relays = relays;
        self.mailbox.unwritten.clear();
        self.mailbox.look_by(context.now);
        self.mailbox.write_by(context.now);
        self.mind_mailbox(context);
        self.publish_soon(context);
        self.mind_whereabouts(context);
    }

    /// What came out of letters before this start and waited for its parents.
    pub(crate) fn take_up_letters(&mut self, context: &mut Context<'_>) {
        let Some(waiting) = self.mailbox.own.as_ref().map(|own| own.waiting.clone()) else { return };
        if !waiting.is_empty() {
            let me = self.me();
            let _ = self.on_events(me, waiting, context);
        }
    }

    /// Something of our own became durable, or somebody went: a letter may be due.
    pub(crate) fn letters_due(&mut self, context: &Context<'_>) {
        let is_somebody_away = self.away().next().is_some();
        if is_somebody_away && !context.relays.is_empty() {
            self.mailbox.write_by(context.now + GATHER);
        }
        if self.mailbox.look_at.is_none() && self.expects_newcomers(context.now) {
            self.mailbox.look_by(context.now + LOOK);
        }
    }

    /// A member went: it may write to us from now on, and we to it.
    pub(crate) fn correspond(&mut self, context: &Context<'_>) {
        self.mailbox.write_by(context.now + ABSENCE);
        self.mailbox.look_by(context.now + ABSENCE);
    }

    /// Does what is due.
    pub(crate) fn mind_mailbox(&mut self, context: &mut Context<'_>) {
        if self.relays(context).is_empty() || self.standing() != Standing::Member {
            (self.mailbox.look_at, self.mailbox.write_at) = (None, None);
            return;
        }
        self.tell_letter_keys(context);
        self.look_for_letters(context);
        self.open_next(context);
        if let Err(error) = self.answer_knocks(context).and_then(|()| self.write_next(context)) {
            self.fail(&error);
        }
    }

    /// New letter keys were made.
    pub(crate) fn on_letter_keys(&mut self, keys: LetterKeys, ratchets: Vec<u8>, context: &mut Context<'_>) {
        if !matches!(self.mailbox.work.take(), Some(Work::Making)) {
            return;
        }
        self.mailbox.own = Some(Own::new(keys, ratchets));
        self.save_ratchets(context);
        self.mind_mailbox(context);
    }

    /// A message to a member came out of the ratchet.
    pub(crate) fn on_sealed(&mut self, sealed: Option<(Vec<u8>, Ratcheted)>, context: &mut Context<'_>) {
        let Some(Work::Sealing { to, through, afresh }) = self.mailbox.work.take() else { return };
        let deposited = sealed.is_some_and(|(ratchets, message)| {
            self.keep_ratchets(ratchets, context);
            self.deposit(Writing { to, through, afresh, open: 0, stored: false }, message, context)
        });
        if !deposited {
            self.mailbox.postpone(to, context.now);
        }
        self.mind_mailbox(context);
    }

    /// A letter came out of the ratchet, or did not.
    pub(crate) fn on_opened_letter(&mut self, opened: Option<(Vec<u8>, Vec<u8>)>, context: &mut Context<'_>) {
        let Some(Work::Opening { from, letter }) = self.mailbox.work.take() else { return };
        match opened {
            Some((ratchets, bytes)) => self.read_letter(from, ratchets, &bytes, context),
            None => {
                self.mailbox.counts.unreadable += 1;
                self.mailbox.lost_session(from, context.now);
            }
        }
        if self.failed().is_some() {
            // Its events are not safe: the room is read again, and the letter with it.
            return;
        }
        self.discard(letter, context);
        self.mind_mailbox(context);
    }

    /// A relay answered, or could not be asked.
    pub(crate) fn on_mailed(&mut self, id: u64, answer: Option<MailboxAnswer>, context: &mut Context<'_>) {
        match self.mailbox.errands.remove(&id) {
            None => return,
            Some(Errand::Collect(relay)) => self.on_collected(&relay, answer),
            Some(Errand::Deposit) => self.on_deposited(answer, context),
            Some(Errand::Reply) => self.on_reply_left(answer == Some(MailboxAnswer::Stored), context),
            Some(Errand::Discard(relay, letters)) => self.on_discarded(relay, &letters, context),
        }
        self.mind_mailbox(context);
    }

    fn tell_letter_keys(&mut self, context: &mut Context<'_>) {
        let me = self.me();
        match &self.mailbox.own {
            None if self.mailbox.work.is_none() => {
                self.mailbox.work = Some(Work::Making);
                context.outbox.push(Effect::MakeLetterKeys { room: self.id() });
            }
            Some(own) if self.room.state().letters.of(&me) != Some(&own.keys) && self.room.is_settled() => {
                let keys = own.keys;
                // Refused while later events of our own are elsewhere: the next occasion comes.
                let _ = self.say(companion(), Body::LetterKeys(keys), context);
            }
            _ => (),
        }
    }

    fn look_for_letters(&mut self, context: &mut Context<'_>) {
        let is_due = self.mailbox.look_at.is_some_and(|due| due <= context.now);
        if !is_due || self.mailbox.own.is_none() {
            return;
        }
        let is_worth_it = self.away().next().is_some() || self.expects_newcomers(context.now);
        self.mailbox.look_at = is_worth_it.then(|| context.now + LOOK);
        self.mailbox.tags = self.own_tags(context.now);
        self.mailbox.porch.watch(self.knock_tags(context.now));
        let at: Vec<BlindedTag> = self.mailbox.tags.keys().chain(self.mailbox.porch.tags()).copied().collect();
        let besides: Vec<LetterId> = self.mailbox.held.iter().take(limits::LETTER_IDS).copied().collect();
        for relay in self.relays(context) {
            for at in at.chunks(limits::MAILBOXES) {
                let request = MailboxRequest::Collect { at: at.to_vec(), besides: besides.clone() };
                let id = context.outbox.mail(relay.clone(), request);
                self.mailbox.errands.insert(id, Errand::Collect(relay.clone()));
            }
        }
    }

    fn own_tags(&self, now: Timestamp) -> BTreeMap<BlindedTag, EventId> {
        let me = self.me();
        let epochs = self.keys.known(self.room.state().members.epochs()).take(EPOCHS);
        let tags =
            epochs.flat_map(|(epoch, key)| letter::days(now).map(move |day| (letter::tag(key, &me, day), epoch)));
        tags.take(limits::MAILBOXES).collect()
    }

    fn on_collected(&mut self, relay: &TransportId, answer: Option<MailboxAnswer>) {
        let Some(MailboxAnswer::Letters { letters, more }) = answer else { return };
        self.mailbox.more |= more;
        for waiting in letters {
            let is_knock = self.mailbox.porch.is_watched(&waiting.at);
            if !is_knock && !self.mailbox.tags.contains_key(&waiting.at) || !self.mailbox.held.insert(waiting.id) {
                continue;
            }
            if is_knock {
                self.mailbox.porch.found(relay.clone(), waiting);
            } else {
                self.mailbox.collected.push_back((relay.clone(), waiting));
            }
        }
    }

    fn open_next(&mut self, context: &mut Context<'_>) {
        while self.mailbox.work.is_none() {
            let Some((relay, Waiting { id, at, letter })) = self.mailbox.collected.pop_front() else {
                return self.mailbox.look_for_more(context.now);
            };
            let place = Place { relay, at, id };
            let epoch = self.mailbox.tags.get(&at).and_then(|epoch| self.keys.get(epoch));
            let envelope = epoch.and_then(|epoch| Envelope::open(epoch, &at, &letter).ok());
            if envelope.is_some() && !self.mailbox.see(&letter) {
                self.mailbox.counts.repeated += 1;
                self.discard(place, context);
                continue;
            }
            // Anybody who ever had the epoch's key can make an envelope that says it is a member's.
            let is_others = |from: &MemberId| *from != self.me() && self.room.is_member(from);
            match (envelope, &self.mailbox.own) {
                (Some(Envelope { from, message }), Some(own)) if is_others(&from) => {
                    let (room, ratchets) = (self.id(), own.ratchets.clone());
                    self.mailbox.work = Some(Work::Opening { from, letter: place });
                    context.outbox.push(Effect::OpenLetter { room, ratchets, from, message });
                }
                _ => {
                    self.mailbox.counts.unreadable += 1;
                    self.discard(place, context);
                }
            }
        }
    }

    /// Until the member's signature is found good, nothing of it counts, the ratchets neither.
    fn read_letter(&mut self, from: MemberId, ratchets: Vec<u8>, bytes: &[u8], context: &mut Context<'_>) {
        let (room, me) = (self.id(), self.me());
        let Ok(content) = Content::verify(bytes, &from, &room, &me) else {
            self.mailbox.counts.unreadable += 1;
            return;
        };
        self.mailbox.counts.read += 1;
        self.mailbox.progress = true;
        self.on_keys(content.keys, context);
        // A fault in it is the sender's, and there is no link that could end for it.
        let _ = self.on_events(from, content.events.clone(), context);
        if let Err(error) = self.keep_waiting(content.events, context) {
            return self.fail(&error);
        }
        self.keep_ratchets(ratchets, context);
    }

    /// The letters of events that wait for their parents go, so these are kept.
    fn keep_waiting(&mut self, events: Vec<ByteBuf>, context: &Context<'_>) -> Result<(), LogError> {
        let Some(own) = &mut self.mailbox.own else { return Ok(()) };
        let mut bytes = 0;
        let mut waiting = Vec::new();
        for event in std::mem::take(&mut own.waiting).into_iter().chain(events) {
            let Ok(signed) = SignedEvent::decode(&event) else { continue };
            if bytes + event.len() <= WAITING && !self.room.contains(context.log, &signed.id())? {
                bytes += event.len();
                waiting.push(event);
            }
        }
        own.waiting = waiting;
        Ok(())
    }

    /// Everything before it is durable when this leaves.
    fn discard(&mut self, Place { relay, at, id }: Place, context: &mut Context<'_>) {
        self.mailbox.done.entry(relay.clone()).or_default().push((at, id));
        self.discard_next(relay, context);
    }

    /// One request at a time to each relay: what else is read meanwhile goes with the next one.
    fn discard_next(&mut self, relay: TransportId, context: &mut Context<'_>) {
        let is_under_way = |errand: &Errand| matches!(errand, Errand::Discard(at, _) if *at == relay);
        if self.mailbox.errands.values().any(is_under_way) {
            return;
        }
        let Some(done) = self.mailbox.done.get_mut(&relay) else { return };
        let letters: Vec<_> = done.drain(..done.len().min(limits::LETTER_IDS)).collect();
        if letters.is_empty() {
            self.mailbox.done.remove(&relay);
            return;
        }
        let ids = letters.iter().map(|(_, id)| *id).collect();
        let errand = context.outbox.mail(relay.clone(), MailboxRequest::Discard { letters });
        self.mailbox.errands.insert(errand, Errand::Discard(relay, ids));
    }

    fn on_discarded(&mut self, relay: TransportId, letters: &[LetterId], context: &mut Context<'_>) {
        for letter in letters {
            self.mailbox.held.remove(letter);
        }
        self.discard_next(relay, context);
    }

    fn keep_ratchets(&mut self, ratchets: Vec<u8>, context: &mut Context<'_>) {
        if let Some(own) = &mut self.mailbox.own {
            own.ratchets = ratchets;
            self.save_ratchets(context);
        }
    }

    fn save_ratchets(&self, context: &mut Context<'_>) {
        context.outbox.save(self.id(), Slot::Ratchets, self.mailbox.own.as_ref().map(Own::encode));
    }

    /// The relays of this room that can be asked, nearest first.
    pub(crate) fn relays(&self, context: &Context<'_>) -> Vec<TransportId> {
        relays::connected(self.room.state().relays.iter(), context.relays)
    }
}
