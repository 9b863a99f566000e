//! Folding events into state in the room's total order, and folding again from the nearest
//! checkpoint where a late event comes in before others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::acts::{self, Act, Acts};
use crate::event::Event;
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Position, Record};
use crate::members::{Gone, Member, Members};
use crate::membership;
use crate::state::{Change, RoomState};

/// Version of the fold: a state that another version folded is dropped.
pub const VERSION: u32 = 13;
/// Events between two checkpoints of the newest stretch.
const SPACING: u64 = 64;
/// Most checkpoints; they thin out with age.
const CHECKPOINTS: usize = 16;
/// Checkpoints that are kept beside the newest state, so that what came late while nobody was here
/// need not be folded from the start.
const KEPT: u32 = 3;
/// Most events that stay decoded until they are folded, and most bytes of them; the others are read
/// again.
const FRESH: usize = 1024;
const FRESH_BYTES: usize = 8 * 1024 * 1024;
/// Folding again is worth it once so many new events share the cost of one old one.
const SHARE: u64 = 4;
/// Positions read at a time.
const PAGE: usize = 256;

/// The state of a room and how to get back to earlier ones.
#[derive(Debug)]
pub(crate) struct Fold {
    room: RoomId,
    acts: Acts,
    /// Further ones, as they came, still to be read into these.
    unread: Vec<EventId>,
    state: RoomState,
    /// The last event in `state`.
    at: Option<Position>,
    /// How many events are in `state`.
    count: u64,
    checkpoints: Vec<Checkpoint>,
    /// The first position whose event is not in `state` as it should be.
    dirty: Option<Position>,
    acts_changed: bool,
    /// Removed members that said something since membership was last judged.
    spoke: BTreeSet<MemberId>,
    /// What came since the state was last settled.
    new: BTreeSet<EventId>,
    /// Some of it, decoded.
    fresh: BTreeMap<EventId, Event>,
    fresh_bytes: usize,
    /// How many events were folded again since that was asked for.
    folded_again: u64,
    changes: VecDeque<Change>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Checkpoint {
    at: Option<Position>,
    count: u64,
    state: RoomState,
}

/// A fold as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    acts: Vec<(Position, Act)>,
    /// The earliest first; the last one is the state itself.
    checkpoints: Vec<Checkpoint>,
}

