//! A disk that forgets what was not synced.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use pairwave_core::effect::{Effect, Slot};
use pairwave_core::id::{ChunkId, EventId, MemberId, RoomId};
use pairwave_core::log::{Log, LogError, MemoryLog, Position, Record};

use crate::fault::Fault;
use crate::retelling;

/// What is on the platter. Cloning gives another handle on the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Content>>);

#[derive(Clone, Default)]
pub struct Content {
    pub log: MemoryLog,
    pub slots: BTreeMap<(RoomId, Slot), Vec<u8>>,
    /// The marker outside the store: our own newest seq, by room.
    pub own_seq: BTreeMap<RoomId, u64>,
    /// What is wrong with this disk, or with the driver in front of it.
    pub fault: Option<Fault>,
    /// What was saved first since then.
    first_state: Option<Vec<u8>>,
    /// Nothing can be read.
    pub unreadable: bool,
    /// How often something was read.
    pub reads: u64,
}

impl Disk {
    pub fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().expect("no test panics while it holds a disk")
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.content().fault == Some(fault)
    }

    /// How often something was read since this was last asked.
    pub fn take_reads(&self) -> u64 {
        std::mem::take(&mut self.content().reads)
    }

    /// What is read from, if it can be.
    fn read(&self) -> Result<MutexGuard<'_, Content>, LogError> {
        let mut content = self.content();
        content.reads += 1;
        if content.unreadable { Err(LogError("a scratch".into())) } else { Ok(content) }
    }

    /// A disk of its own with this content.
    pub fn with(content: Content) -> Self {
        Self(Arc::new(Mutex::new(content)))
    }

    /// What a backup would hold.
    pub fn copy(&self) -> Content {
        self.content().clone()
    }

    /// Puts a backup back. The marker lies outside it and stays.
    pub fn put_back(&self, backup: Content) {
        let mut content = self.content();
        let own_seq = std::mem::take(&mut content.own_seq);
        let fault = content.fault;
        *content = Content { own_seq, fault, ..backup };
    }

    /// Makes an `Append`, `Save` or `Forget` durable.
    pub fn write(&self, effect: &Effect, me: MemberId) {
        let mut content = self.content();
        match effect {
            Effect::Append { room, records, .. } => records.iter().for_each(|record| content.append(*room, record, me)),
            Effect::Save { room, slot, value: Some(value), .. } => content.save(*room, *slot, value),
            Effect::Save { room, slot, value: None, .. } => _ = content.slots.remove(&(*room, *slot)),
            Effect::Chunk { room, id, bytes: Some(bytes), .. } => content.log.keep_chunk(*room, *id, bytes.clone()),
            Effect::Chunk { room, id, bytes: None, .. } => content.log.drop_chunk(room, id),
            Effect::Forget { room, .. } => {
                content.log.forget(room);
                content.slots.retain(|(of, _), _| of != room);
            }
            _ => (),
        }
    }

    pub fn holds(&self, room: RoomId, event: EventId) -> bool {
        self.content().log.get(&room, &event).is_ok_and(|record| record.is_some())
    }

    pub fn rooms(&self) -> Vec<RoomId> {
        let mut rooms: Vec<RoomId> = self.content().slots.keys().map(|(room, _)| *room).collect();
        rooms.dedup();
        rooms
    }

    pub fn saved(&self, room: RoomId) -> Vec<(Slot, Vec<u8>)> {
        let content = self.content();
        let of_room = content.slots.iter().filter(|((of, _), _)| *of == room);
        of_room.map(|((_, slot), value)| (*slot, value.clone())).collect()
    }

    pub fn own_seq(&self, room: RoomId) -> u64 {
        let content = self.content();
        let kept = content.fault != Some(Fault::ForgetsTheMarker);
        content.own_seq.get(&room).copied().filter(|_| kept).unwrap_or(0)
    }
}

impl Content {
    fn append(&mut self, room: RoomId, record: &Record, me: MemberId) {
        if self.fault.is_some_and(|fault| fault.swallows(&self.log, room, record)) {
            return;
        }
        if record.author == me {
            self.own_seq.insert(room, record.seq);
        }
        let mut record = record.clone();
        if self.fault == Some(Fault::OrdersById) {
            record.position.depth = 1;
        }
        self.log.insert(room, record.clone());
        if self.fault == Some(Fault::DoublesEvents) {
            self.log.insert(room, Record { arrival: record.arrival + 1_000_000, ..record });
        }
    }

    fn save(&mut self, room: RoomId, slot: Slot, value: &[u8]) {
        let value = match (self.fault, slot) {
            (Some(Fault::LosesKeys), Slot::Keys) => {
                self.slots.remove(&(room, slot));
                return;
            }
            (Some(Fault::KeepsTheFirstKey), Slot::Keys) => retelling::keys(value, room),
            (Some(Fault::KeepsTheFirstReading), Slot::Reading) if self.slots.contains_key(&(room, slot)) => return,
            (Some(_), Slot::State) => {
                let first = self.first_state.get_or_insert_with(|| value.to_vec());
                retelling::state(self.fault, value, first, &self.log, room)
            }
            _ => value.to_vec(),
        };
        self.slots.insert((room, slot), value);
    }
}

impl Log for Disk {
    fn get(&self, room: &RoomId, id: &EventId) -> Result<Option<Record>, LogError> {
        self.read()?.log.get(room, id)
    }

    fn ascending(&self, room: &RoomId, after: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        self.read()?.log.ascending(room, after, limit)
    }

    fn descending(&self, room: &RoomId, before: Option<Position>, limit: usize) -> Result<Vec<Position>, LogError> {
        self.read()?.log.descending(room, before, limit)
    }

    fn chain(
        &self,
        room: &RoomId,
        author: &MemberId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EventId)>, LogError> {
        self.read()?.log.chain(room, author, from, limit)
    }

    fn arrivals(&self, room: &RoomId, after: u64, limit: usize) -> Result<Vec<(u64, EventId)>, LogError> {
        self.read()?.log.arrivals(room, after, limit)
    }

    fn chunk(&self, room: &RoomId, id: &ChunkId) -> Result<Option<Vec<u8>>, LogError> {
        self.read()?.log.chunk(room, id)
    }

    fn has_chunk(&self, room: &RoomId, id: &ChunkId) -> Result<bool, LogError> {
        self.read()?.log.has_chunk(room, id)
    }
}
