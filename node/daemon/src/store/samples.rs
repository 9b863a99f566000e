use std::fs;
use std::path::{Path, PathBuf};

use pairwave_core::id::{EventId, MemberId, RoomId};
use pairwave_core::key::StorageKey;
use pairwave_core::log::{Position, Record};

use super::{Options, Store, StoreError};

pub(super) const ME: MemberId = MemberId([5; 32]);

/// A folder with a store in it.
pub(super) struct Sample {
    dir: tempfile::TempDir,
    pub key: u8,
}

impl Sample {
    pub fn new() -> Self {
        let sample = Self { dir: tempfile::tempdir().unwrap(), key: 1 };
        fs::create_dir(sample.path()).unwrap();
        sample
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join(Path::new(name));
        fs::create_dir_all(&path).unwrap();
        path.canonicalize().unwrap()
    }

    pub fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    pub fn try_open(&self) -> Result<Store, StoreError> {
        let options = Options { cache: 1 << 20, markers: self.dir.path().join("rooms") };
        Store::open(&self.path(), StorageKey::new([self.key; 32]), options)
    }
}

pub(super) fn room(number: u8) -> RoomId {
    RoomId([number; 32])
}

/// A record of which everything follows from its arrival.
pub(super) fn record(arrival: u64) -> Record {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&arrival.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Record {
        position: Position { depth: arrival + 10, id: EventId(id) },
        author: ME,
        seq: arrival + 100,
        arrival,
        clock: vec![(ME, arrival + 100)],
        signed: vec![7; 400],
    }
}