impl Fold {
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            acts: Acts::new(),
            unread: Vec::new(),
            state: RoomState::default(),
            at: None,
            count: 0,
            checkpoints: vec![Checkpoint { at: None, count: 0, state: RoomState::default() }],
            dirty: None,
            acts_changed: false,
            spoke: BTreeSet::new(),
            new: BTreeSet::new(),
            fresh: BTreeMap::new(),
            fresh_bytes: 0,
            folded_again: 0,
            changes: VecDeque::new(),
        }
    }

    /// Takes up what [`Self::save`] gave. `None` if it is of another version.
    pub fn restore(room: RoomId, saved: Saved) -> Option<Self> {
        if saved.version != VERSION {
            return None;
        }
        let mut fold = Self::new(room);
        fold.acts = saved.acts.into_iter().collect();
        let members = saved.checkpoints.last()?.state.members.clone();
        fold.checkpoints.extend(saved.checkpoints);
        fold.go_back();
        fold.share(&members);
        Some(fold)
    }

    pub fn save(&self) -> Saved {
        let now = Checkpoint { at: self.at, count: self.count, state: self.state.clone() };
        let earlier = self.checkpoints.iter().filter(|checkpoint| (1..self.count).contains(&checkpoint.count));
        let earlier: Vec<&Checkpoint> = earlier.collect();
        // The newest, and older ones at ever wider distances.
        let kept = (0..KEPT).rev().filter_map(|back| earlier.len().checked_sub(3_usize.pow(back)));
        let kept = kept.map(|at| earlier[at].clone()).map(|mut checkpoint| {
            checkpoint.state.members = Arc::default();
            checkpoint
        });
        let acts = self.acts.iter().map(|(position, act)| (*position, act.clone())).collect();
        Saved { version: VERSION, acts, checkpoints: kept.chain([now]).collect() }
    }

    pub fn state(&self) -> &RoomState {
        &self.state
    }

    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Takes an event that is in the log now. [`Self::settle`] folds it.
    pub fn insert(&mut self, record: &Record, event: Event) {
        if acts::is_act(&event.body) {
            self.unread.push(record.position.id);
            self.acts_changed = true;
        }
        // A twin of what a removed member said belongs to a branch that the removal cut off.
        let author = self.state.members.get(&event.author);
        if author.is_some_and(|author| matches!(author.gone, Some(Gone::Removed { .. }))) {
            self.spoke.insert(event.author);
            self.acts_changed = true;
        }
        self.mark_dirty(record.position);
        self.new.insert(record.position.id);
        let bytes = self.fresh_bytes + record.signed.len();
        if self.fresh.len() < FRESH && bytes <= FRESH_BYTES {
            self.fresh_bytes = bytes;
            self.fresh.insert(record.position.id, event);
        }
    }

    /// Is everything that was inserted folded?
    pub fn is_settled(&self) -> bool {
        self.dirty.is_none()
    }

    /// Should [`Self::settle`] be called now, although more may be about to come? What comes late has
    /// to be worth the way back: two members who were apart send each other thousands of events, a
    /// batch at a time, and each batch would fold the same stretch again. `at_once` events may be
    /// folded again whenever there is cause to.
    pub fn is_due(&self, at_once: u64) -> bool {
        let again = self.again();
        again <= at_once || SHARE * self.new.len() as u64 >= again
    }

    /// How many events were folded again since this was asked for.
    pub fn take_folded_again(&mut self) -> u64 {
        std::mem::take(&mut self.folded_again)
    }

    /// How many events would be folded again.
    fn again(&self) -> u64 {
        let Some(dirty) = self.dirty.filter(|dirty| self.at.is_some_and(|at| *dirty <= at)) else { return 0 };
        let back = self.checkpoints.iter().rev().find(|checkpoint| checkpoint.at < Some(dirty));
        self.count - back.map_or(0, |checkpoint| checkpoint.count)
    }

    /// Folds everything that was inserted.
    pub fn settle(&mut self, log: &dyn Log) -> Result<(), LogError> {
        if self.dirty.is_none() {
            return Ok(());
        }
        self.judge(log)?;
        if self.dirty.is_some_and(|dirty| self.at.is_some_and(|at| dirty <= at)) {
            self.fold_again(log)?;
        } else {
            self.fold_forward(log, None)?;
        }
        self.dirty = None;
        self.new.clear();
        self.fresh.clear();
        self.fresh_bytes = 0;
        Ok(())
    }

    fn mark_dirty(&mut self, position: Position) {
        self.dirty = Some(self.dirty.map_or(position, |dirty| dirty.min(position)));
    }

    /// Judges membership anew if need be, and finds what that changes of what is folded already. Who
    /// is a member must be known at once, and costs no folding.
    pub fn judge(&mut self, log: &dyn Log) -> Result<(), LogError> {
        if !std::mem::take(&mut self.acts_changed) {
            return Ok(());
        }
        if !self.read_acts(log)? && self.spoke.is_empty() {
            return Ok(());
        }
        let before = self.state.members.clone();
        let members = Arc::new(membership::judge(log, self.room, &self.acts, &before, &self.spoke)?);
        self.spoke.clear();
        let mut affected: BTreeSet<Position> = BTreeSet::new();
        for position in self.acts.keys() {
            if before.void.get(&position.id) != members.void.get(&position.id) {
                affected.insert(*position);
            }
        }
        let everybody: BTreeSet<&MemberId> = before.members.keys().chain(members.members.keys()).collect();
        for id in everybody {
            let (was, now) = (before.members.get(id), members.members.get(id));
            if was.map(|was| &was.gone) != now.map(|now| &now.gone) {
                affected.extend(first_affected(log, &self.room, id, was, now)?);
            }
        }
        if standing(&before) != standing(&members) {
            self.changes.push_back(Change::Membership);
        }
        affected.into_iter().for_each(|position| self.mark_dirty(position));
        self.share(&members);
        Ok(())
    }

    /// Says whether there are more than before.
    fn read_acts(&mut self, log: &dyn Log) -> Result<bool, LogError> {
        let before = self.acts.len();
        for id in std::mem::take(&mut self.unread) {
            let damaged = || LogError(format!("event {id} is damaged"));
            let record = log.get(&self.room, &id)?.ok_or_else(damaged)?;
            let read;
            let event = match self.fresh.get(&id) {
                Some(event) => event,
                None => {
                    read = record.event().ok_or_else(damaged)?;
                    &read
                }
            };
            if acts::breaks_a_rule(log, &self.room, &record, &event.body)?.is_none() {
                self.acts.extend(Act::new(&record, &event.body).map(|act| (record.position, act)));
            }
        }
        Ok(self.acts.len() > before)
    }

    /// Who is a member is the same wherever the fold goes on.
    fn share(&mut self, members: &Arc<Members>) {
        let states = self.checkpoints.iter_mut().map(|checkpoint| &mut checkpoint.state);
        states.chain([&mut self.state]).for_each(|state| state.members = members.clone());
    }

    /// Goes back to the last checkpoint before what changed, and forward again.
    fn fold_again(&mut self, log: &dyn Log) -> Result<(), LogError> {
        let before = std::mem::take(&mut self.state);
        self.checkpoints.retain(|checkpoint| checkpoint.at < self.dirty || checkpoint.at.is_none());
        let count = self.count;
        self.go_back();
        self.folded_again += count - self.count;
        self.fold_forward(log, Some(&before))?;
        self.compare(&before);
        Ok(())
    }

    /// Takes the state of the last checkpoint.
    fn go_back(&mut self) {
        if let Some(Checkpoint { at, count, state }) = self.checkpoints.last().cloned() {
            (self.at, self.count, self.state) = (at, count, state);
        }
    }

    /// Folds what comes after the state. Where it was folded `before`, only what has no effect any
    /// more is told: the rest by [`Self::compare`].
    fn fold_forward(&mut self, log: &dyn Log, before: Option<&RoomState>) -> Result<(), LogError> {
        loop {
            let page = log.ascending(&self.room, self.at, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for position in page {
                self.fold_one(log, position, before)?;
            }
        }
    }

    fn fold_one(&mut self, log: &dyn Log, position: Position, before: Option<&RoomState>) -> Result<(), LogError> {
        let damaged = || LogError(format!("event {} is damaged", position.id));
        let record = log.get(&self.room, &position.id)?.ok_or_else(damaged)?;
        let event = match self.fresh.remove(&position.id) {
            Some(event) => event,
            None => record.event().ok_or_else(damaged)?,
        };
        let mut changes = Vec::new();
        let has_effect = self.state.apply(log, &self.room, &record, &event, &mut changes)?;
        match before {
            None => self.changes.extend(changes),
            Some(_) if has_effect || self.new.contains(&position.id) => (),
            Some(before) if before.marks.of(&record.author, record.seq, &position.id).is_some() => (),
            Some(_) => self.changes.push_back(Change::Undone(position.id)),
        }
        self.at = Some(position);
        self.count += 1;
        if self.count >= self.checkpoints.last().map_or(0, |last| last.count) + SPACING {
            self.checkpoint();
        }
        Ok(())
    }

    fn checkpoint(&mut self) {
        self.checkpoints.push(Checkpoint { at: self.at, count: self.count, state: self.state.clone() });
        if self.checkpoints.len() > CHECKPOINTS {
            // The first one, the empty room, stays; of the others goes the oldest that leaves a gap
            // no wider than its distance from now.
            let newest = self.count;
            let counts: Vec<u64> = self.checkpoints.iter().map(|checkpoint| checkpoint.count).collect();
            let dense = (1..counts.len() - 1).find(|at| counts[at + 1] - counts[at - 1] <= newest - counts[at + 1]);
            self.checkpoints.remove(dense.unwrap_or(1));
        }
    }

    /// Tells what is different after folding again.
    fn compare(&mut self, before: &RoomState) {
        let equivocated = self.state.equivocations.keys().filter(|author| !before.equivocations.contains_key(author));
        let equivocated = equivocated.map(|author| Change::Equivocation(*author));
        let verified = self.state.verification.since(&before.verification);
        let verified = verified.map(|(by, member)| Change::Verified { by, member });
        self.changes.extend(equivocated.chain(verified));
    }
}

