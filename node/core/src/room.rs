//! One room: the DAG of its events and their fold.
//!
//! In memory are the heads, the folded state, what is not durable yet and what waits for its
//! parents, never the history: that is read through [`Log`].

mod author;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize};

use crate::causality::{self, Clock, Graph};
use crate::command::{Refusal, Speaker};
use crate::event::{Body, Event, VerifiedEvent};
use crate::fold::{self, Fold};
use crate::id::{EventId, MemberId, RoomId};
use crate::key::Identity;
use crate::log::{Log, LogError, MemoryLog, Position, Record, View};
use crate::mark::Mark;
use crate::members::{Genesis, Gone};
use crate::state::RoomState;
use crate::time::Timestamp;
use crate::vector::Vector;
use crate::waiting::Waiting;

pub use crate::state::Change;

/// Arrivals read at a time.
const PAGE: usize = 256;

/// One room.
#[derive(Debug)]
pub struct Room {
    id: RoomId,
    me: MemberId,
    /// Events that are nobody's parent yet.
    heads: BTreeMap<EventId, Place>,
    /// Everything that was accepted.
    known: Vector,
    /// What of it is durable.
    have: Vector,
    /// What is not durable yet, and how each of it extends `have`.
    fresh: MemoryLog,
    undurable: VecDeque<Step>,
    waiting: Waiting,
    /// What was turned away although others wait for it, by its author.
    turned_away: BTreeMap<EventId, MemberId>,
    fold: Fold,
    graph: Graph,
    count: u64,
    newest_arrival: u64,
    last_arrival: u64,
    /// Everything up to this arrival is folded.
    settled_arrival: u64,
}

/// What the event that follows needs to know of a parent.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    depth: u64,
    author: MemberId,
    seq: u64,
    clock: Clock,
}

/// How one event extends a vector.
#[derive(Debug, Clone)]
struct Step {
    arrival: u64,
    author: MemberId,
    seq: u64,
    id: EventId,
    backlink: Option<EventId>,
    heals: bool,
}

/// What became of a foreign event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// It is in the room, and so are those that waited for it. Parents first; to be made durable.
    Accepted(Vec<Record>),
    Duplicate,
    /// It waits for these parents.
    Waiting {
        missing: Vec<EventId>,
    },
    Unwanted(Unwanted),
}

/// Why an event does not become part of this room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwanted {
    #[error("it is an event of another room")]
    OtherRoom,
    #[error("its backlink is not its author's previous event")]
    BrokenChain,
    #[error("its author's admission is not among its parents")]
    NoAdmission,
    #[error("its author was removed, and no member's event needs it")]
    AfterRemoval,
    #[error("its author forked, and no member's event needs it")]
    Fork,
}

/// A room as it is kept beside its log. It is saved after the appends that it describes.
#[derive(Serialize, Deserialize)]
struct Saved {
    heads: BTreeMap<EventId, Place>,
    known: Vector,
    count: u64,
    arrival: u64,
    newest: Option<EventId>,
    fold: fold::Saved,
}

impl Room {
    /// Founds a room: the genesis, to be made durable.
    pub fn create(
        identity: &Identity,
        by: Speaker,
        genesis: Genesis,
        now: Timestamp,
    ) -> Result<(Self, Record), Refusal> {
        author::found(identity, by, genesis, now)
    }

    /// A room of which nothing is here yet but its name.
    pub fn joining(id: RoomId, me: MemberId) -> Self {
        Self {
            id,
            me,
            heads: BTreeMap::new(),
            known: Vector::default(),
            have: Vector::default(),
            fresh: MemoryLog::default(),
            undurable: VecDeque::new(),
            waiting: Waiting::default(),
            turned_away: BTreeMap::new(),
            fold: Fold::new(id),
            graph: Graph::default(),
            count: 0,
            newest_arrival: 0,
            last_arrival: 0,
            settled_arrival: 0,
        }
    }

