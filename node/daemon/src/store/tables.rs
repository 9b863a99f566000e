//! The layout of the store: which keys hold what.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `log` | room number, arrival, event id | sealed record |
//! | `ids` | room number, event id | arrival |
//! | `order` | room number, depth, event id | – |
//! | `chain` | room number, author, seq, event id | – |
//! | `chunks` | room number, chunk id | sealed chunk |
//! | `slots` | room number, slot | sealed value |
//! | `meta` | see [`meta`] | |
//!
//! Numbers are big-endian, so that keys sort as numbers do. Rooms have short numbers of their own,
//! which are never used again: what a forgotten room leaves behind belongs to nobody.

use std::collections::BTreeMap;
use std::fs;
use std::ops::{Bound, RangeBounds};
use std::path::Path;

use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use pairwave_core::effect::Slot;
use pairwave_core::id::{ChunkId, EventId, MemberId, RoomId};
use pairwave_core::key::StorageKey;
use pairwave_core::log::Position;
use pairwave_core::seal::{self, Place};

use super::journal::{self, Snapshot};
use super::{Options, StoreError, seal_at};

/// Memory for what is not yet in a table, per keyspace. Small: it is idle memory, and replayed at start.
const LOG_BUFFER: u64 = 4 << 20;
const INDEX_BUFFER: u64 = 1 << 20;
/// Written when the database is complete; without it nothing was ever stored.
const MADE: &str = "version";
/// What the store holds under [`meta::KEY_CHECK`], to recognise its key.
const KEY_CHECK: &[u8] = b"pairwave";

/// An open database.
pub(super) struct Tables {
    pub db: Database,
    pub log: Keyspace,
    pub ids: Keyspace,
    pub order: Keyspace,
    pub chain: Keyspace,
    pub chunks: Keyspace,
    pub slots: Keyspace,
    pub meta: Keyspace,
    /// Bytes that the next start would read again if nothing more were written.
    pub journal: u64,
    /// The room numbers in use.
    pub rooms: BTreeMap<RoomId, u32>,
}

impl Tables {
    pub fn open(path: &Path, key: &StorageKey, options: &Options) -> Result<Self, StoreError> {
        let failed = |why: fjall::Error| StoreError::Open { path: path.into(), why: why.to_string() };
        let made = path.join(MADE).exists();
        if !made {
            remove_half_made(path).map_err(|error| failed(error.into()))?;
        }
        let db = recovered(path, options)?;
        let keyspace = |name, buffer| db.keyspace(name, || layout(buffer)).map_err(failed);
        let mut tables = Self {
            log: keyspace("log", LOG_BUFFER)?,
            ids: keyspace("ids", INDEX_BUFFER)?,
            order: keyspace("order", INDEX_BUFFER)?,
            chain: keyspace("chain", INDEX_BUFFER)?,
            chunks: keyspace("chunks", LOG_BUFFER)?,
            slots: keyspace("slots", INDEX_BUFFER)?,
            meta: keyspace("meta", INDEX_BUFFER)?,
            // A new one has its space set aside, with nothing in it.
            journal: if made { journal::size(path) } else { 0 },
            rooms: BTreeMap::new(),
            db,
        };
        tables.check_key(path, key)?;
        tables.rooms = tables.read_rooms().map_err(failed)?;
        Ok(tables)
    }

    fn check_key(&self, path: &Path, key: &StorageKey) -> Result<(), StoreError> {
        let failed = |why: fjall::Error| StoreError::Open { path: path.into(), why: why.to_string() };
        let place = Place::Named("key check");
        match self.meta.get(meta::KEY_CHECK).map_err(failed)? {
            Some(sealed) => seal::open(key, place, &sealed).map(drop).map_err(|_| StoreError::WrongKey),
            None => {
                let sealed = seal_at(key, place, KEY_CHECK).map_err(|why| failed(std::io::Error::other(why).into()))?;
                self.meta.insert(meta::KEY_CHECK, sealed).map_err(failed)?;
                self.db.persist(fjall::PersistMode::SyncAll).map_err(failed)
            }
        }
    }

    fn read_rooms(&self) -> fjall::Result<BTreeMap<RoomId, u32>> {
        let mut rooms = BTreeMap::new();
        for entry in self.meta.prefix([meta::ROOM]) {
            let (key, value) = entry.into_inner()?;
            if let (Ok(room), Ok(number)) = (key[1..].try_into(), value[..].try_into()) {
                rooms.insert(RoomId(room), u32::from_be_bytes(number));
            }
        }
        Ok(rooms)
    }

    pub fn all(&self) -> [&Keyspace; 7] {
        [&self.log, &self.ids, &self.order, &self.chain, &self.chunks, &self.slots, &self.meta]
    }

    /// The keyspaces that hold a room's keys behind its number.
    pub fn of_rooms(&self) -> [&Keyspace; 6] {
        [&self.log, &self.ids, &self.order, &self.chain, &self.chunks, &self.slots]
    }
}

