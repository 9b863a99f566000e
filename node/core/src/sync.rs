//! Have and want on one link: both sides tell what they have, send what the other lacks, then push
//! every new event as it is made. Any member may carry another's events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use pairwave_wire::limits;
use serde_bytes::ByteBuf;

use crate::id::{EventId, MemberId};
use crate::log::{Log, LogError, Record};
use crate::message::{BATCH, LinkMessage, Tip};
use crate::room::Room;
use crate::time::Timestamp;

/// How long another's new event waits before it is carried on: mostly its author is quicker.
const CARRY_AFTER: Duration = Duration::from_millis(250);
/// How long a wanted event may stay away before it is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Most events that are asked for at a time.
const WANTED: usize = 256;
/// Bytes of events in one message, beyond which the next one begins.
const MESSAGE_BYTES: usize = 192 * 1024;
/// Most ids that the other side may have asked for and not got.
const ASKED: usize = 1024;
/// Most authors of whom they may tell before anything of them is here.
const STRANGERS: usize = 1024;
/// Most tips of one author that are kept: nobody heals a fork of more.
const BRANCHES: usize = limits::PARENTS;

/// Have and want with one member.
#[derive(Debug)]
pub struct Sync {
    /// The newest events of each author that are known to be there; several of a forked one.
    theirs: BTreeMap<MemberId, Vec<(u64, EventId)>>,
    /// Of how many they told before anything of them was here.
    strangers: usize,
    /// Of forked authors, the events that are known to be there: each branch is walked once.
    branches: BTreeMap<MemberId, BTreeSet<EventId>>,
    /// What we last told of each author.
    told: BTreeMap<MemberId, Vec<(u64, EventId)>>,
    /// They have told all that they have.
    heard: bool,
    /// Arrivals up to this one were sent, set aside, or are there.
    cursor: u64,
    /// Arrivals after this one came while the link was up.
    live_from: u64,
    /// Others' new events that wait for [`CARRY_AFTER`].
    carried: VecDeque<(Timestamp, EventId)>,
    /// What was asked of us.
    asked: VecDeque<EventId>,
    /// What we asked for, and when.
    wanted: BTreeMap<EventId, Timestamp>,
}

/// What one round of [`Sync::pump`] wants sent.
#[derive(Debug, Default)]
pub struct Pumped {
    pub message: Option<LinkMessage>,
    /// The highest own seq in it.
    pub own_seq: Option<u64>,
}

impl Sync {
    pub fn new(room: &Room) -> Self {
        Self {
            theirs: BTreeMap::new(),
            strangers: 0,
            branches: BTreeMap::new(),
            told: BTreeMap::new(),
            heard: false,
            cursor: 0,
            live_from: room.newest_arrival(),
            carried: VecDeque::new(),
            asked: VecDeque::new(),
            wanted: BTreeMap::new(),
        }
    }

    /// They have told all that they have.
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// What they are known to have of an author.
    pub fn tips_of(&self, author: MemberId) -> impl Iterator<Item = Tip> {
        self.theirs.get(&author).into_iter().flatten().map(move |(seq, id)| Tip { author, seq: *seq, id: *id })
    }

    /// What we have that is durable and was not told yet: everything at first, then what changed.
    pub fn tell(&mut self, room: &Room) -> Vec<LinkMessage> {
        let first = self.told.is_empty();
        let mut tips = Vec::new();
        for (author, ours) in room.have().iter() {
            if self.told.get(author).is_none_or(|told| told != ours) {
                tips.extend(ours.iter().map(|(seq, id)| Tip { author: *author, seq: *seq, id: *id }));
                self.told.insert(*author, ours.to_vec());
            }
        }
        if first || !tips.is_empty() { LinkMessage::have(&tips).collect() } else { Vec::new() }
    }

    /// Takes what they have, all of it unless the list `goes_on`; returns what we must ask for because
    /// it contradicts what we hold.
    pub fn on_have(
        &mut self,
        room: &Room,
        log: &dyn Log,
        (tips, goes_on): (&[Tip], bool),
        now: Timestamp,
    ) -> Result<Vec<EventId>, LogError> {
        let mut told: BTreeMap<MemberId, Vec<(u64, EventId)>> = BTreeMap::new();
        for tip in tips {
            told.entry(tip.author).or_default().push((tip.seq, tip.id));
        }
        let mut contradictions = Vec::new();
        for (author, tips) in told {
            let ours = room.known().seq(&author);
            for (seq, id) in &tips {
                if *seq <= ours && !room.contains(log, id)? {
                    contradictions.push(*id);
                }
            }
            self.keep(room, log, author, tips)?;
        }
        if !goes_on && !std::mem::replace(&mut self.heard, true) {
            self.cursor = self.first_gap(room, log)?;
        }
        Ok(self.want(contradictions, now))
    }

    /// They sent this event, so they have it.
    pub fn received(&mut self, room: &Room, author: MemberId, seq: u64, id: EventId) {
        self.wanted.remove(&id);
        if !knows(room, &author) {
            return;
        }
        let tips = self.theirs.entry(author).or_default();
        match tips.as_mut_slice() {
            [] => tips.push((seq, id)),
            [tip] if tip.0 < seq => *tip = (seq, id),
            _ => (),
        }
    }