    /// Reads a room from its log; from the log alone where `saved`, an earlier [`Self::checkpoint`],
    /// is of another version or says more than the log holds.
    pub fn restore(id: RoomId, me: MemberId, log: &dyn Log, saved: Option<&[u8]>) -> Result<Self, LogError> {
        let saved = saved.and_then(|bytes| cbor::decode_checked::<Saved>(bytes).ok());
        let mut room = match saved {
            Some(saved) => Self::take_up(id, me, log, saved)?.unwrap_or_else(|| Self::joining(id, me)),
            None => Self::joining(id, me),
        };
        room.replay(log)?;
        Ok(room)
    }

    /// One opaque value that spares [`Self::restore`] the reading of the whole log.
    pub fn checkpoint(&self) -> Vec<u8> {
        let saved = Saved {
            heads: self.heads.clone(),
            known: self.known.clone(),
            count: self.count,
            arrival: self.newest_arrival,
            newest: self.undurable.back().map(|step| step.id),
            fold: self.fold.save(),
        };
        cbor::encode(&saved).expect("integers, texts and bytes always encode")
    }

    /// Signs what we say, after the rules of the room have let it pass: a record to be made durable.
    pub fn author(
        &mut self,
        log: &dyn Log,
        identity: &Identity,
        by: Speaker,
        body: Body,
        now: Timestamp,
    ) -> Result<Record, Refusal> {
        author::author(self, log, identity, by, body, now)
    }

    /// Takes a foreign event.
    pub fn accept(&mut self, log: &dyn Log, event: VerifiedEvent) -> Result<Acceptance, LogError> {
        let acceptance = self.take(log, event)?;
        self.settle(log)?;
        Ok(acceptance)
    }

    /// As [`Self::accept`], for one event of many: the state follows with [`Self::settle`], so that a
    /// batch of late events is folded again once.
    pub fn take(&mut self, log: &dyn Log, event: VerifiedEvent) -> Result<Acceptance, LogError> {
        if event.event().room.map_or(RoomId::from(event.id()), |room| room) != self.id {
            return Ok(Acceptance::Unwanted(Unwanted::OtherRoom));
        }
        if let Some(missing) = self.waiting.missing_of(&event.id()) {
            return Ok(Acceptance::Waiting { missing });
        }
        if self.contains(log, &event.id())? {
            return Ok(Acceptance::Duplicate);
        }
        let (places, missing) = self.places(log, &event.event().parents)?;
        if !missing.is_empty() {
            let members = &self.fold.state().members;
            self.waiting.insert(event, &missing, |author| members.standing(author));
            return Ok(Acceptance::Waiting { missing });
        }
        if let Err(unwanted) = self.check(log, &event, &places)? {
            self.turn_away(&event, unwanted);
            return Ok(Acceptance::Unwanted(unwanted));
        }
        let accepted = self.insert_with_waiting(log, event, &places)?;
        Ok(Acceptance::Accepted(accepted))
    }

    /// What was turned away before its need was known: an event by somebody who was no member yet
    /// waits for it. To be asked for again when somebody came.
    pub fn needed_after_all(&mut self) -> Vec<EventId> {
        let mut turned_away = std::mem::take(&mut self.turned_away);
        turned_away.retain(|id, _| self.waiting.is_waited_for(id));
        let needed = turned_away.iter().filter(|(id, author)| self.is_needed(id, author));
        let needed: Vec<EventId> = needed.map(|(id, _)| *id).collect();
        turned_away.retain(|id, _| !needed.contains(id));
        self.turned_away = turned_away;
        needed
    }

    /// Everything up to this arrival is durable.
    pub fn durable(&mut self, arrival: u64) {
        while let Some(step) = self.undurable.front().filter(|step| step.arrival <= arrival) {
            step.extend(&mut self.have);
            self.last_arrival = step.arrival;
            self.undurable.pop_front();
        }
        self.fresh.forget_through(&self.id, arrival);
    }