/// Keys of the `meta` keyspace by their first byte.
pub(super) mod meta {
    /// A room id; its number.
    pub const ROOM: u8 = b'r';
    /// The number of the next room.
    pub const NEXT_ROOM: [u8; 1] = [b'n'];
    /// The number of a forgotten room whose keys are not all gone.
    pub const LEFTOVER: u8 = b'g';
    /// A hash of a folder's path; the sealed binding.
    pub const BINDING: u8 = b'b';
    /// A sealed constant.
    pub const KEY_CHECK: [u8; 1] = [b'k'];

    pub fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
        [&[kind], rest].concat()
    }
}

pub(super) fn log_key(room: u32, arrival: u64, id: &EventId) -> Vec<u8> {
    [&room.to_be_bytes()[..], &arrival.to_be_bytes(), &id.0].concat()
}

pub(super) fn id_key(room: u32, id: &EventId) -> Vec<u8> {
    [&room.to_be_bytes()[..], &id.0].concat()
}

pub(super) fn order_key(room: u32, position: &Position) -> Vec<u8> {
    [&room.to_be_bytes()[..], &position.depth.to_be_bytes(), &position.id.0].concat()
}

pub(super) fn chain_key(room: u32, author: &MemberId, seq: u64, id: &[u8]) -> Vec<u8> {
    [&room.to_be_bytes()[..], &author.0, &seq.to_be_bytes(), id].concat()
}

pub(super) fn chunk_key(room: u32, id: &ChunkId) -> Vec<u8> {
    [&room.to_be_bytes()[..], &id.0].concat()
}

pub(super) fn slot_key(room: u32, slot: Slot) -> Vec<u8> {
    [&room.to_be_bytes()[..], &[slot_number(slot)]].concat()
}

/// All keys of a room from `start` on.
pub(super) fn from(room: u32, start: Bound<Vec<u8>>) -> impl RangeBounds<Vec<u8>> {
    (start, Bound::Excluded(after(room)))
}

/// The first key behind all of a room's.
pub(super) fn after(room: u32) -> Vec<u8> {
    room.saturating_add(1).to_be_bytes().to_vec()
}

pub(super) const SLOTS: [Slot; 8] = [
    Slot::State,
    Slot::Keys,
    Slot::Reading,
    Slot::Delivery,
    Slot::Peers,
    Slot::Joining,
    Slot::Ratchets,
    Slot::Artifacts,
];

fn slot_number(slot: Slot) -> u8 {
    match slot {
        Slot::State => 1,
        Slot::Keys => 2,
        Slot::Reading => 3,
        Slot::Delivery => 4,
        Slot::Peers => 5,
        Slot::Joining => 6,
        Slot::Ratchets => 7,
        Slot::Artifacts => 8,
    }
}

/// Opens the database. Of a damaged journal it gives up what a crash may have torn, which nobody was
/// told of, and nothing else: then it stays as it was.
fn recovered(path: &Path, options: &Options) -> Result<Database, StoreError> {
    let failed = |why: String| StoreError::Open { path: path.into(), why };
    let before = Snapshot::take(path).map_err(|error| failed(error.to_string()))?;
    let opened = database(path, options);
    let Some(mut before) = before else { return opened.map_err(|why| failed(why.to_string())) };
    let opened = match opened {
        Err(fjall::Error::JournalRecovery(_)) if before.cut_last_batch().unwrap_or(false) => database(path, options),
        Err(why) => return Err(failed(why.to_string())),
        opened => opened,
    };
    let why = match opened {
        Ok(db) if !before.has_lost_more_than_the_tail() => {
            if let Some(copy) = before.copy() {
                let copy = copy.display();
                tracing::warn!(%copy, "the last write was damaged, as by a power failure, and is cut off; there is a copy");
            }
            return Ok(db);
        }
        Ok(db) => {
            drop(db);
            "its journal is damaged before its end".to_owned()
        }
        Err(why) => why.to_string(),
    };
    match before.put_back() {
        Ok(()) => Err(failed(format!("{why} (its files are as they were)"))),
        Err(error) => Err(failed(format!("{why}, and the journal could not be put back: {error}"))),
    }
}

fn database(path: &Path, options: &Options) -> fjall::Result<Database> {
    Database::builder(path)
        .cache_size(options.cache)
        .worker_threads(1)
        .journal_compression(CompressionType::None)
        .max_journaling_size(64 << 20)
        .max_cached_files(Some(64))
        .open()
}

fn layout(buffer: u64) -> KeyspaceCreateOptions {
    // What is sealed or hashed does not compress.
    KeyspaceCreateOptions::default()
        .max_memtable_size(buffer)
        .data_block_size_policy(BlockSizePolicy::all(4096))
        .data_block_compression_policy(CompressionPolicy::disabled())
}

/// A start that was killed while it made the database leaves files that another start stumbles over.
fn remove_half_made(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}
