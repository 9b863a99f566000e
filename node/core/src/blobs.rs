//! Blobs: content larger than an event. An event lists the hashes of its chunks; the chunks are
//! fetched over the links of the room from whoever has them, and kept once their hash is right.
//!
//! What is here stays across broken links and restarts, since each chunk is durable by itself: what is
//! missing is asked of the store. So the books say only which artifacts are wanted.

mod fetching;
mod serving;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize};

pub(crate) use self::serving::Serving;
use crate::command::Refusal;
use crate::id::{ChunkId, EventId, MemberId, RoomId};
use crate::key;
use crate::log::{Log, LogError};
use crate::time::Timestamp;

/// How long a chunk that was asked for may stay away before somebody else is asked.
const STALLED: Duration = Duration::from_secs(60);

/// Content larger than an event, by the hashes of its chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// In bytes, at most [`limits::BLOB`].
    pub size: u64,
    /// In order. Every chunk but the last has [`limits::CHUNK`] bytes.
    pub chunks: Vec<ChunkId>,
}

/// How far an artifact has come here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    /// Bytes that are here.
    pub here: u64,
    /// Why nothing comes just now.
    pub waits: Option<Waits>,
}

/// What became of an artifact here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Fetching,
    Complete,
    /// By the human, for good.
    Removed,
    /// It has to wait until there is room for it.
    Full,
    /// Its chunks are not what its author said.
    Broken,
}

/// Why an artifact does not arrive just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Until others are removed here.
    ForRoom,
    /// The way to those who are there is a circuit with small limits.
    ForAWiderPath,
    /// Nobody who has it is there.
    ForSomebody,
}

/// The blobs of one room, as they stand here.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    kept: BTreeMap<EventId, Kept>,
    /// Those that are being fetched.
    active: BTreeMap<EventId, Fetch>,
    /// Chunks that were asked for, of whom and when.
    asked: BTreeMap<(EventId, u32), (MemberId, Timestamp)>,
    /// Who is not asked for which artifact, and until when.
    shunned: BTreeMap<(MemberId, EventId), Timestamp>,
    /// Chunks on their way to the disk.
    writing: VecDeque<(u64, EventId, u32)>,
    /// The state may name other artifacts than before.
    look: bool,
}

/// One artifact here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    by: MemberId,
    size: u64,
    stage: Stage,
}

/// What is missing of one artifact: each chunk by the first place that has it.
#[derive(Debug)]
struct Fetch {
    blob: Blob,
    missing: BTreeMap<u32, ChunkId>,
    /// Missing chunks when it was last told.
    told: usize,
}

/// Names a chunk by its content.
pub fn chunk_id(bytes: &[u8]) -> ChunkId {
    ChunkId(key::hash(b"pairwave-chunk-id-v1", &[bytes]))
}

impl Blob {
    /// The blob of this content.
    pub fn of(content: &[u8]) -> Self {
        let chunks = content.chunks(limits::CHUNK).map(chunk_id).collect();
        Self { size: content.len() as u64, chunks }
    }

    /// Checks that size and chunks fit together, and both the limits.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.size == 0 {
            return Err(Refusal::Empty { field: "content" });
        }
        if self.size > limits::BLOB {
            let got = usize::try_from(self.size).unwrap_or(usize::MAX);
            return Err(Refusal::TooLong { field: "content", got, max: limits::BLOB as usize });
        }
        let fits = self.chunks.len() as u64 == self.size.div_ceil(limits::CHUNK as u64);
        if fits { Ok(()) } else { Err(Refusal::FieldShape { field: "blob".into(), expected: "blob of its size" }) }
    }

    /// The content, if all of it is here and is what the blob says.
    pub fn read(&self, log: &dyn Log, room: &RoomId) -> Result<Option<Vec<u8>>, LogError> {
        let mut content = Vec::with_capacity(usize::try_from(self.size.min(limits::BLOB)).unwrap_or(0));
        for id in &self.chunks {
            let Some(bytes) = log.chunk(room, id)? else { return Ok(None) };
            content.extend_from_slice(&bytes);
        }
        Ok(Some(content).filter(|content| content.len() as u64 == self.size))
    }

    /// How many bytes the chunk in this place has.
    fn length(&self, chunk: u32) -> usize {
        let before = u64::from(chunk) * limits::CHUNK as u64;
        usize::try_from(self.size.saturating_sub(before)).unwrap_or(usize::MAX).min(limits::CHUNK)
    }

    /// What of it is not here. `None` if one chunk would have to be of two lengths.
    fn missing(&self, log: &dyn Log, room: &RoomId) -> Result<Option<BTreeMap<u32, ChunkId>>, LogError> {
        let mut lengths: BTreeMap<ChunkId, usize> = BTreeMap::new();
        let mut missing = BTreeMap::new();
        for (at, id) in (0u32..).zip(&self.chunks) {
            match lengths.insert(*id, self.length(at)) {
                Some(other) if other != self.length(at) => return Ok(None),
                Some(_) => (),
                None if log.has_chunk(room, id)? => (),
                None => _ = missing.insert(at, *id),
            }
        }
        Ok(Some(missing))
    }
}

