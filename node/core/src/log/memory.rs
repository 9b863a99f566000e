use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::{Log, LogError, Position, Record};
use crate::id::{ChunkId, EventId, MemberId, RoomId};

/// A log in memory: what is not durable yet, and the disk of a simulation.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(BTreeMap<RoomId, OfRoom>);

#[derive(Debug, Clone, Default)]
struct OfRoom {
    records: BTreeMap<EventId, Record>,
    order: BTreeSet<Position>,
    chains: BTreeSet<(MemberId, u64, EventId)>,
    arrivals: BTreeMap<u64, EventId>,
    chunks: BTreeMap<ChunkId, Vec<u8>>,
}

impl MemoryLog {
    pub fn insert(&mut self, room: RoomId, record: Record) {
        let of_room = self.0.entry(room).or_default();
        let id = record.position.id;
        of_room.order.insert(record.position);
        of_room.chains.insert((record.author, record.seq, id));
        of_room.arrivals.insert(record.arrival, id);
        of_room.records.insert(id, record);
    }

    pub fn keep_chunk(&mut self, room: RoomId, id: ChunkId, bytes: Vec<u8>) {
        self.0.entry(room).or_default().chunks.insert(id, bytes);
    }

    pub fn drop_chunk(&mut self, room: &RoomId, id: &ChunkId) {
        if let Some(of_room) = self.0.get_mut(room) {
            of_room.chunks.remove(id);
        }
    }

    /// Drops everything that arrived up to `arrival`.
    pub fn forget_through(&mut self, room: &RoomId, arrival: u64) {
        let Some(of_room) = self.0.get_mut(room) else { return };
        while let Some(entry) = of_room.arrivals.first_entry().filter(|entry| *entry.key() <= arrival) {
            let id = entry.remove();
            if let Some(record) = of_room.records.remove(&id) {
                of_room.order.remove(&record.position);
                of_room.chains.remove(&(record.author, record.seq, id));
            }
        }
    }

    pub fn forget(&mut self, room: &RoomId) {
        self.0.remove(room);
    }
}

impl Log for MemoryLog {
    fn get(&self, room: &RoomId, id: &EventId) -> Result<Option<Record>, LogError> {
        Ok(self.0.get(room).and_then(|of_room| of_room.records.get(id)).cloned())
    }

    fn ascending(&self, room: &RoomId, after: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        let Some(of_room) = self.0.get(room) else { return Ok(Vec::new()) };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(of_room.order.range((start, Bound::Unbounded)).take(limit).copied().collect())
    }

    fn descending(&self, room: &RoomId, before: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        let Some(of_room) = self.0.get(room) else { return Ok(Vec::new()) };
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(of_room.order.range((Bound::Unbounded, end)).rev().take(limit).copied().collect())
    }

    fn chain(
        &self,
        room: &RoomId,
        author: &MemberId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EventId)>, LogError> {
        let Some(of_room) = self.0.get(room) else { return Ok(Vec::new()) };
        let chain = of_room.chains.range((*author, from, EventId([0; 32]))..);
        let chain = chain.take_while(|(of, ..)| of == author).take(limit);
        Ok(chain.map(|(_, seq, id)| (*seq, *id)).collect())
    }

    fn arrivals(&self, room: &RoomId, after: u64, limit: usize) -> Result<Vec<(u64, EventId)>, LogError> {
        let Some(of_room) = self.0.get(room) else { return Ok(Vec::new()) };
        let arrivals = of_room.arrivals.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(arrivals.take(limit).map(|(arrival, id)| (*arrival, *id)).collect())
    }

    fn chunk(&self, room: &RoomId, id: &ChunkId) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.0.get(room).and_then(|of_room| of_room.chunks.get(id)).cloned())
    }

    fn has_chunk(&self, room: &RoomId, id: &ChunkId) -> Result<bool, LogError> {
        Ok(self.0.get(room).is_some_and(|of_room| of_room.chunks.contains_key(id)))
    }
}
