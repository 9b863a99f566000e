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
/// Most epochs in one message.
const EPOCHS: usize = 256;
/// Most tips in a [`LinkMessage::Have`].
const TIPS: usize = 1024;
/// Most hints in a [`LinkMessage::Peers`].
pub const HINTS: usize = 2 * limits::MEMBERS;
/// Most events in one message.
pub const BATCH: usize = 512;

/// One message of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkMessage {
    /// The newest events that are durable here, by author. The first one names all authors, later
    /// ones those that changed. A full list goes on in the next one.
    Have(Vec<Tip>),
    /// The sender's clock and the epochs whose keys it holds. Follows the first `Have`. A full list
    /// goes on in the next one.
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

    /// As many messages as these tips need; the last one is not full.
    pub fn have(tips: &[Tip]) -> impl Iterator<Item = Self> {
        pieces(tips, TIPS).map(|tips| Self::Have(tips.to_vec()))
    }

    /// As many messages as these epochs need; the last one is not full.
    pub fn epochs(clock: Timestamp, known: &[EventId]) -> impl Iterator<Item = Self> {
        pieces(known, EPOCHS).map(move |known| Self::Epochs { clock, known: known.to_vec() })
    }

    /// As many messages as these keys need.
    pub fn keys(keys: &[(EventId, EpochKey)]) -> impl Iterator<Item = Self> {
        keys.chunks(EPOCHS).map(|keys| Self::Keys(keys.to_vec()))
    }

    /// Of the sessions, as many as are taken.
    pub fn sessions(live: impl Iterator<Item = LiveSession>) -> Self {
        Self::Sessions(live.take(limits::LIST).collect())
    }

    /// Of the hints and of the addresses in each, the first, as many as are taken.
    pub fn peers(hints: impl Iterator<Item = PeerHint>) -> Self {
        Self::Peers(hints.take(HINTS).map(PeerHint::within_bounds).collect())
    }

    /// Does the list go on in the next message of this kind?
    pub fn goes_on(&self) -> bool {
        match self {
            Self::Have(tips) => tips.len() >= TIPS,
            Self::Epochs { known, .. } => known.len() >= EPOCHS,
            _ => false,
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let message: Self = cbor::decode(bytes, limits::MESSAGE)?;
        message.check()?;
        Ok(message)
    }

    /// What is over its bounds is refused, and the link ends: nothing that others have said may lead to it.
    pub(crate) fn check(&self) -> Result<(), MessageError> {
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

impl PeerHint {
    fn within_bounds(mut self) -> Self {
        self.addresses.retain(|address| address.len() <= limits::ADDRESS);
        self.addresses.truncate(limits::ADDRESSES);
        self
    }
}

/// Pieces of at most so many, the last of which has fewer.
fn pieces<T>(list: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    (0..=list.len() / most).map(move |at| &list[at * most..list.len().min((at + 1) * most)])
}

fn check_hints(hints: &[PeerHint]) -> Result<(), MessageError> {
    bound(hints.len(), HINTS)?;
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
    fn whatever_is_to_be_told_is_taken() {
        let many = |most: usize| [0, 1, most - 1, most, most + 1, 2 * most, 3 * most + 7];
        for count in many(TIPS) {
            let tip = |seq| Tip { author: MemberId([1; 32]), seq, id: EventId([2; 32]) };
            told(LinkMessage::have(&(0..count as u64).map(tip).collect::<Vec<_>>()));
        }
        for count in many(EPOCHS) {
            told(LinkMessage::epochs(Timestamp(7), &vec![EventId([3; 32]); count]));
            let keys = vec![(EventId([3; 32]), EpochKey::new([4; 32])); count];
            assert!(LinkMessage::keys(&keys).all(|message| message.check().is_ok()));
            assert_eq!(LinkMessage::keys(&keys).count(), count.div_ceil(EPOCHS));
        }
    }

    fn told(messages: impl Iterator<Item = LinkMessage>) {
        let messages: Vec<_> = messages.collect();
        assert!(messages.iter().all(|message| message.check().is_ok()));
        let (last, before) = messages.split_last().unwrap();
        assert!(!last.goes_on() && before.iter().all(LinkMessage::goes_on));
    }

    #[test]
    fn of_too_many_hints_addresses_and_sessions_the_first_are_told() {
        let addresses = (0..40).map(|at| if at == 0 { "x".repeat(300) } else { format!("/ip4/10.0.0.{at}/tcp/1") });
        let transport = TransportId::new([7; 38]).unwrap();
        let hint = PeerHint { member: MemberId([1; 32]), transport, addresses: addresses.collect() };
        let message = LinkMessage::peers(std::iter::repeat_n(hint, 100));
        assert_eq!(message.check(), Ok(()));
        let LinkMessage::Peers(hints) = message else { panic!("hints") };
        assert_eq!((hints.len(), hints[0].addresses.len()), (HINTS, limits::ADDRESSES));
        let live = LiveSession { session: SessionId([1; 16]), origin: Origin::Agent, live: None };
        assert_eq!(LinkMessage::sessions(std::iter::repeat_n(live, 300)).check(), Ok(()));
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
