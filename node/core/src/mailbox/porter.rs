//! Knock letters: judged as a live knock is, and answered by letter.
//!
//! A knock letter goes when all of the answer to it is left at a relay. So whatever is forgotten on
//! the way, it is found again; who is in already is answered again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{LetterId, MailboxRequest, Waiting};
use pairwave_wire::{TransportId, limits, protocol};
use serde_bytes::ByteBuf;

use super::{COPIES, Errand, Place, RETRY, Wanted};
use crate::context::Context;
use crate::id::{EventId, MemberId};
use crate::key::EpochKey;
use crate::knock::Refused;
use crate::knock_letter::{self, Entrance, Knocked, Outfit, Verdict};
use crate::letter;
use crate::log::{Log, LogError};
use crate::members::Invite;
use crate::message::{BATCH, PeerHint};
use crate::seat::Seat;
use crate::time::Timestamp;

/// Invites whose knock letters are looked for.
const INVITES: usize = 8;
/// Pause before the same newcomer is answered again, for relays lose and withhold; then ever longer.
const AGAIN: Duration = Duration::from_secs(600);
/// How often the same newcomer is answered in one run.
const ANSWERS: u32 = 8;
/// Newcomers by one invite that are remembered. With so many at once, others wait.
const NEWCOMERS: usize = 256;
/// Knock letters by one invite at one relay that are left for somebody else. The oldest go.
const LEFT: usize = 256;
/// Letters that one answer may have. What is not in them comes over a link.
const PARTS: usize = 32;

/// What lies before the door, and who was answered.
#[derive(Debug, Default)]
pub(super) struct Porch {
    /// Tags that are looked for, and the invites they belong to.
    tags: BTreeMap<BlindedTag, EventId>,
    found: VecDeque<(TransportId, Waiting)>,
    answering: Option<Answering>,
    answered: BTreeMap<(EventId, MemberId), Answered>,
    /// What somebody else may answer, at each relay and by each invite.
    left: BTreeMap<(TransportId, EventId), VecDeque<(BlindedTag, LetterId)>>,
    /// What is looked at again next time.
    put_off: Vec<Place>,
}

/// One answer that is under way.
#[derive(Debug)]
struct Answering {
    knocked: Knocked,
    invite: Invite,
    letter: Place,
    answer: Answer,
    /// Letters of it that a relay keeps.
    parts: usize,
    /// Deposits of the next one without an answer so far.
    open: usize,
    stored: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    Refused(Refused),
    Welcome {
        admission: EventId,
        keys: Vec<(EventId, EpochKey)>,
        /// Arrivals up to here are left at a relay, up to `next` in the letter under way.
        after: u64,
        next: u64,
        /// The newest arrival that belongs to the answer, and our own newest event in it.
        through: u64,
        own_seq: u64,
    },
}

/// How a newcomer was answered last.
#[derive(Debug)]
struct Answered {
    /// How often a relay kept an answer to it.
    times: u32,
    /// When it may be answered again.
    again_at: Timestamp,
    /// A relay kept the answer.
    stored: bool,
}

/// What to do with a knock letter.
enum Judgement {
    Answer(Answer),
    /// It says nothing, or nothing new.
    Discard,
    /// Somebody else may answer it.
    Leave,
    /// It is looked at again.
    NotNow,
}

impl Porch {
    pub(super) fn watch(&mut self, tags: BTreeMap<BlindedTag, EventId>) {
        let invites: BTreeSet<EventId> = tags.values().copied().collect();
        self.left.retain(|(_, invite), _| invites.contains(invite));
        self.answered.retain(|(invite, _), _| invites.contains(invite));
        self.tags = tags;
    }

    pub(super) fn invites(&self) -> impl Iterator<Item = EventId> {
        self.tags.values().copied()
    }

    pub(super) fn tags_of(&self, invite: &EventId) -> impl Iterator<Item = BlindedTag> {
        self.tags.iter().filter(move |(_, of)| *of == invite).map(|(at, _)| *at)
    }

    pub(super) fn invite_at(&self, at: &BlindedTag) -> Option<EventId> {
        self.tags.get(at).copied()
    }