impl Fetch {
    fn here(&self) -> u64 {
        let missing: usize = self.missing.keys().map(|at| self.blob.length(*at)).sum();
        self.blob.size.saturating_sub(missing as u64)
    }
}

impl Blobs {
    /// Reads what [`Self::encode`] wrote. From anything else it starts anew: then what was removed
    /// is fetched again, and nothing is lost.
    pub fn decode(bytes: &[u8]) -> Self {
        let kept = cbor::decode(bytes, usize::MAX).unwrap_or_default();
        Self { kept, ..Self::default() }
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(&self.kept).expect("integers and bytes always encode")
    }

    /// The state may name other artifacts than before.
    pub fn look_again(&mut self) {
        self.look = true;
    }

    /// What was asked of this member does not come any more: its link is a new one, or gone.
    pub fn link_changed(&mut self, member: &MemberId) {
        self.asked.retain(|_, (of, _)| of != member);
    }

    /// When somebody else may be asked.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let stalled = self.asked.values().map(|(_, since)| *since + STALLED).min();
        let again = self.shunned.values().copied().min().filter(|_| !self.active.is_empty());
        stalled.into_iter().chain(again).min()
    }

    /// Bytes that are taken up here or will be, and how many of them by one author's blobs.
    fn taken(&self, by: &MemberId) -> (u64, u64) {
        let taking = self.kept.values().filter(|kept| matches!(kept.stage, Stage::Fetching | Stage::Complete));
        taking
            .fold((0, 0), |(all, theirs), kept| (all + kept.size, theirs + if kept.by == *by { kept.size } else { 0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::MemoryLog;

    const ROOM: RoomId = RoomId([9; 32]);

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn the_largest_blob_fits_an_event() {
        let chunks = vec![ChunkId([7; 32]); limits::BLOB.div_ceil(limits::CHUNK as u64) as usize];
        let blob = Blob { size: limits::BLOB, chunks };
        assert_eq!(blob.check(), Ok(()));
        assert!(cbor::encode(&blob).unwrap().len() < limits::EVENT / 2);
    }

    #[test]
    fn size_and_chunks_fit_together() {
        for length in [1, limits::CHUNK, limits::CHUNK + 1] {
            assert_eq!(Blob::of(&content(length)).check(), Ok(()), "{length}");
        }
        assert_eq!(Blob::of(b"").check(), Err(Refusal::Empty { field: "content" }));
        let shape = Refusal::FieldShape { field: "blob".into(), expected: "blob of its size" };
        let mut blob = Blob::of(&content(limits::CHUNK + 1));
        blob.size = 1;
        assert_eq!(blob.check(), Err(shape.clone()));
        blob.size = 3 * limits::CHUNK as u64;
        assert_eq!(blob.check(), Err(shape));
        blob.size = u64::MAX;
        assert!(matches!(blob.check(), Err(Refusal::TooLong { field: "content", .. })));
    }

    #[test]
    fn a_chunk_that_is_there_twice_is_missing_once() {
        let blob = Blob::of(&[0; 3 * limits::CHUNK]);
        let mut log = MemoryLog::default();
        assert_eq!(blob.missing(&log, &ROOM).unwrap().unwrap().len(), 1);
        assert_eq!(blob.read(&log, &ROOM), Ok(None));
        log.keep_chunk(ROOM, blob.chunks[0], vec![0; limits::CHUNK]);
        assert_eq!(blob.missing(&log, &ROOM).unwrap().unwrap().len(), 0);
        assert_eq!(blob.read(&log, &ROOM), Ok(Some(vec![0; 3 * limits::CHUNK])));
    }

    #[test]
    fn a_chunk_of_two_lengths_is_none() {
        let blob = Blob { size: limits::CHUNK as u64 + 7, chunks: vec![ChunkId([1; 32]); 2] };
        assert_eq!(blob.check(), Ok(()));
        assert_eq!(blob.missing(&MemoryLog::default(), &ROOM), Ok(None));
    }

    #[test]
    fn the_books_survive_a_restart() {
        let mut blobs = Blobs::default();
        let kept = Kept { by: MemberId([1; 32]), size: 7, stage: Stage::Removed };
        blobs.kept.insert(EventId([2; 32]), kept);
        assert_eq!(Blobs::decode(&blobs.encode()).kept, blobs.kept);
        assert!(Blobs::decode(b"nonsense").kept.is_empty());
    }
}
