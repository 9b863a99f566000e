//! Everything that a companion keeps: the events of all rooms, what belongs to them, and which
//! folder has which room. One database, sealed under the storage key.
//!
//! Reading is synchronous, through a [`Reader`]. All writing goes through the [`Committer`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use pairwave_core::effect::Slot;
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::key::StorageKey;
use pairwave_core::log::LogError;
use pairwave_core::seal::{self, Place};

mod bindings;
mod committer;
mod journal;
mod marker;
mod reader;
mod record;
mod round;
#[cfg(test)]
mod samples;
mod tables;
mod worker;
mod write;

pub use bindings::Bindings;
pub use committer::Committer;
pub use reader::Reader;
use tables::Tables;
pub use write::{Refused, Told, Write, WriteError};

/// A store that is open.
pub struct Store(Arc<Shared>);

/// What the owner of a store decides.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of what was read that are kept in memory.
    pub cache: u64,
    /// The folder in which each room has one for its marker.
    pub markers: PathBuf,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store cannot be opened at {path}: {why}. Check the permissions and the free space of the disk; \
         if the files are damaged, restore the home from a copy."
    )]
    Open { path: PathBuf, why: String },
    #[error("the store was sealed with another key. Restore storage.key from a copy of this home.")]
    WrongKey,
}

/// What was kept of a room beside its log.
pub struct Kept {
    pub slots: Vec<(Slot, Vec<u8>)>,
    /// Our own highest seq, as marked outside the database.
    pub own_seq: u64,
}

impl Store {
    /// Opens the store in a folder that exists; makes it where there is none.
    pub fn open(path: &Path, key: StorageKey, options: Options) -> Result<Self, StoreError> {
        let tables = RwLock::new(Some(Tables::open(path, &key, &options)?));
        Ok(Self(Arc::new(Shared { path: path.into(), key, options, tables })))
    }

    pub fn reader(&self) -> Reader {
        Reader(self.0.clone())
    }

    /// All rooms of which anything is kept.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.0.tables().as_ref().map(|tables| tables.rooms.keys().copied().collect()).unwrap_or_default()
    }

    /// What is kept of a room beside its log. `me` is whose marker counts.
    pub fn kept(&self, room: &RoomId, me: &MemberId) -> Result<Kept, LogError> {
        Ok(Kept { slots: self.0.slots(room)?, own_seq: marker::read(&self.0.options.markers, room, me) })
    }
}

/// The open database, shared by readers and the committer, which alone takes it away and puts it back.
struct Shared {
    path: PathBuf,
    key: StorageKey,
    options: Options,
    tables: RwLock<Option<Tables>>,
}

impl Shared {
    fn tables(&self) -> RwLockReadGuard<'_, Option<Tables>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database and opens it again, which settles what of a failed write has happened.
    fn reopen(&self) -> Result<(), String> {
        self.reopen_after(|| Ok(()))
    }

    /// As [`Shared::reopen`], with something done in between. Its failure does not keep the database closed.
    fn reopen_after(&self, between: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        // The old one holds a lock on its files.
        drop(tables.take());
        let result = between();
        *tables = Some(Tables::open(&self.path, &self.key, &self.options).map_err(|error| error.to_string())?);
        result
    }

    #[cfg(test)]
    fn close(&self) {
        self.tables.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn is_open(&self) -> bool {
        self.tables().is_some()
    }

    /// Takes up the numbers that rooms were given or, with none, have lost.
    fn number_rooms(&self, changed: &BTreeMap<RoomId, Option<u32>>) {
        if changed.is_empty() {
            return;
        }
        let mut state = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let Some(tables) = state.as_mut() else { return };
        for (room, number) in changed {
            match number {
                Some(number) => tables.rooms.insert(*room, *number),
                None => tables.rooms.remove(room),
            };
        }
    }

    fn slots(&self, room: &RoomId) -> Result<Vec<(Slot, Vec<u8>)>, LogError> {
        let state = self.tables();
        let tables = state.as_ref().ok_or_else(|| LogError("the store is being opened again".into()))?;
        let Some(number) = tables.rooms.get(room) else { return Ok(Vec::new()) };
        let read = |slot: Slot| {
            let failed = |error: fjall::Error| LogError(error.to_string());
            let Some(sealed) = tables.slots.get(tables::slot_key(*number, slot)).map_err(failed)? else {
                return Ok(None);
            };
            let value = seal::open(&self.key, Place::Slot(*room, slot), &sealed)
                .map_err(|error| LogError(error.to_string()))?;
            Ok(Some((slot, value)))
        };
        tables::SLOTS.into_iter().map(read).filter_map(Result::transpose).collect()
    }
}

/// Seals with a fresh random nonce.
fn seal_at(key: &StorageKey, place: Place<'_>, plaintext: &[u8]) -> Result<Vec<u8>, io::Error> {
    let mut nonce = [0; seal::NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    Ok(seal::seal(key, place, plaintext, nonce))
}