    /// Letters by an invite that are left alone at a relay.
    pub(super) fn left(&self, relay: &TransportId, invite: &EventId) -> impl Iterator<Item = LetterId> {
        self.left.get(&(relay.clone(), *invite)).into_iter().flatten().map(|(_, id)| *id)
    }

    /// Leaves a letter alone. Too many are as good as none, so the oldest is to go then.
    fn leave(&mut self, Place { relay, at, id }: Place, invite: EventId) -> Option<Place> {
        let left = self.left.entry((relay.clone(), invite)).or_default();
        left.push_back((at, id));
        let (at, id) = if left.len() > LEFT { left.pop_front()? } else { return None };
        Some(Place { relay, at, id })
    }

    pub(super) fn take_put_off(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.put_off)
    }

    pub(super) fn found(&mut self, relay: TransportId, waiting: Waiting) {
        self.found.push_back((relay, waiting));
    }

    pub(super) fn is_answering(&self, member: &MemberId) -> bool {
        self.answering.as_ref().is_some_and(|answering| answering.knocked.newcomer.member == *member)
    }

    /// May this newcomer be answered now? If not, what becomes of its letter.
    fn judge(&mut self, invite: &EventId, member: &MemberId, now: Timestamp) -> Result<(), Judgement> {
        if self.is_full(invite) {
            self.answered.retain(|(of, _), answered| of != invite || answered.again_at > now);
        }
        match self.answered.get(&(*invite, *member)) {
            Some(Answered { again_at, stored, .. }) if *again_at > now => {
                Err(if *stored { Judgement::Discard } else { Judgement::NotNow })
            }
            Some(Answered { times, .. }) if *times >= ANSWERS => Err(Judgement::Discard),
            None if self.is_full(invite) => Err(Judgement::NotNow),
            _ => Ok(()),
        }
    }

    fn is_full(&self, invite: &EventId) -> bool {
        let all = (*invite, MemberId([0; 32]))..=(*invite, MemberId([u8::MAX; 32]));
        self.answered.range(all).count() >= NEWCOMERS
    }

    fn answered(&mut self, invite: EventId, member: MemberId, stored: bool, now: Timestamp) {
        let times = self.answered.get(&(invite, member)).map_or(0, |answered| answered.times);
        // What no relay took is no answer: it is tried again as often as it takes.
        let (times, pause) = if stored { (times + 1, AGAIN.saturating_mul(1 << times)) } else { (times, RETRY) };
        self.answered.insert((invite, member), Answered { times, again_at: now + pause, stored });
    }
}

impl Seat {
    /// Is there an invite that somebody may come in by?
    pub(super) fn expects_newcomers(&self, now: Timestamp) -> bool {
        self.room.state().members.invites().any(|invite| is_open(invite, now))
    }

    /// Tags of the invites under which a knock letter may wait: open ones first, then those whose
    /// newcomers are to hear that they are none any more.
    pub(super) fn knock_tags(&self, now: Timestamp) -> BTreeMap<BlindedTag, EventId> {
        let waits = Duration::from_secs(limits::LETTER_SECONDS);
        let mut invites: Vec<&Invite> =
            self.room.state().members.invites().filter(|invite| invite.expires_at + waits > now).collect();
        invites.sort_by_key(|invite| (!is_open(invite, now), std::cmp::Reverse(invite.expires_at)));
        let tags = invites
            .into_iter()
            .take(INVITES)
            .flat_map(|invite| letter::days(now).map(move |day| (knock_letter::tag(&invite.key, day), invite.id)));
        tags.collect()
    }

    /// Goes on with the answer that is under way, or begins the next one.
    pub(super) fn answer_knocks(&mut self, context: &mut Context<'_>) -> Result<(), LogError> {
        while self.mailbox.porch.answering.is_none() {
            let Some((relay, Waiting { id, at, letter })) = self.mailbox.porch.found.pop_front() else {
                self.ask_for_more_knocks(context);
                return Ok(());
            };
            self.take_knock_letter(Place { relay, at, id }, &letter, context);
        }
        self.leave_next_reply(context)
    }