    /// The log as the room sees it, what is not durable yet included.
    pub fn view<'a>(&'a self, log: &'a dyn Log) -> View<'a> {
        View { fresh: &self.fresh, stored: log, graph: None }
    }

    pub fn id(&self) -> RoomId {
        self.id
    }

    pub fn me(&self) -> MemberId {
        self.me
    }

    /// What is durable here.
    pub fn have(&self) -> &Vector {
        &self.have
    }

    /// What was accepted here, durable or not.
    pub fn known(&self) -> &Vector {
        &self.known
    }

    /// Events that are nobody's parent yet.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = &EventId> {
        self.heads.keys()
    }

    /// How many events there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The newest arrival that is durable.
    pub fn last_arrival(&self) -> u64 {
        self.last_arrival
    }

    /// The newest arrival that is durable and that the state holds.
    pub fn settled_arrival(&self) -> u64 {
        self.settled_arrival.min(self.last_arrival)
    }

    /// The newest arrival, durable or not.
    pub fn newest_arrival(&self) -> u64 {
        self.newest_arrival
    }

    /// The seq of our newest event, 0 if there is none.
    pub fn own_seq(&self) -> u64 {
        self.known.seq(&self.me)
    }

    pub fn state(&self) -> &RoomState {
        self.fold.state()
    }

    /// Is this a member now?
    pub fn is_member(&self, member: &MemberId) -> bool {
        self.state().members.standing(member)
    }

    /// Members, as they were admitted.
    pub fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.state().members.iter().map(|(member, _)| *member)
    }

    /// What is different since it was last asked for.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.fold.poll_change()
    }

    pub fn contains(&self, log: &dyn Log, id: &EventId) -> Result<bool, LogError> {
        Ok(self.heads.contains_key(id) || self.record(log, id)?.is_some())
    }

    pub fn record(&self, log: &dyn Log, id: &EventId) -> Result<Option<Record>, LogError> {
        self.view(log).get(&self.id, id)
    }

    pub fn event(&self, log: &dyn Log, id: &EventId) -> Result<Option<(Record, Event)>, LogError> {
        let Some(record) = self.record(log, id)? else { return Ok(None) };
        let event = record.event().ok_or_else(|| LogError(format!("event {id} is damaged")))?;
        Ok(Some((record, event)))
    }

    /// Why an event that is here has no effect, if it has none.
    pub fn mark(&self, log: &dyn Log, id: &EventId) -> Result<Option<Mark>, LogError> {
        let record = self.record(log, id)?;
        Ok(record.and_then(|record| self.state().marks.of(&record.author, record.seq, id)))
    }

    fn take_up(id: RoomId, me: MemberId, log: &dyn Log, saved: Saved) -> Result<Option<Self>, LogError> {
        let held = match saved.arrival.checked_sub(1) {
            None => true,
            Some(before) => log.arrivals(&id, before, 1)?.first().is_some_and(|(arrival, event)| {
                *arrival == saved.arrival && saved.newest.is_none_or(|newest| newest == *event)
            }),
        };
        let fold = if held { Fold::restore(id, saved.fold) } else { None };
        let Some(fold) = fold else { return Ok(None) };
        Ok(Some(Self {
            heads: saved.heads,
            have: saved.known.clone(),
            known: saved.known,
            count: saved.count,
            newest_arrival: saved.arrival,
            last_arrival: saved.arrival,
            settled_arrival: saved.arrival,
            fold,
            ..Self::joining(id, me)
        }))
    }

    /// Takes in what the log holds beyond what is known.
    fn replay(&mut self, log: &dyn Log) -> Result<(), LogError> {
        loop {
            let page = log.arrivals(&self.id, self.newest_arrival, PAGE)?;
            if page.is_empty() {
                break;
            }
            for (arrival, id) in page {
                let damaged = || LogError(format!("event {id} is damaged"));
                let record = log.get(&self.id, &id)?.ok_or_else(damaged)?;
                let event = record.event().ok_or_else(damaged)?;
                self.newest_arrival = arrival;
                self.place(&record, event);
            }
            let newest = self.newest_arrival;
            self.durable(newest);
        }
        self.settle(log)?;
        while self.fold.poll_change().is_some() {}
        Ok(())
    }

    /// Folds everything that was taken.
    pub fn settle(&mut self, log: &dyn Log) -> Result<(), LogError> {
        self.fold(log, Fold::settle)?;
        self.settled_arrival = self.newest_arrival;
        Ok(())
    }

    fn fold<T>(
        &mut self,
        log: &dyn Log,
        fold: impl FnOnce(&mut Fold, &dyn Log) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let graph = RefCell::new(std::mem::take(&mut self.graph));
        let done = fold(&mut self.fold, &View { fresh: &self.fresh, stored: log, graph: Some(&graph) });
        self.graph = graph.into_inner();
        done
    }

    /// Folds what was taken unless it is better to wait for more of it: then [`Self::settle`] must be
    /// called before long, and before anything that hangs on the state. `at_once` events may be
    /// folded again at any time.
    pub fn settle_if_due(&mut self, log: &dyn Log, at_once: u64) -> Result<(), LogError> {
        self.fold(log, Fold::judge)?;
        if self.fold.is_due(at_once) { self.settle(log) } else { Ok(()) }
    }

    /// How many events were folded again since this was asked for.
    pub(crate) fn take_folded_again(&mut self) -> u64 {
        self.fold.take_folded_again()
    }

    /// Does the state hold everything that was taken?
    pub fn is_settled(&self) -> bool {
        self.fold.is_settled()
    }

    fn insert_with_waiting(
        &mut self,
        log: &dyn Log,
        event: VerifiedEvent,
        places: &[Place],
    ) -> Result<Vec<Record>, LogError> {
        let mut accepted = vec![self.insert(event, places)];
        let mut next = 0;
        while next < accepted.len() {
            let complete = self.waiting.arrived(&accepted[next].position.id);
            next += 1;
            for event in complete {
                let (places, missing) = self.places(log, &event.event().parents)?;
                if !missing.is_empty() {
                    continue;
                }
                match self.check(log, &event, &places)? {
                    Ok(()) => accepted.push(self.insert(event, &places)),
                    Err(unwanted) => self.turn_away(&event, unwanted),
                }
            }
        }
        Ok(accepted)
    }

    /// Puts an event in its place. Its parents are there.
    fn insert(&mut self, event: VerifiedEvent, places: &[Place]) -> Record {
        let (id, event, signed) = event.into_parts();
        self.newest_arrival += 1;
        let depth = 1 + places.iter().map(|place| place.depth).max().unwrap_or(0);
        let clock = causality::join(places.iter().map(|place| &place.clock), event.author, event.seq);
        let position = Position { depth, id };
        let (author, seq, arrival) = (event.author, event.seq, self.newest_arrival);
        let record = Record { position, author, seq, arrival, clock, signed };
        self.fresh.insert(self.id, record.clone());
        self.place(&record, event);
        record
    }

    fn place(&mut self, record: &Record, event: Event) {
        let id = record.position.id;
        for parent in &event.parents {
            self.heads.remove(parent);
        }
        let Record { position, author, seq, arrival, clock, .. } = record;
        let place = Place { depth: position.depth, author: *author, seq: *seq, clock: clock.clone() };
        self.heads.insert(id, place);
        let tips = self.known.tips(author);
        let heals = tips.len() > 1 && tips.iter().all(|(_, tip)| event.parents.contains(tip));
        let step = Step { arrival: *arrival, author: *author, seq: *seq, id, backlink: event.backlink, heals };
        step.extend(&mut self.known);
        self.undurable.push_back(step);
        self.count += 1;
        self.fold.insert(record, event);
    }

    /// Places of the parents that are here, and the ids of those that are not.
    fn places(&self, log: &dyn Log, parents: &[EventId]) -> Result<(Vec<Place>, Vec<EventId>), LogError> {
        let mut places = Vec::with_capacity(parents.len());
        let mut missing = Vec::new();
        for parent in parents {
            if let Some(place) = self.heads.get(parent) {
                places.push(place.clone());
            } else if let Some(Record { position, author, seq, clock, .. }) = self.record(log, parent)? {
                places.push(Place { depth: position.depth, author, seq, clock });
            } else {
                missing.push(*parent);
            }
        }
        Ok((places, missing))
    }

    /// Can the event be part of this room? Whether it has effect is for the fold to say.
    fn check(&self, log: &dyn Log, event: &VerifiedEvent, places: &[Place]) -> Result<Result<(), Unwanted>, LogError> {
        let id = event.id();
        let event = event.event();
        let Event { author, seq, .. } = event;
        if *seq == 1 {
            if event.room.is_some() && !self.has_admission(log, event)? {
                return Ok(Err(Unwanted::NoAdmission));
            }
        } else if !places.first().is_some_and(|back| back.author == *author && back.seq + 1 == *seq) {
            return Ok(Err(Unwanted::BrokenChain));
        }
        if *author == self.me || self.is_needed(&id, author) {
            return Ok(Ok(()));
        }
        if let Some(Gone::Removed { through, .. }) = self.state().members.get(author).and_then(|m| m.gone.as_ref())
            && seq > through
            && !self.proves_a_fork(log, author, *seq)?
        {
            return Ok(Err(Unwanted::AfterRemoval));
        }
        let tips = self.known.tips(author);
        let heals = tips.iter().all(|(_, tip)| event.parents.contains(tip));
        let unwanted = tips.len() > 1 && !heals;
        Ok(if unwanted { Err(Unwanted::Fork) } else { Ok(()) })
    }

    fn turn_away(&mut self, event: &VerifiedEvent, why: Unwanted) {
        let for_good = matches!(why, Unwanted::OtherRoom | Unwanted::BrokenChain | Unwanted::NoAdmission);
        if !for_good && self.turned_away.len() < limits::WAITING && self.waiting.is_waited_for(&event.id()) {
            self.turned_away.insert(event.id(), event.event().author);
        }
    }

    /// Does a standing member need the event? Its own author only where it heals its fork: else each
    /// branch would pull in the whole of itself.
    fn is_needed(&self, id: &EventId, author: &MemberId) -> bool {
        let tips = self.known.tips(author);
        self.waiting.is_needed(id, |by| {
            let heals = || tips.iter().all(|(_, tip)| by.parents.contains(tip));
            self.is_member(&by.author) && (by.author != *author || heals())
        })
    }

    fn has_admission(&self, log: &dyn Log, event: &Event) -> Result<bool, LogError> {
        for parent in &event.parents {
            let parent = self.event(log, parent)?.map(|(_, event)| event.body);
            if matches!(parent, Some(Body::Admitted(admitted)) if admitted.member == event.author) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn proves_a_fork(&self, log: &dyn Log, author: &MemberId, seq: u64) -> Result<bool, LogError> {
        let same = self.view(log).chain(&self.id, author, seq, 1)?;
        Ok(!self.known.is_forked(author) && same.first().is_some_and(|(other, _)| *other == seq))
    }
}

impl Step {
    fn extend(&self, vector: &mut Vector) {
        if self.heals {
            vector.heal(self.author, self.seq, self.id);
        } else {
            vector.extend(self.author, self.seq, self.id, self.backlink);
        }
    }
}

/// The ids of a room's heads, the backlink's author's own tips first.
fn ordered_parents(own: &[(u64, EventId)], heads: &BTreeSet<EventId>, max: usize) -> Vec<EventId> {
    let mut parents: Vec<EventId> = own.iter().rev().map(|(_, id)| *id).collect();
    let others = heads.iter().filter(|head| !own.iter().any(|(_, id)| id == *head));
    parents.extend(others);
    parents.truncate(max);
    parents
}
