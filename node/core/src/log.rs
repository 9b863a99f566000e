//! The log as the core reads it: synchronous, read-only and content-addressed, hence
//! deterministic. A map in the simulation, a database in the companion.

mod memory;

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

pub use self::memory::MemoryLog;

use crate::causality::Graph;
use crate::id::{ChunkId, EventId, MemberId, RoomId};

/// Where an event stands in the room's total order: by depth, then by id. Nobody's clock takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    pub depth: u64,
    pub id: EventId,
}

/// A stored event: the signed bytes as they came, and what was computed when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub position: Position,
    pub author: MemberId,
    pub seq: u64,
    /// Counts the events of this room in the order in which they became part of this log, from 1.
    pub arrival: u64,
    /// Author → highest seq among the event's ancestors and itself, sorted by author.
    pub clock: Vec<(MemberId, u64)>,
    /// The signed event, byte for byte.
    pub signed: Vec<u8>,
}

/// The log could not be read, or what it returned does not open under this room and id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be read: {0}")]
pub struct LogError(pub String);

/// The events of all rooms. What it returns counts as verified: its records were, when they were
/// appended, and a sealed store binds each to its room and id.
pub trait Log {
    fn get(&self, room: &RoomId, id: &EventId) -> Result<Option<Record>, LogError>;

    /// Up to `limit` positions after `after`, in order.
    fn ascending(&self, room: &RoomId, after: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError>;

    /// Up to `limit` positions before `before`, latest first.
    fn descending(&self, room: &RoomId, before: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError>;

    /// Up to `limit` of an author's events with a seq of at least `from`, by seq, then id: more than
    /// one of a seq is an equivocation.
    fn chain(&self, room: &RoomId, author: &MemberId, from: u64, limit: usize)
    -> Result<Vec<(u64, EventId)>, LogError>;

    /// Up to `limit` events with an arrival greater than `after`, in that order.
    fn arrivals(&self, room: &RoomId, after: u64, limit: usize) -> Result<Vec<(u64, EventId)>, LogError>;

    /// Is `to` the event `from` or one of its ancestors? Walks over everything in between.
    fn leads_back(&self, room: &RoomId, from: &EventId, to: Position) -> Result<bool, LogError> {
        Graph::default().leads_back(self, room, from, to)
    }

    /// A chunk that is durable here.
    fn chunk(&self, room: &RoomId, id: &ChunkId) -> Result<Option<Vec<u8>>, LogError>;

    /// Whether it is; cheaper than reading it.
    fn has_chunk(&self, room: &RoomId, id: &ChunkId) -> Result<bool, LogError>;
}

/// What is not durable yet, over what is: the log as a room sees it.
pub struct View<'a> {
    pub(crate) fresh: &'a MemoryLog,
    pub(crate) stored: &'a dyn Log,
    /// What earlier walks came by, if there are to be more of them.
    pub(crate) graph: Option<&'a RefCell<Graph>>,
}

impl Log for View<'_> {
    fn get(&self, room: &RoomId, id: &EventId) -> Result<Option<Record>, LogError> {
        match self.fresh.get(room, id)? {
            Some(record) => Ok(Some(record)),
            None => self.stored.get(room, id),
        }
    }

    fn ascending(&self, room: &RoomId, after: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        let stored = self.stored.ascending(room, after, limit)?;
        Ok(merge(stored, self.fresh.ascending(room, after, limit)?, limit))
    }

    fn descending(&self, room: &RoomId, before: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        let mut all = self.stored.descending(room, before, limit)?;
        all.extend(self.fresh.descending(room, before, limit)?);
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        all.truncate(limit);
        Ok(all)
    }

    fn chain(
        &self,
        room: &RoomId,
        author: &MemberId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EventId)>, LogError> {
        let stored = self.stored.chain(room, author, from, limit)?;
        Ok(merge(stored, self.fresh.chain(room, author, from, limit)?, limit))
    }

    fn arrivals(&self, room: &RoomId, after: u64, limit: usize) -> Result<Vec<(u64, EventId)>, LogError> {
        let stored = self.stored.arrivals(room, after, limit)?;
        if stored.len() >= limit {
            return Ok(stored);
        }
        Ok(merge(stored, self.fresh.arrivals(room, after, limit)?, limit))
    }

    fn leads_back(&self, room: &RoomId, from: &EventId, to: Position) -> Result<bool, LogError> {
        match self.graph {
            Some(graph) => graph.borrow_mut().leads_back(self, room, from, to),
            None => Graph::default().leads_back(self, room, from, to),
        }
    }

    fn chunk(&self, room: &RoomId, id: &ChunkId) -> Result<Option<Vec<u8>>, LogError> {
        self.stored.chunk(room, id)
    }

    fn has_chunk(&self, room: &RoomId, id: &ChunkId) -> Result<bool, LogError> {
        self.stored.has_chunk(room, id)
    }
}

/// Between a commit and the word of it, a record is in both.
fn merge<T: Ord>(mut all: Vec<T>, more: Vec<T>, limit: usize) -> Vec<T> {
    all.extend(more);
    all.sort_unstable();
    all.dedup();
    all.truncate(limit);
    all
}