fn standing(members: &Members) -> BTreeSet<MemberId> {
    members.iter().map(|(member, _)| *member).collect()
}

/// The first event of a member whose effect depends on which of two ends its membership has. It may
/// have spoken before it was let in, where an earlier admission counts no more, or be let in no more.
fn first_affected(
    log: &dyn Log,
    room: &RoomId,
    id: &MemberId,
    was: Option<&Member>,
    now: Option<&Member>,
) -> Result<Option<Position>, LogError> {
    let through = |member: &Member| match &member.gone {
        None => u64::MAX,
        Some(Gone::Left { seq }) => *seq,
        Some(Gone::Removed { off, .. }) if !off.is_empty() => 0,
        Some(Gone::Removed { through, .. }) => *through,
    };
    let from = was.map_or(0, through).min(now.map_or(0, through)).saturating_add(1);
    // Every later one lies above one of the twins that come first, and of these any may be the lowest.
    let (mut most, mut twins) = (4, log.chain(room, id, from, 4)?);
    while twins.len() == most && twins[0].0 == twins[most - 1].0 {
        most *= 2;
        twins = log.chain(room, id, from, most)?;
    }
    let mut first = None;
    for (_, id) in twins {
        let position = log.get(room, &id)?.map(|record| record.position);
        first = [first, position].into_iter().flatten().min();
    }
    Ok(first)
}
