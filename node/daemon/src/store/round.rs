//! One commit: many writes, one batch, all or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use fjall::{OwnedWriteBatch, PersistMode};
use pairwave_core::effect::Slot;
use pairwave_core::id::{ChunkId, MemberId, RoomId};
use pairwave_core::log::Record;
use pairwave_core::seal::Place;

use super::tables::{self, Tables, meta};
use super::{Shared, bindings, record, seal_at};

/// Keys that are removed in one batch when a forgotten room's are cleared away.
const CLEARED_AT_ONCE: usize = 4096;

/// What one batch is made of.
#[derive(Debug)]
pub(super) enum Part<'w> {
    Append(RoomId, &'w [Record]),
    Save(RoomId, Slot, Option<&'w [u8]>),
    Chunk(RoomId, &'w ChunkId, Option<&'w [u8]>),
    Forget(RoomId),
    Bind(&'w std::path::Path, Option<RoomId>),
}

/// Why a batch could not be made durable.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// Nothing was written: an earlier failure, or one in the background, has closed the database.
    #[error("the database has closed itself")]
    Closed,
    /// Whether it was written shows only when the database is opened again.
    #[error("{0}")]
    Write(fjall::Error),
    #[error("{0}")]
    Seal(#[from] io::Error),
}

/// What a successful commit has changed beside the database.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Rooms with own events, and our highest seq among them.
    pub own: BTreeMap<RoomId, u64>,
    pub forgotten: BTreeSet<RoomId>,
    rooms: BTreeMap<RoomId, Option<u32>>,
}

/// Writes all parts in one batch and syncs it.
pub(super) fn commit(shared: &Shared, me: MemberId, parts: &[Part<'_>]) -> Result<Committed, CommitError> {
    let state = shared.tables();
    let tables = state.as_ref().ok_or(CommitError::Closed)?;
    let batch = synced(tables);
    let mut round = Round { shared, tables, me, batch, committed: Committed::default() };
    parts.iter().try_for_each(|part| round.add(part))?;
    round.batch.commit().map_err(|error| match error {
        fjall::Error::Poisoned => CommitError::Closed,
        error => CommitError::Write(error),
    })?;
    let committed = round.committed;
    drop(state);
    shared.number_rooms(&committed.rooms);
    Ok(committed)
}

/// Clears away what forgotten rooms have left. It may be interrupted and is taken up again.
pub(super) fn clear_leftovers(shared: &Shared) -> fjall::Result<()> {
    let state = shared.tables();
    let Some(tables) = state.as_ref() else { return Ok(()) };
    for entry in tables.meta.prefix([meta::LEFTOVER]) {
        let key = entry.key()?;
        let Ok(number) = key[1..].try_into().map(u32::from_be_bytes) else { continue };
        clear(tables, number)?;
        let mut done = synced(tables);
        done.remove(&tables.meta, key);
        done.commit()?;
    }
    Ok(())
}

struct Round<'s> {
    shared: &'s Shared,
    tables: &'s Tables,
    me: MemberId,
    batch: OwnedWriteBatch,
    committed: Committed,
}

impl Round<'_> {
    fn add(&mut self, part: &Part<'_>) -> Result<(), CommitError> {
        match part {
            Part::Append(room, records) => records.iter().try_for_each(|record| self.append(room, record)),
            Part::Save(room, slot, value) => self.save(room, *slot, *value),
            Part::Chunk(room, id, bytes) => self.chunk(room, id, *bytes),
            Part::Forget(room) => {
                self.forget(room);
                Ok(())
            }
            Part::Bind(folder, room) => self.bind(folder, room.as_ref()),
        }
    }

    fn append(&mut self, room: &RoomId, record: &Record) -> Result<(), CommitError> {
        let number = self.number(room)?;
        let Record { position, author, seq, arrival, .. } = record;
        let sealed = seal_at(&self.shared.key, Place::Record(*room, position.id), &record::encode(record))?;
        self.batch.insert(&self.tables.log, tables::log_key(number, *arrival, &position.id), sealed);
        self.batch.insert(&self.tables.ids, tables::id_key(number, &position.id), arrival.to_be_bytes());
        self.batch.insert(&self.tables.order, tables::order_key(number, position), []);
        self.batch.insert(&self.tables.chain, tables::chain_key(number, author, *seq, &position.id.0), []);
        if *author == self.me {
            let own = self.committed.own.entry(*room).or_default();
            *own = (*own).max(*seq);
        }
        Ok(())
    }

    fn save(&mut self, room: &RoomId, slot: Slot, value: Option<&[u8]>) -> Result<(), CommitError> {
        let number = self.number(room)?;
        let key = tables::slot_key(number, slot);
        match value {
            Some(value) => {
                let sealed = seal_at(&self.shared.key, Place::Slot(*room, slot), value)?;
                self.batch.insert(&self.tables.slots, key, sealed);
            }
            None => self.batch.remove(&self.tables.slots, key),
        }
        Ok(())
    }

    fn chunk(&mut self, room: &RoomId, id: &ChunkId, bytes: Option<&[u8]>) -> Result<(), CommitError> {
        let key = tables::chunk_key(self.number(room)?, id);
        match bytes {
            Some(bytes) => {
                let sealed = seal_at(&self.shared.key, Place::Chunk(*room, *id), bytes)?;
                self.batch.insert(&self.tables.chunks, key, sealed);
            }
            None => self.batch.remove(&self.tables.chunks, key),
        }
        Ok(())
    }

    fn forget(&mut self, room: &RoomId) {
        let Some(number) = self.known(room) else { return };
        self.batch.remove(&self.tables.meta, meta::key(meta::ROOM, &room.0));
        self.batch.insert(&self.tables.meta, meta::key(meta::LEFTOVER, &number.to_be_bytes()), []);
        self.committed.rooms.insert(*room, None);
        self.committed.own.remove(room);
        self.committed.forgotten.insert(*room);
    }

    fn bind(&mut self, folder: &std::path::Path, room: Option<&RoomId>) -> Result<(), CommitError> {
        let key = bindings::binding_key(&self.shared.key, folder);
        match room {
            Some(room) => {
                let sealed = seal_at(&self.shared.key, bindings::PLACE, &bindings::encode(folder, room))?;
                self.batch.insert(&self.tables.meta, key, sealed);
            }
            None => self.batch.remove(&self.tables.meta, key),
        }
        Ok(())
    }

    /// The room's number, given to it now if it has none.
    fn number(&mut self, room: &RoomId) -> Result<u32, CommitError> {
        if let Some(number) = self.known(room) {
            return Ok(number);
        }
        let number = self.next_number()?;
        self.batch.insert(&self.tables.meta, meta::key(meta::ROOM, &room.0), number.to_be_bytes());
        self.batch.insert(&self.tables.meta, meta::NEXT_ROOM, (number + 1).to_be_bytes());
        self.committed.rooms.insert(*room, Some(number));
        Ok(number)
    }

    fn known(&self, room: &RoomId) -> Option<u32> {
        match self.committed.rooms.get(room) {
            Some(number) => *number,
            None => self.tables.rooms.get(room).copied(),
        }
    }

    fn next_number(&self) -> Result<u32, CommitError> {
        let stored = self.tables.meta.get(meta::NEXT_ROOM).map_err(CommitError::Write)?;
        let stored = stored.and_then(|bytes| bytes[..].try_into().ok()).map_or(1, u32::from_be_bytes);
        let given = self.committed.rooms.values().flatten().max().map_or(0, |number| number + 1);
        Ok(stored.max(given))
    }
}

/// At a start only the last batch may be torn, so none is left unsynced behind another.
fn synced(tables: &Tables) -> OwnedWriteBatch {
    tables.db.batch().durability(Some(PersistMode::SyncAll))
}

fn clear(tables: &Tables, number: u32) -> fjall::Result<()> {
    let first = number.to_be_bytes().to_vec();
    for keyspace in tables.of_rooms() {
        loop {
            let keys = keyspace.range(first.clone()..tables::after(number)).take(CLEARED_AT_ONCE);
            let keys = keys.map(fjall::Guard::key).collect::<fjall::Result<Vec<_>>>()?;
            if keys.is_empty() {
                break;
            }
            let mut batch = synced(tables);
            keys.into_iter().for_each(|key| batch.remove(keyspace, key));
            batch.commit()?;
        }
    }
    Ok(())
}
