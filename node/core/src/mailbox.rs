//! Letters of one room: ours to members who are away, and what others left for us at the relays.
//!
//! A letter spares waiting and is never the only copy: what links tell each other decides what is
//! complete. So whatever happens to one, it is only counted; the events in it come again by a link
//! or by the next letter.

mod collecting;
mod porter;
mod writing;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, Waiting};
use pairwave_wire::{TransportId, cbor};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use self::collecting::{Collecting, Wanted};
use self::porter::Porch;
use crate::context::Context;
use crate::effect::{Effect, Slot};
use crate::event::{Body, SignedEvent};
use crate::id::MemberId;
use crate::key;
use crate::letter::{Content, Envelope, Ratcheted};
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
    collecting: Collecting,
    errands: BTreeMap<u64, Errand>,
    /// Knock letters, and the answer to one that is under way.
    porch: Porch,
    /// Letters that came, and how many more copies are expected of each: none until it is read.
    seen: VecDeque<(Digest, usize)>,
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
    Opening { from: MemberId, letter: Place, digest: Digest },
}

/// What a letter is recognised by.
type Digest = [u8; 32];

/// A letter that came, among those that did before.
enum Sight {
    First(Digest),
    /// One of the copies that a letter which was read has.
    Copy,
    Again,
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
    Collect(TransportId, Wanted),
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

    fn see(&mut self, letter: &[u8]) -> Sight {
        let digest = key::hash(b"pairwave-letter-seen-v1", &[letter]);
        match self.seen.iter_mut().find(|(seen, _)| *seen == digest) {
            Some((_, copies @ 1..)) => {
                *copies -= 1;
                Sight::Copy
            }
            Some(_) => Sight::Again,
            None => {
                if self.seen.len() >= SEEN {
                    self.seen.pop_front();
                }
                self.seen.push_back((digest, 0));
                Sight::First(digest)
            }
        }
    }

    /// A letter was read: its other copies are expected.
    fn was_read(&mut self, digest: &Digest) {
        if let Some((_, copies)) = self.seen.iter_mut().find(|(seen, _)| seen == digest) {
            *copies = COPIES - 1;
        }
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
        let Some(Work::Opening { from, letter, digest }) = self.mailbox.work.take() else { return };
        match opened {
            Some((ratchets, bytes)) => {
                if self.read_letter(from, ratchets, &bytes, context) {
                    self.mailbox.was_read(&digest);
                    self.mailbox.collecting.was_of_use(&letter.relay, Wanted::Letters);
                }
            }
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
            Some(Errand::Collect(relay, wanted)) => self.on_collected(&relay, wanted, answer, context.now),
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

    fn open_next(&mut self, context: &mut Context<'_>) {
        while self.mailbox.work.is_none() {
            let Some((relay, Waiting { id, at, letter })) = self.mailbox.collected.pop_front() else {
                return self.ask_for_more_letters(context);
            };
            let place = Place { relay, at, id };
            let epoch = self.mailbox.collecting.epoch_of(&at).and_then(|epoch| self.keys.get(&epoch));
            let envelope = epoch.and_then(|epoch| Envelope::open(epoch, &at, &letter).ok());
            let sight = if envelope.is_some() { self.mailbox.see(&letter) } else { Sight::Again };
            if let (Some(_), Sight::Copy | Sight::Again) = (&envelope, &sight) {
                self.mailbox.counts.repeated += 1;
                if matches!(sight, Sight::Copy) {
                    self.mailbox.collecting.was_of_use(&place.relay, Wanted::Letters);
                }
                self.discard(place, context);
                continue;
            }
            // Anybody who ever had the epoch's key can make an envelope that says it is a member's.
            let is_others = |from: &MemberId| *from != self.me() && self.room.is_member(from);
            match (envelope, sight, &self.mailbox.own) {
                (Some(Envelope { from, message }), Sight::First(digest), Some(own)) if is_others(&from) => {
                    let (room, ratchets) = (self.id(), own.ratchets.clone());
                    self.mailbox.work = Some(Work::Opening { from, letter: place, digest });
                    context.outbox.push(Effect::OpenLetter { room, ratchets, from, message });
                }
                _ => {
                    self.mailbox.counts.unreadable += 1;
                    self.discard(place, context);
                }
            }
        }
    }

    /// Until the member's signature is found good, nothing of it counts, the ratchets neither. Says
    /// whether it is.
    fn read_letter(&mut self, from: MemberId, ratchets: Vec<u8>, bytes: &[u8], context: &mut Context<'_>) -> bool {
        let (room, me) = (self.id(), self.me());
        let Ok(content) = Content::verify(bytes, &from, &room, &me) else {
            self.mailbox.counts.unreadable += 1;
            return false;
        };
        self.mailbox.counts.read += 1;
        self.on_keys(content.keys, context);
        // A fault in it is the sender's, and there is no link that could end for it.
        let _ = self.on_events(from, content.events.clone(), context);
        match self.keep_waiting(content.events, context) {
            Ok(()) => self.keep_ratchets(ratchets, context),
            Err(error) => self.fail(&error),
        }
        true
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