    /// Filters what must be asked for: nothing twice, and not too much at a time. What did not come is
    /// not there, and keeps nothing else from being asked for.
    pub fn want(&mut self, ids: Vec<EventId>, now: Timestamp) -> Vec<EventId> {
        self.wanted.retain(|_, at| now.since(*at) < ASK_AGAIN);
        let mut fresh = Vec::new();
        for id in ids {
            if self.wanted.len() < WANTED && !self.wanted.contains_key(&id) {
                self.wanted.insert(id, now);
                fresh.push(id);
            }
        }
        fresh
    }

    /// They miss these.
    pub fn on_want(&mut self, ids: Vec<EventId>) {
        let room = ASKED.saturating_sub(self.asked.len());
        self.asked.extend(ids.into_iter().take(room));
    }

    /// The next message of events, if there is something to send. Call it until it returns none.
    pub fn pump(&mut self, room: &Room, log: &dyn Log, now: Timestamp) -> Result<Pumped, LogError> {
        let mut batch = Batch::default();
        if !self.heard {
            return Ok(Pumped::default());
        }
        let log = &room.view(log);
        self.pump_asked(room, log, &mut batch)?;
        self.pump_carried(room, log, &mut batch, now)?;
        self.pump_new(room, log, &mut batch, now)?;
        if batch.events.is_empty() {
            return Ok(Pumped::default());
        }
        Ok(Pumped { message: Some(LinkMessage::Events(batch.events)), own_seq: batch.own_seq })
    }

    /// What waits to be carried on waits no longer: the link is about to end.
    pub fn hurry(&mut self) {
        self.carried.iter_mut().for_each(|(due, _)| *due = Timestamp(0));
    }

    /// When [`Self::pump`] has something to carry on.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.carried.front().map(|(due, _)| *due)
    }

    /// Keeps what they told of an author. Of a fork the branches are walked at once: more of its tips
    /// may come in another message than are kept.
    fn keep(
        &mut self,
        room: &Room,
        log: &dyn Log,
        author: MemberId,
        mut tips: Vec<(u64, EventId)>,
    ) -> Result<(), LogError> {
        if room.known().is_forked(&author) {
            let there = self.branches.entry(author).or_default();
            for (_, tip) in &tips {
                walk(room, &room.view(log), *tip, there)?;
            }
        }
        if !knows(room, &author) && !self.theirs.contains_key(&author) {
            if self.strangers >= STRANGERS {
                return Ok(());
            }
            self.strangers += 1;
        }
        tips.sort_unstable();
        if tips.len() > BRANCHES {
            tips.drain(BRANCHES - 1..tips.len() - 1);
        }
        self.theirs.insert(author, tips);
        Ok(())
    }

    fn pump_asked(&mut self, room: &Room, log: &dyn Log, batch: &mut Batch) -> Result<(), LogError> {
        while !batch.is_full() {
            let Some(id) = self.asked.pop_front() else { break };
            if let Some(record) = log.get(&room.id(), &id)? {
                batch.push(&record, room.me());
            }
        }
        Ok(())
    }

    fn pump_carried(&mut self, room: &Room, log: &dyn Log, batch: &mut Batch, now: Timestamp) -> Result<(), LogError> {
        while !batch.is_full() {
            let Some((_, id)) = self.carried.front().copied().filter(|(due, _)| *due <= now) else { break };
            self.carried.pop_front();
            let Some(record) = log.get(&room.id(), &id)? else { continue };
            if !self.is_there(room, log, &record)? {
                batch.push(&record, room.me());
            }
        }
        Ok(())
    }

    fn pump_new(&mut self, room: &Room, log: &dyn Log, batch: &mut Batch, now: Timestamp) -> Result<(), LogError> {
        while !batch.is_full() {
            let page = log.arrivals(&room.id(), self.cursor, BATCH)?;
            if page.is_empty() {
                break;
            }
            for (arrival, id) in page {
                if batch.is_full() {
                    break;
                }
                self.cursor = arrival;
                let Some(record) = log.get(&room.id(), &id)? else { continue };
                if self.is_there(room, log, &record)? {
                    continue;
                }
                if arrival > self.live_from && record.author != room.me() {
                    self.carried.push_back((now + CARRY_AFTER, id));
                } else {
                    batch.push(&record, room.me());
                }
            }
        }
        Ok(())
    }

    /// The arrival before the oldest event that they lack.
    fn first_gap(&self, room: &Room, log: &dyn Log) -> Result<u64, LogError> {
        let view = room.view(log);
        let mut first = room.newest_arrival() + 1;
        for (author, _) in room.known().iter() {
            let from = self.common_seq(room, author).saturating_add(1);
            for (_, id) in view.chain(&room.id(), author, from, 4)? {
                first = first.min(view.get(&room.id(), &id)?.map_or(first, |record| record.arrival));
            }
        }
        Ok(first - 1)
    }

    /// Up to which seq both sides surely hold the same of an author. Of a fork, that is nothing:
    /// then every event is looked at.
    fn common_seq(&self, room: &Room, author: &MemberId) -> u64 {
        let forked = room.known().is_forked(author);
        let seqs = self.theirs.get(author).into_iter().flatten().map(|(seq, _)| *seq);
        if forked { 0 } else { seqs.min().unwrap_or(0) }
    }

    fn is_there(&mut self, room: &Room, log: &dyn Log, record: &Record) -> Result<bool, LogError> {
        let Some(tips) = self.theirs.get(&record.author) else { return Ok(false) };
        if !room.known().is_forked(&record.author) {
            // Of several tips that they claim of an author with one branch here, the lowest is a
            // safe guess; what contradicts us is asked for.
            return Ok(tips.iter().map(|(seq, _)| *seq).min().is_some_and(|seq| record.seq <= seq));
        }
        let there = self.branches.entry(record.author).or_default();
        for (_, tip) in tips {
            walk(room, log, *tip, there)?;
        }
        Ok(there.contains(&record.position.id))
    }
}

