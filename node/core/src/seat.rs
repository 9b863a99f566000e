//! One room as this companion sits in it: the room itself and all that goes on around it here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::blobs::Blobs;
use crate::command::{Refusal, Speaker};
use crate::comparing::Comparing;
use crate::context::Context;
use crate::delivery::{Deliveries, Delivery};
use crate::effect::{Effect, Slot};
use crate::epochs::EpochKeys;
use crate::event::{Body, Event};
use crate::id::{EventId, MemberId, RoomId};
use crate::live::LiveLink;
use crate::log::{Log, LogError, Record};
use crate::mailbox::Mailbox;
use crate::members::Rotated;
use crate::notice::Notice;
use crate::pace::Pace;
use crate::pairing::companion;
use crate::peers::Peers;
use crate::reading::{Reach, Reader, Reading, Said};
use crate::recovery::Recovery;
use crate::room::{Change, Room};
use crate::sync;
use crate::tending::Tending;
use crate::time::Timestamp;
use crate::unproved::Unproved;
use crate::whereabouts::Whereabouts;

/// What was put off is folded when nothing more came for so long.
const SETTLE_AFTER: Duration = Duration::from_millis(100);
/// And in any case this long after it came, unless too much was folded again before.
const SETTLE_WITHIN: Duration = Duration::from_secs(2);

/// Where this companion's person stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Member,
    /// Not admitted, or the log that says so has not arrived.
    Waiting,
    Left,
    Removed,
}

/// One room and its links, readers and deliveries here.
#[derive(Debug)]
pub struct Seat {
    pub room: Room,
    pub(crate) keys: EpochKeys,
    pub(crate) unproved: Unproved,
    pub(crate) peers: Peers,
    pub(crate) reading: Reading,
    pub(crate) deliveries: Deliveries,
    pub(crate) links: BTreeMap<MemberId, LiveLink>,
    pub(crate) comparing: Comparing,
    pub(crate) mailbox: Mailbox,
    pub(crate) whereabouts: Whereabouts,
    pub(crate) tending: Tending,
    pub(crate) blobs: Blobs,
    /// Members that told us we are none.
    pub(crate) refused_by: BTreeSet<MemberId>,
    pub(crate) recovery: Recovery,
    /// Appends under way: their number, the newest arrival in each, and what arrived.
    appends: VecDeque<(u64, Vec<Arrived>)>,
    /// What is durable and not told yet, for the state does not hold it.
    arrived: VecDeque<Arrived>,
    /// Since when the state does not hold all that was taken, and when something was taken last.
    unsettled: Option<(Timestamp, Timestamp)>,
    /// What may be folded again.
    pub(crate) pace: Pace,
    /// Why the room cannot go on.
    failed: Option<String>,
    /// When to save what only spares work: what members have, and the folded state.
    save_due: Option<Timestamp>,
    was_standing: bool,
    /// Somebody came or went since [`Self::take_membership_changed`].
    pub(crate) membership_changed: bool,
}

#[derive(Debug)]
struct Arrived {
    event: EventId,
    arrival: u64,
    said: Said,
}

impl Seat {
    pub fn new(room: Room, keys: EpochKeys, own_seq: u64) -> Self {
        let was_standing = room.is_member(&room.me());
        Self {
            room,
            keys,
            unproved: Unproved::default(),
            peers: Peers::default(),
            reading: Reading::default(),
            deliveries: Deliveries::default(),
            links: BTreeMap::new(),
            comparing: Comparing::default(),
            mailbox: Mailbox::default(),
            whereabouts: Whereabouts::default(),
            tending: Tending::default(),
            blobs: Blobs::default(),
            refused_by: BTreeSet::new(),
            recovery: Recovery::new(own_seq),
            appends: VecDeque::new(),
            arrived: VecDeque::new(),
            unsettled: None,
            pace: Pace::default(),
            failed: None,
            save_due: None,
            was_standing,
            membership_changed: false,
        }
    }

