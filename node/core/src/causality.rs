//! What an author can have known when it spoke: the ancestors of its event.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Position, Record};

/// Most events of a [`Graph`], unless a single walk goes over more.
const EVENTS: usize = 1 << 18;

/// Author → highest seq among an event's ancestors and itself, sorted by author.
pub type Clock = Vec<(MemberId, u64)>;

/// Joins the clocks of an event's parents and adds the event.
pub fn join<'a>(parents: impl Iterator<Item = &'a Clock>, author: MemberId, seq: u64) -> Clock {
    let mut clock = Clock::new();
    for (member, seq) in parents.flatten().copied().chain([(author, seq)]) {
        match clock.binary_search_by_key(&member, |(of, _)| *of) {
            Ok(at) => clock[at].1 = clock[at].1.max(seq),
            Err(at) => clock.insert(at, (member, seq)),
        }
    }
    clock
}

/// The seq up to which `author` is in the clock, 0 if not at all.
pub fn seq_of(clock: &Clock, author: &MemberId) -> u64 {
    clock.binary_search_by_key(author, |(of, _)| *of).map_or(0, |at| clock[at].1)
}

/// Is the event `(author, seq, id)` among the ancestors of `of`, or that event itself? The clock
/// says so, unless the author has several events of one seq: then the graph is walked.
pub fn is_ancestor(
    log: &dyn Log,
    room: &RoomId,
    (author, seq, id): (&MemberId, u64, EventId),
    of: &Record,
) -> Result<bool, LogError> {
    if seq_of(&of.clock, author) < seq {
        return Ok(false);
    }
    if !has_twin(log, room, author, seq)? {
        return Ok(true);
    }
    let Some(record) = log.get(room, &id)? else { return Ok(false) };
    log.leads_back(room, &of.position.id, record.position)
}

/// Has the author several events of this seq?
pub fn has_twin(log: &dyn Log, room: &RoomId, author: &MemberId, seq: u64) -> Result<bool, LogError> {
    let same_seq = log.chain(room, author, seq, 2)?;
    Ok(same_seq.iter().filter(|(other, _)| *other == seq).count() > 1)
}

/// Events that walks came by, by what they have as parents: who forks can have every event of its
/// own ask for another walk, and none of them reads again what an earlier one read.
#[derive(Debug, Default)]
pub struct Graph {
    numbers: BTreeMap<EventId, usize>,
    nodes: Vec<Node>,
    /// Of all nodes, one after the other.
    parents: Vec<u32>,
    walks: u32,
}

#[derive(Debug)]
struct Node {
    /// The last walk that came by.
    walk: u32,
    read: Result<Links, EventId>,
}

/// Depth of an event, and where its parents stand.
#[derive(Debug, Clone)]
struct Links {
    depth: u64,
    parents: Range<usize>,
}

impl Graph {
    /// Is `to` the event `from` or one of its ancestors? No ancestor is as deep, so the walk ends there.
    pub fn leads_back(
        &mut self,
        log: &(impl Log + ?Sized),
        room: &RoomId,
        from: &EventId,
        to: Position,
    ) -> Result<bool, LogError> {
        if self.nodes.len() > EVENTS || self.walks == u32::MAX {
            *self = Self::default();
        }
        self.walks += 1;
        let goal = self.number(to.id);
        let mut next = vec![self.number(*from)];
        while let Some(number) = next.pop() {
            if number == goal {
                return Ok(true);
            }
            if std::mem::replace(&mut self.nodes[number].walk, self.walks) == self.walks {
                continue;
            }
            let links = self.links(log, room, number)?.filter(|links| links.depth > to.depth);
            let parents = links.map_or(0..0, |links| links.parents);
            next.extend(self.parents[parents].iter().map(|parent| *parent as usize));
        }
        Ok(false)
    }

    fn number(&mut self, id: EventId) -> usize {
        let next = self.nodes.len();
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.nodes.push(Node { walk: 0, read: Err(id) });
        }
        number
    }

    fn links(&mut self, log: &(impl Log + ?Sized), room: &RoomId, number: usize) -> Result<Option<Links>, LogError> {
        let id = match &self.nodes[number].read {
            Ok(links) => return Ok(Some(links.clone())),
            Err(id) => *id,
        };
        let Some(record) = log.get(room, &id)? else { return Ok(None) };
        let Some(ids) = record.parents() else { return Ok(None) };
        let numbers: Vec<u32> = ids.into_iter().map(|id| self.number(id) as u32).collect();
        let first = self.parents.len();
        self.parents.extend(numbers);
        let links = Links { depth: record.position.depth, parents: first..self.parents.len() };
        self.nodes[number].read = Ok(links.clone());
        Ok(Some(links))
    }
}
