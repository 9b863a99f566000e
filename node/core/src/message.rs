//! What crosses an established link, inside its encryption. Events are the room's own; everything
//! else is a signal: never in the log, and no rule of the fold depends on it.

use pairwave_wire::{TransportId, cbor, limits};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::event::Origin;
use crate::id::{EventId, MemberId, SessionId};
use crate::key::EpochKey;
use crate::ranges::Ranges;
use crate::sas::SasMessage;
use crate::time::Timestamp;

/// Most ids in a [`LinkMessage::Want`].
const WANTS: usize = 256;
/// Most chunks in a [`LinkMessage::WantChunks`].
pub const CHUNKS: usize = 16;
/// Most epochs that one side tells of.
const EPOCHS: usize = 256;
/// Most tips in a [`LinkMessage::Have`]: every author a room ever had, and some forks.
const TIPS: usize = 1024;
/// Most events in one message.
pub const BATCH: usize = 512;

/// One message of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkMessage {
    /// The newest events that are durable here, by author. The first one names all authors, later
    /// ones those that changed.
    Have(Vec<Tip>),
    /// The sender's clock and the epochs whose keys it holds. Follows the first `Have`.
    Epochs { clock: Timestamp, known: Vec<EventId> },
    /// Keys of epochs that the other side did not name.
    Keys(Vec<(EventId, EpochKey)>),
    /// Signed events, parents first.
    Events(Vec<ByteBuf>),
    /// Events that are missing here, mostly parents of what came.
    Want(Vec<EventId>),
    /// Chunks of the blob that this event names, by their place in its list, which are missing here.
    WantChunks { of: EventId, chunks: Vec<u32> },
    /// A chunk that was asked for; `None` where it is not here, or not for the receiver.
    Chunk { of: EventId, chunk: u32, bytes: Option<ByteBuf> },
    /// Which of the receiver's own events were given to an agent or a human here, by seq.
    Shown(Ranges),
    /// The sessions that are live at the sender.
    Sessions(Vec<LiveSession>),
    /// How other members may be reached.
    Peers(Vec<PeerHint>),
    /// Comparing words.
    Sas(SasMessage),
    /// Nothing to say, but here.
    Ping,
    /// Answers a `Ping`.
    Pong,
}

/// One author's newest event. Two of one author are the tips of a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tip {
    pub author: MemberId,
    pub seq: u64,
    pub id: EventId,
}

/// A session that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LiveSession {
    pub session: SessionId,
    pub origin: Origin,
    /// It waits for what others say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveMode>,
}

/// The promise of an agent to wait for what others say, by its companion's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LiveMode {
    /// When it ends at the latest.
    pub until: Timestamp,
    /// How often others woke it so far.
    pub wakes: u32,
}

/// How a member may be reached, by the word of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerHint {
    pub member: MemberId,
    pub transport: TransportId,
    pub addresses: Vec<String>,
}

/// Bytes that are no link message, or one over its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Decode(#[from] cbor::DecodeError),
    #[error("{got} entries where at most {max} are allowed")]
    TooMany { got: usize, max: usize },
    #[error("a chunk of {got} bytes where at most {max} are allowed")]
    ChunkTooLong { got: usize, max: usize },
    #[error("an address of {got} bytes where at most {max} are allowed")]
    AddressTooLong { got: usize, max: usize },
}

impl LinkMessage {
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("a link message has neither floats nor foreign types")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let message: Self = cbor::decode(bytes, limits::MESSAGE)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), MessageError> {
        match self {
            Self::Have(tips) => bound(tips.len(), TIPS),
            Self::Epochs { known, .. } => bound(known.len(), EPOCHS),
            Self::Keys(keys) => bound(keys.len(), EPOCHS),
            Self::Events(events) => bound(events.len(), BATCH),
            Self::Want(ids) => bound(ids.len(), WANTS),
            Self::WantChunks { chunks, .. } => bound(chunks.len(), CHUNKS),
            Self::Chunk { bytes, .. } => bound_chunk(bytes.as_ref().map_or(0, |bytes| bytes.len())),
            Self::Sessions(sessions) => bound(sessions.len(), limits::LIST),
            Self::Peers(hints) => check_hints(hints),
            Self::Shown(_) | Self::Sas(_) | Self::Ping | Self::Pong => Ok(()),
        }
    }
}

fn check_hints(hints: &[PeerHint]) -> Result<(), MessageError> {
    bound(hints.len(), 2 * limits::MEMBERS)?;
    for hint in hints {
        bound(hint.addresses.len(), limits::ADDRESSES)?;
        if let Some(long) = hint.addresses.iter().find(|address| address.len() > limits::ADDRESS) {
            return Err(MessageError::AddressTooLong { got: long.len(), max: limits::ADDRESS });
        }
    }
    Ok(())
}

fn bound(got: usize, max: usize) -> Result<(), MessageError> {
    if got > max { Err(MessageError::TooMany { got, max }) } else { Ok(()) }
}

fn bound_chunk(got: usize) -> Result<(), MessageError> {
    let max = limits::CHUNK;
    if got > max { Err(MessageError::ChunkTooLong { got, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_trip() {
        let tip = Tip { author: MemberId([1; 32]), seq: 7, id: EventId([2; 32]) };
        let messages = [
            LinkMessage::Have(vec![tip]),
            LinkMessage::Events(vec![ByteBuf::from(vec![1, 2, 3])]),
            LinkMessage::Keys(vec![(EventId([3; 32]), EpochKey::new([4; 32]))]),
            LinkMessage::WantChunks { of: EventId([5; 32]), chunks: vec![0, 7] },
            LinkMessage::Chunk { of: EventId([5; 32]), chunk: 7, bytes: Some(ByteBuf::from(vec![1])) },
            LinkMessage::Chunk { of: EventId([5; 32]), chunk: 0, bytes: None },
            LinkMessage::Ping,
        ];
        for message in messages {
            assert_eq!(LinkMessage::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn a_list_over_its_bound_is_refused() {
        let message = LinkMessage::Want(vec![EventId([0; 32]); WANTS + 1]);
        let refused = MessageError::TooMany { got: WANTS + 1, max: WANTS };
        assert_eq!(LinkMessage::decode(&message.encode()), Err(refused));
    }

    #[test]
    fn a_chunk_and_what_is_around_it_fit_one_frame() {
        let bytes = Some(ByteBuf::from(vec![7; limits::CHUNK]));
        let message = LinkMessage::Chunk { of: EventId([5; 32]), chunk: u32::MAX, bytes };
        assert!(message.encode().len() <= limits::FRAME - 17);
        let bytes = Some(ByteBuf::from(vec![7; limits::CHUNK + 1]));
        let long = LinkMessage::Chunk { of: EventId([5; 32]), chunk: 0, bytes };
        let refused = MessageError::ChunkTooLong { got: limits::CHUNK + 1, max: limits::CHUNK };
        assert_eq!(LinkMessage::decode(&long.encode()), Err(refused));
    }
}