    /// Takes what was saved beside the log.
    pub fn restore(&mut self, saved: &BTreeMap<Slot, Vec<u8>>) {
        if let Some(bytes) = saved.get(&Slot::Reading) {
            self.reading = Reading::decode(bytes);
        }
        if let Some(bytes) = saved.get(&Slot::Delivery) {
            self.deliveries = Deliveries::decode(bytes);
            self.deliveries.retain(|member| sync::knows(&self.room, member));
        }
        if let Some(bytes) = saved.get(&Slot::Peers) {
            self.peers = Peers::decode(bytes);
        }
        if let Some(bytes) = saved.get(&Slot::Artifacts) {
            self.blobs = Blobs::decode(bytes);
        }
        self.blobs.look_again();
        // An older copy's ratchets would say other things with message keys that were used before.
        let is_old = self.recovery.is_behind(self.room.own_seq());
        if let Some(bytes) = saved.get(&Slot::Ratchets).filter(|_| !is_old) {
            self.mailbox = Mailbox::decode(bytes);
        }
    }

    pub fn id(&self) -> RoomId {
        self.room.id()
    }

    pub fn me(&self) -> MemberId {
        self.room.me()
    }

    /// As far as the log here says, and what the others say where all of them turn us away: then
    /// the event that removed us cannot come.
    pub fn standing(&self) -> Standing {
        let refused = !self.refused_by.is_empty() && self.others().all(|member| self.refused_by.contains(&member));
        if refused { Standing::Removed } else { self.standing_by_log() }
    }

    fn standing_by_log(&self) -> Standing {
        let me = self.me();
        let members = &self.room.state().members;
        if members.standing(&me) {
            Standing::Member
        } else if members.has_left(&me) {
            Standing::Left
        } else if members.get(&me).is_some() {
            Standing::Removed
        } else {
            Standing::Waiting
        }
    }