    /// A relay keeps the letter under way, or does not.
    pub(super) fn on_reply_left(&mut self, stored: bool, context: &mut Context<'_>) {
        let Some(answering) = &mut self.mailbox.porch.answering else { return };
        answering.open = answering.open.saturating_sub(1);
        answering.stored |= stored;
        if answering.open > 0 {
            return;
        }
        if !std::mem::take(&mut answering.stored) {
            return self.end_answer(false, context);
        }
        answering.parts += 1;
        self.mailbox.counts.stored += 1;
        if let Some(Answering { answer: Answer::Welcome { after, next, .. }, .. }) = &mut self.mailbox.porch.answering {
            *after = *next;
        }
    }

    fn take_knock_letter(&mut self, place: Place, letter: &[u8], context: &mut Context<'_>) {
        // What hangs on the state is asked of all of it.
        self.settle_now(context);
        let members = &self.room.state().members;
        let invite = self.mailbox.porch.tags.get(&place.at).and_then(|id| members.invite(id)).cloned();
        let Some(invite) = invite else { return self.discard(place, context) };
        let room = self.id();
        let entrance = Entrance { key: &invite.key, room: &room, label: &invite.label };
        let Ok(knocked) = Knocked::open(&entrance, &place.at, letter) else {
            self.mailbox.counts.unreadable += 1;
            return self.discard(place, context);
        };
        match self.judge_knock_letter(&knocked, &invite, context) {
            Judgement::Answer(answer) => {
                self.mailbox.collecting.was_of_use(&place.relay, Wanted::Knocks(invite.id));
                self.mailbox.counts.read += 1;
                let letter = place;
                let answering = Answering { knocked, invite, letter, answer, parts: 0, open: 0, stored: false };
                self.mailbox.porch.answering = Some(answering);
            }
            Judgement::Discard => self.discard(place, context),
            Judgement::Leave => {
                self.mailbox.collecting.let_go(&place);
                if let Some(oldest) = self.mailbox.porch.leave(place, invite.id) {
                    self.discard(oldest, context);
                }
            }
            Judgement::NotNow => self.mailbox.porch.put_off.push(place),
        }
    }

    fn judge_knock_letter(&mut self, knocked: &Knocked, invite: &Invite, context: &mut Context<'_>) -> Judgement {
        let newcomer = &knocked.newcomer;
        let member = newcomer.member;
        // Who says these keys in the room has been in it since.
        let has_been_in = self.room.state().letters.of(&member) == Some(&newcomer.letters);
        if member == self.me() || has_been_in && self.room.is_member(&member) {
            return Judgement::Discard;
        }
        if let Err(judgement) = self.mailbox.porch.judge(&invite.id, &member, context.now) {
            return judgement;
        }
        let admitted = if knocked.is_ours() {
            self.let_in(&invite.label, member, newcomer.name.clone(), context)
        } else {
            Err(Some(Refused::Version { theirs: protocol::VERSION }))
        };
        match admitted {
            Ok(admission) => self.welcome(knocked, admission, context),
            // A no counts if it is the inviter's, whose key is in the invite.
            Err(Some(why)) if invite.by == self.me() => Judgement::Answer(Answer::Refused(why)),
            // Somebody else may be able to, or later.
            Err(Some(Refused::Version { .. } | Refused::Full)) => Judgement::Leave,
            // Nobody is left whose no counts.
            Err(Some(_)) if !self.room.is_member(&invite.by) => Judgement::Discard,
            Err(Some(_)) => Judgement::Leave,
            Err(None) => Judgement::NotNow,
        }
    }

    fn welcome(&mut self, knocked: &Knocked, admission: EventId, context: &mut Context<'_>) -> Judgement {
        let newcomer = &knocked.newcomer;
        let (member, transport) = (newcomer.member, newcomer.transport.clone());
        self.peers.heard(&PeerHint { member, transport, addresses: Vec::new() });
        self.save_peers(context);
        if let Some(own) = &mut self.mailbox.own {
            own.guests.insert(member, newcomer.letters);
            own.guests.retain(|guest, _| self.room.is_member(guest) && self.room.state().letters.of(guest).is_none());
            self.save_ratchets(context);
        }
        let Ok(keys) = self.keys_since_admission(&member, context.log) else { return Judgement::NotNow };
        let (through, own_seq) = (self.room.newest_arrival(), self.room.own_seq());
        Judgement::Answer(Answer::Welcome { admission, keys, after: 0, next: 0, through, own_seq })
    }

