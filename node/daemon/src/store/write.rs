//! What the committer is given, and what it tells.

use std::path::PathBuf;

use pairwave_core::effect::Slot;
use pairwave_core::id::{ChunkId, RoomId};
use pairwave_core::log::Record;
use tokio::sync::oneshot;

use super::round::Part;

/// Something to make durable. Numbers are those of the core's effects and only count up.
#[derive(Debug)]
pub enum Write {
    Append {
        number: u64,
        room: RoomId,
        records: Vec<Record>,
    },
    Save {
        number: u64,
        room: RoomId,
        slot: Slot,
        value: Option<Vec<u8>>,
    },
    /// Refused as an append is: an event may name what it keeps.
    Chunk {
        number: u64,
        room: RoomId,
        id: ChunkId,
        bytes: Option<Vec<u8>>,
    },
    Forget {
        number: u64,
        room: RoomId,
    },
    /// Binds a folder to a room, or frees it.
    Bind {
        folder: PathBuf,
        room: Option<RoomId>,
        done: oneshot::Sender<Result<(), WriteError>>,
    },
    /// A room whose append was refused may append again: everything queued before has been answered.
    Reopen {
        room: RoomId,
    },
    /// Ends the committer; everything queued before is written, nothing after.
    Stop,
}

/// What the committer reports, in order.
#[derive(Debug)]
pub enum Told {
    /// Every write up to this number is durable, but for those refused.
    Settled { through: u64, refused: Option<Refused> },
    /// The answer to [`Write::Reopen`]: the store says now what of the room is durable. `unsaved`
    /// could not be written yet and takes the place of what is stored.
    Reopened { room: RoomId, unsaved: Vec<(Slot, Option<Vec<u8>>)> },
}

/// Writes that failed. Until it is reopened, a room that is among `appends` has all further ones refused.
#[derive(Debug)]
pub struct Refused {
    /// The first number that is not durable.
    pub first: u64,
    /// Nothing from the first number on was written, of no room; else only the appends were not.
    pub entire: bool,
    pub appends: Vec<(RoomId, u64)>,
    pub why: String,
}

/// The store could not be written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store cannot be written: {why}")]
pub struct WriteError {
    pub why: String,
}

impl Write {
    /// The number of the core's effect that it carries out.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Append { number, .. }
            | Self::Save { number, .. }
            | Self::Chunk { number, .. }
            | Self::Forget { number, .. } => Some(*number),
            Self::Bind { .. } | Self::Reopen { .. } | Self::Stop => None,
        }
    }

    pub(super) fn room_appended(&self) -> Option<(RoomId, u64)> {
        match self {
            Self::Append { number, room, .. } | Self::Chunk { number, room, .. } => Some((*room, *number)),
            _ => None,
        }
    }

    /// What of a batch it is.
    pub(super) fn part(&self) -> Option<Part<'_>> {
        Some(match self {
            Self::Append { room, records, .. } => Part::Append(*room, records),
            Self::Save { room, slot, value, .. } => Part::Save(*room, *slot, value.as_deref()),
            Self::Chunk { room, id, bytes, .. } => Part::Chunk(*room, id, bytes.as_deref()),
            Self::Forget { room, .. } => Part::Forget(*room),
            Self::Bind { folder, room, .. } => Part::Bind(folder, *room),
            Self::Reopen { .. } | Self::Stop => return None,
        })
    }

    /// About how many bytes it puts on the disk.
    pub(super) fn size(&self) -> usize {
        const KEYS: usize = 512;
        match self {
            Self::Append { records, .. } => {
                records.iter().map(|record| KEYS + record.signed.len() + 40 * record.clock.len()).sum()
            }
            Self::Chunk { bytes, .. } => KEYS + bytes.as_ref().map_or(0, Vec::len),
            Self::Save { value, .. } => KEYS + value.as_ref().map_or(0, Vec::len),
            Self::Forget { .. } | Self::Bind { .. } | Self::Reopen { .. } | Self::Stop => KEYS,
        }
    }
}