    /// Standing members beside us.
    pub fn others(&self) -> impl Iterator<Item = MemberId> + '_ {
        let me = self.me();
        self.room.members().filter(move |member| *member != me)
    }

    /// Standing members that no link leads to.
    pub(crate) fn away(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.others().filter(|member| !self.links.contains_key(member))
    }

    /// Is it worth linking with the others? One who left does so until somebody knows of it.
    pub fn wants_links(&self) -> bool {
        match self.standing_by_log() {
            Standing::Member | Standing::Waiting => true,
            Standing::Removed => false,
            Standing::Left => {
                let own = self.room.own_seq();
                !self.others().any(|member| self.deliveries.has(&member, &self.me(), own))
            }
        }
    }

    /// Signs and inserts an event. It leaves for the links once it is durable.
    pub fn say(&mut self, by: Speaker, body: Body, context: &mut Context<'_>) -> Result<EventId, Refusal> {
        self.check_recovered(context.now)?;
        if self.comparing.is_own_half(&body) {
            return Err(Refusal::OwnWords);
        }
        let record = self.author(by, body, context)?;
        let id = record.position.id;
        self.append(vec![record], context);
        self.settle(context);
        self.pump(context);
        Ok(id)
    }

    /// As [`Self::say`], for an event that starts an epoch. The key goes to those who are members
    /// after it, the event to those who were before.
    pub fn say_and_renew(&mut self, by: Speaker, body: Body, context: &mut Context<'_>) -> Result<EventId, Refusal> {
        self.check_recovered(context.now)?;
        if self.comparing.is_own_half(&body) {
            return Err(Refusal::OwnWords);
        }
        let record = self.author(by, body, context)?;
        let id = record.position.id;
        self.start_epoch(id, context);
        self.append(vec![record], context);
        self.settle(context);
        self.pump(context);
        Ok(id)
    }

    /// Where the log fails under it, what was signed stays in a room that is read again, and goes.
    pub(crate) fn author(&mut self, by: Speaker, body: Body, context: &mut Context<'_>) -> Result<Record, Refusal> {
        let authored = self.room.author(context.log, context.identity, by, body, context.now);
        if let Err(Refusal::StoreFailed { why }) = &authored {
            self.fail(&LogError(why.clone()));
        }
        authored
    }

    /// Makes records durable and remembers what to tell when they are.
    pub fn append(&mut self, records: Vec<Record>, context: &mut Context<'_>) {
        let mut arrived = Vec::with_capacity(records.len());
        let mut held = false;
        for record in &records {
            let Some(event) = record.event() else { continue };
            held |= self.reading.arrived(self.me(), record, &event);
            arrived.push(Arrived { event: record.position.id, arrival: record.arrival, said: Said::new(&event) });
        }
        let number = context.outbox.append(self.id(), records);
        self.appends.push_back((number, arrived));
        self.save_due.get_or_insert(context.now + context.limits.save_after);
        if held {
            self.save_reading(context);
        }
    }

    /// Folds what was put off.
    pub(crate) fn settle_now(&mut self, context: &mut Context<'_>) {
        if self.room.is_settled() {
            // Something of our own may have settled it on its way.
            self.unsettled = None;
            return;
        }
        match self.room.settle(context.log) {
            Ok(()) => self.settle(context),
            Err(error) => self.fail(&error),
        }
    }

    /// When what was put off is to be folded.
    pub(crate) fn poll_settle(&self) -> Option<Timestamp> {
        self.unsettled.map(|(since, last)| (since + SETTLE_WITHIN).min(last + SETTLE_AFTER).max(self.pace.ready()))
    }

    pub(crate) fn settle_if_due(&mut self, context: &mut Context<'_>) {
        if self.poll_settle().is_some_and(|due| due <= context.now) {
            self.settle_now(context);
        }
    }

    /// Acts on what the fold says is different now.
    pub fn settle(&mut self, context: &mut Context<'_>) {
        self.pace.spend(self.room.take_folded_again(), context.now);
        if self.room.is_settled() {
            self.unsettled = None;
        } else {
            self.unsettled = Some((self.unsettled.map_or(context.now, |(since, _)| since), context.now));
        }
        self.tell_arrived(context);
        while let Some(change) = self.room.poll_change() {
            self.on_change(change, context);
        }
        self.mind_blobs(context);
        self.take_proved_keys(context);
        self.forget_old_keys(context);
        let standing = self.room.is_member(&self.me());
        let was = std::mem::replace(&mut self.was_standing, standing);
        if standing && !was {
            context.outbox.notify(Notice::Joined { room: self.id() });
        } else if was && !standing {
            context.outbox.notify(Notice::Out { room: self.id() });
        }
        self.rotate_if_due(context);
    }

    fn on_change(&mut self, change: Change, context: &mut Context<'_>) {
        let room = self.id();
        match change {
            Change::Undone(event) => {
                self.blobs.look_again();
                context.outbox.notify(Notice::Undone { room, event });
            }
            Change::Equivocation(member) => context.outbox.notify(Notice::Equivocation { room, member }),
            Change::Verified { by, member } => self.on_verified(by, member, context),
            Change::Membership => {
                self.blobs.look_again();
                self.membership_changed = true;
            }
        }
    }

    /// Says once that somebody came or went: then companions that seemed strange may be no more.
    pub(crate) fn take_membership_changed(&mut self) -> bool {
        std::mem::take(&mut self.membership_changed)
    }

    fn on_verified(&mut self, by: MemberId, member: MemberId, context: &mut Context<'_>) {
        use crate::notice::VerificationStep;
        let room = self.id();
        if member == self.me() {
            let step = VerificationStep::VerifiedByPeer;
            context.outbox.notify(Notice::Verification { room, member: by, step });
        } else if by == self.me() {
            let step = VerificationStep::Verified;
            context.outbox.notify(Notice::Verification { room, member, step });
        }
    }

    /// After somebody left, the room key is renewed by the one whose turn it is.
    fn rotate_if_due(&mut self, context: &mut Context<'_>) {
        let due = self.room.state().members.rotation_due();
        if due != Some(self.me()) || self.check_recovered(context.now).is_err() {
            return;
        }
        let body = Body::Rotated(Rotated {});
        if let Ok(record) = self.author(companion(), body, context) {
            self.start_epoch(record.position.id, context);
            self.append(vec![record], context);
        }
    }

    /// Makes a key for the epoch that this event starts.
    pub fn start_epoch(&mut self, event: EventId, context: &mut Context<'_>) {
        self.keys.renew(event, context.rng);
        self.save_keys(context);
        for link in self.links.values_mut() {
            if self.room.is_member(&link.member()) {
                link.tell_keys(&self.keys, context);
            }
        }
    }

    /// Everything up to this number is durable.
    pub fn on_durable(&mut self, number: u64, context: &mut Context<'_>) {
        self.chunks_durable(number, context);
        let mut newest = None;
        while self.appends.front().is_some_and(|(append, _)| *append <= number) {
            let Some((_, arrived)) = self.appends.pop_front() else { break };
            newest = newest.max(arrived.last().map(|arrived| arrived.arrival));
            self.arrived.extend(arrived);
        }
        let Some(newest) = newest else { return };
        self.room.durable(newest);
        self.tell_arrived(context);
        self.mind_blobs(context);
        self.letters_due(context);
        for link in self.links.values_mut() {
            link.tell_have(&self.room, context);
        }
    }

    /// Tells of what is durable, once the state says what it is worth.
    fn tell_arrived(&mut self, context: &mut Context<'_>) {
        let settled = self.room.settled_arrival();
        let (room, me, alone) = self.reader();
        while self.arrived.front().is_some_and(|next| next.arrival <= settled) {
            let Some(Arrived { event, arrival, said }) = self.arrived.pop_front() else { break };
            if self.room.state().artifacts.get(&event).is_some() {
                self.blobs.look_again();
            }
            self.reading.pass(Reader { room: &room, me, by: companion(), alone }, arrival, &said);
            context.outbox.notify(Notice::Arrived { room, event, arrival });
        }
    }

    /// Sends what there is to send on every link.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        let members: Vec<MemberId> = self.links.keys().copied().collect();
        for member in members {
            self.pump_link(&member, context);
        }
        self.hang_up_on_strangers(context);
    }

    pub(crate) fn pump_link(&mut self, member: &MemberId, context: &mut Context<'_>) {
        // Who waits for the log does not know yet who may hear of it.
        if self.standing_by_log() == Standing::Waiting && !self.room.is_member(member) {
            return;
        }
        let Some(link) = self.links.get_mut(member) else { return };
        match link.pump(&self.room, context) {
            Ok(None) => (),
            Ok(Some(seq)) => {
                self.deliveries.sent(*member, seq);
                context.outbox.notify(Notice::Delivery { room: self.room.id(), member: *member });
            }
            Err(error) => self.fail(&error),
        }
        self.serve_chunks(member, context);
    }

    /// Who is no member any more gets what led to it, and the link ends.
    fn hang_up_on_strangers(&mut self, context: &mut Context<'_>) {
        if !self.was_standing {
            return;
        }
        let gone: Vec<MemberId> = self.links.keys().filter(|member| !self.room.is_member(member)).copied().collect();
        for member in gone {
            self.links.entry(member).and_modify(|link| link.sync.hurry());
            self.pump_link(&member, context);
            if let Some(link) = self.links.remove(&member) {
                context.outbox.push(Effect::Hangup { link: link.id() });
                context.outbox.notify(Notice::Presence { room: self.id(), member });
            }
        }
    }

    /// The log cannot be read: the node closes the room and has it read again.
    pub(crate) fn fail(&mut self, error: &LogError) {
        self.failed.get_or_insert_with(|| error.to_string());
    }

    /// Why the room cannot go on, if it cannot.
    pub(crate) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Refuses to write while later events of our own are known to be elsewhere.
    pub(crate) fn check_recovered(&self, now: Timestamp) -> Result<(), Refusal> {
        let missing = self.recovery.missing(self.room.own_seq(), self.others(), now);
        if missing == 0 { Ok(()) } else { Err(Refusal::Recovering { missing }) }
    }

    pub fn delivery(&self, record: &Record) -> BTreeMap<MemberId, Delivery> {
        self.others().map(|member| (member, self.deliveries.of(&member, &record.author, record.seq))).collect()
    }

    pub fn pending(&self, member: &MemberId) -> (u64, u64) {
        let newest = self.room.known().iter().map(|(author, _)| (*author, self.room.known().seq(author)));
        let pending = self.deliveries.pending(member, newest.filter(|(author, _)| author != member));
        (pending, self.deliveries.waiting(member, &self.me()))
    }

    fn reader(&self) -> (RoomId, MemberId, bool) {
        (self.id(), self.me(), self.others().next().is_none())
    }

    /// Up to `limit` messages among as many events as may be looked at.
    pub fn unread(
        &self,
        by: Speaker,
        limit: usize,
        looks: usize,
        log: &dyn Log,
    ) -> Result<Vec<(u64, EventId)>, LogError> {
        let (room, me, alone) = self.reader();
        let reach = Reach { through: self.room.settled_arrival(), limit, looks };
        self.reading.unread(log, Reader { room: &room, me, by, alone }, reach)
    }

    /// A session was given everything up to `through`.
    pub fn show(&mut self, by: Speaker, through: u64, context: &mut Context<'_>) -> Result<(), LogError> {
        let (room, me, alone) = self.reader();
        let through = through.min(self.room.settled_arrival());
        let reader = Reader { room: &room, me, by, alone };
        let news = self.reading.show(context.log, reader, through)?;
        self.save_reading(context);
        for (author, shown) in news {
            if let Some(link) = self.links.get_mut(&author) {
                link.tell_shown(shown, context);
            }
        }
        Ok(())
    }

    pub(crate) fn save_keys(&self, context: &mut Context<'_>) {
        context.outbox.save(self.id(), Slot::Keys, Some(self.keys.encode()));
    }

    pub(crate) fn save_reading(&self, context: &mut Context<'_>) {
        context.outbox.save(self.id(), Slot::Reading, Some(self.reading.encode()));
    }

    pub(crate) fn save_peers(&self, context: &mut Context<'_>) {
        context.outbox.save(self.id(), Slot::Peers, Some(self.peers.encode()));
    }

    /// What members have is told again by every link, so it is enough to save it now and then.
    pub(crate) fn deliveries_changed(&mut self, context: &Context<'_>) {
        self.save_due.get_or_insert(context.now + context.limits.save_after);
    }

    pub(crate) fn save_if_due(&mut self, context: &mut Context<'_>) {
        if self.poll_save().is_some_and(|due| due <= context.now) {
            self.save_now(context);
        }
    }

    pub(crate) fn save_now(&mut self, context: &mut Context<'_>) {
        if self.save_due.take().is_some() {
            self.settle_now(context);
            // Half a state must not be taken for a whole one after the room is read again.
            if self.failed.is_some() {
                return;
            }
            self.save_reading(context);
            context.outbox.save(self.id(), Slot::Delivery, Some(self.deliveries.encode()));
            context.outbox.save(self.id(), Slot::State, Some(self.room.checkpoint()));
        }
    }

    /// What is saved is settled, for which there is a time.
    pub(crate) fn poll_save(&self) -> Option<Timestamp> {
        self.save_due.map(|due| self.poll_settle().map_or(due, |settle| due.max(settle)))
    }

    pub fn event(&self, log: &dyn Log, id: &EventId) -> Result<Option<(Record, Event)>, LogError> {
        self.room.event(log, id)
    }
}