/// Is this somebody of whom there is, or may be, something in the room?
pub(crate) fn knows(room: &Room, author: &MemberId) -> bool {
    *author == room.me() || !room.known().tips(author).is_empty() || room.state().members.get(author).is_some()
}

/// Adds the events from `tip` down the backlinks, as far as they are not in `there`.
fn walk(room: &Room, log: &dyn Log, tip: EventId, there: &mut BTreeSet<EventId>) -> Result<(), LogError> {
    let mut at = Some(tip);
    while let Some(id) = at.filter(|id| !there.contains(id)) {
        let Some(found) = log.get(&room.id(), &id)? else { return Ok(()) };
        there.insert(id);
        at = found.event().and_then(|event| event.backlink);
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Batch {
    events: Vec<ByteBuf>,
    bytes: usize,
    own_seq: Option<u64>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.events.len() >= BATCH || self.bytes >= MESSAGE_BYTES
    }

    fn push(&mut self, record: &Record, me: MemberId) {
        self.bytes += record.signed.len();
        self.events.push(ByteBuf::from(record.signed.clone()));
        if record.author == me {
            self.own_seq = self.own_seq.max(Some(record.seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Speaker;
    use crate::event::Origin;
    use crate::id::SessionId;
    use crate::key::Identity;
    use crate::log::MemoryLog;
    use crate::members::Genesis;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn founded() -> Room {
        let by = Speaker { session: SessionId([1; 16]), origin: Origin::Human };
        let genesis = Genesis { nonce: [1; 32], title: "parser".into(), name: "alice".into(), rules: 1 };
        Room::create(&Identity::from_secret(&[1; 32]), by, genesis, NOW).unwrap().0
    }

    fn stranger(number: u32) -> MemberId {
        let mut id = [7; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        MemberId(id)
    }

    #[test]
    fn a_seq_beyond_all_that_can_be_is_told_without_harm() {
        let (room, log) = (founded(), MemoryLog::default());
        let mut sync = Sync::new(&room);
        let tip = Tip { author: room.me(), seq: u64::MAX, id: EventId([9; 32]) };
        assert_eq!(sync.on_have(&room, &log, (&[tip], false), NOW), Ok(Vec::new()));
        assert!(sync.pump(&room, &log, NOW).unwrap().message.is_none());
    }

    #[test]
    fn what_never_comes_keeps_nothing_else_from_being_asked_for() {
        let mut sync = Sync::new(&founded());
        let id = |number: u32| EventId(stranger(number).0);
        assert_eq!(sync.want((0..300).map(id).collect(), NOW).len(), WANTED);
        assert_eq!(sync.want(vec![id(0), id(400)], NOW), []);
        assert_eq!(sync.want(vec![id(0), id(400)], NOW + ASK_AGAIN), [id(0), id(400)]);
    }

    #[test]
    fn of_invented_authors_and_branches_only_so_many_are_kept() {
        let (room, log) = (founded(), MemoryLog::default());
        let mut sync = Sync::new(&room);
        for number in 0..3000 {
            let tip = |seq| Tip { author: stranger(number), seq, id: EventId([9; 32]) };
            let tips: Vec<Tip> = (1..100).map(tip).collect();
            sync.on_have(&room, &log, (&tips, true), NOW).unwrap();
            sync.received(&room, stranger(number + 10_000), 1, EventId([8; 32]));
        }
        assert_eq!(sync.theirs.len(), STRANGERS);
        let (first, last) = (sync.tips_of(stranger(0)).next(), sync.tips_of(stranger(0)).last());
        assert_eq!((first.unwrap().seq, last.unwrap().seq, sync.tips_of(stranger(0)).count()), (1, 99, BRANCHES));
        let own = Tip { author: room.me(), seq: 1, id: room.known().tip(&room.me()).unwrap() };
        sync.on_have(&room, &log, (&[own], true), NOW).unwrap();
        assert!(!sync.heard(), "the list goes on");
        sync.on_have(&room, &log, (&[], false), NOW).unwrap();
        assert_eq!((sync.heard(), sync.tips_of(room.me()).next()), (true, Some(own)));
    }
}