    /// Keys of the epoch that a member was admitted in, and of those that began after.
    fn keys_since_admission(&self, member: &MemberId, log: &dyn Log) -> Result<Vec<(EventId, EpochKey)>, LogError> {
        let members = &self.room.state().members;
        let admitted = members.get(member).map(|member| member.position);
        let mut keys = Vec::new();
        for (epoch, key) in self.keys.known(members.epochs()).take(letter::KEYS) {
            keys.push((epoch, key.clone()));
            let record = self.room.record(log, &epoch)?;
            if record.is_some_and(|record| Some(record.position) <= admitted) {
                break;
            }
        }
        Ok(keys)
    }

    fn leave_next_reply(&mut self, context: &mut Context<'_>) -> Result<(), LogError> {
        let Some(Answering { parts, open: 0, answer, .. }) = &self.mailbox.porch.answering else { return Ok(()) };
        let parts = *parts;
        let verdict = match answer.clone() {
            Answer::Refused(why) => (parts == 0).then_some(Verdict::Refused(why)),
            Answer::Welcome { admission, keys, after, through, .. } => {
                let (events, to) = self.log_part(after, through, context.log)?;
                if let Some(Answering { answer: Answer::Welcome { next, .. }, .. }) = &mut self.mailbox.porch.answering
                {
                    *next = to;
                }
                let is_worth_it = parts == 0 || parts < PARTS && !events.is_empty();
                is_worth_it.then_some(Verdict::Welcome(Outfit { admission, keys, events }))
            }
        };
        match verdict {
            Some(verdict) => self.leave_reply(&verdict, context),
            None => self.end_answer(true, context),
        }
        Ok(())
    }

    /// Events that arrived after this one, as many as one letter holds, and the arrival of the last.
    fn log_part(&self, after: u64, through: u64, log: &dyn Log) -> Result<(Vec<ByteBuf>, u64), LogError> {
        let (mut events, mut next, mut bytes) = (Vec::new(), after, 0);
        let view = self.room.view(log);
        for (arrival, id) in view.arrivals(&self.id(), after, BATCH)? {
            let Some(record) = view.get(&self.id(), &id)?.filter(|_| arrival <= through) else { break };
            bytes += record.signed.len();
            if bytes > letter::EVENTS {
                break;
            }
            events.push(ByteBuf::from(record.signed));
            next = arrival;
        }
        Ok((events, next))
    }

    fn leave_reply(&mut self, verdict: &Verdict, context: &mut Context<'_>) {
        let relays = self.relays(context);
        let room = self.id();
        let Some(answering) = &mut self.mailbox.porch.answering else { return };
        let entrance = Entrance { key: &answering.invite.key, room: &room, label: &answering.invite.label };
        let day = letter::day(context.now);
        let reply = answering.knocked.reply(context.identity, &entrance, day, verdict, context.rng);
        if let Some((at, letter)) = reply {
            for relay in relays.into_iter().take(COPIES) {
                let request = MailboxRequest::Deposit { at, letter: ByteBuf::from(letter.clone()) };
                self.mailbox.errands.insert(context.outbox.mail(relay, request), Errand::Reply);
                answering.open += 1;
            }
        }
        if answering.open == 0 {
            self.end_answer(false, context);
        }
    }

    fn end_answer(&mut self, stored: bool, context: &mut Context<'_>) {
        let Some(Answering { knocked, invite, letter, answer, .. }) = self.mailbox.porch.answering.take() else {
            return;
        };
        let newcomer = knocked.newcomer;
        self.mailbox.porch.answered(invite.id, newcomer.member, stored, context.now);
        self.mailbox.write_by(context.now);
        if !stored {
            self.mailbox.porch.put_off.push(letter);
            return;
        }
        self.discard(letter, context);
        if let Answer::Welcome { after, through, own_seq, .. } = answer
            && after >= through
        {
            self.deliveries.reads_with(newcomer.member, &newcomer.letters.identity);
            self.deliveries.stored(newcomer.member, own_seq);
            self.deliveries_changed(context);
        }
    }
}

fn is_open(invite: &Invite, now: Timestamp) -> bool {
    invite.closed.is_none() && invite.used < invite.uses && invite.expires_at > now
}
