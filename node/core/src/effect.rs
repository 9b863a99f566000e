//! Everything that a node wants done.

use pairwave_wire::TransportId;
use pairwave_wire::hello::InviteLabel;
use pairwave_wire::lookup::LookupRequest;
use pairwave_wire::mailbox::MailboxRequest;
use serde::{Deserialize, Serialize};

use crate::command::{Outcome, Refusal, Token};
use crate::id::{ChunkId, MemberId, RoomId};
use crate::input::{LinkId, Protocol};
use crate::key::InviteSecret;
use crate::letter::Ratcheted;
use crate::letters::LetterKeys;
use crate::log::Record;
use crate::notice::Notice;

/// Names a derivation until its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeriveId(pub u64);

/// What is kept of a room beside its log, each one opaque value. All of it is as secret as the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// The folded state with the heads and the fold's version it belongs to. May be lost.
    State,
    /// Epoch keys.
    Keys,
    /// Which session was shown what.
    Reading,
    /// What each member is known to have.
    Delivery,
    /// Transport ids and addresses of members.
    Peers,
    /// A wish to join.
    Joining,
    /// The ratchets that letters go through, and what others know of them.
    Ratchets,
    /// Which artifacts are here, are being fetched or were removed.
    Artifacts,
}

/// One thing to do. Effects leave in order; a `Send` or `Reply` waits until every `Append` and
/// `Save` before it is durable. `Notice::Arrived` is emitted only for what is durable already.
#[derive(Debug)]
pub enum Effect {
    /// Makes records of one room durable; answered by `Input::Durable` or `Input::AppendFailed`
    /// with this number. Numbers count up from 1 over all rooms, `Save` included.
    Append {
        number: u64,
        room: RoomId,
        records: Vec<Record>,
    },
    /// Replaces a slot; `None` deletes it. Durable with the next append or soon after.
    Save {
        number: u64,
        room: RoomId,
        slot: Slot,
        value: Option<Vec<u8>>,
    },
    /// Keeps a chunk, or with `None` deletes it. Durable as an append is, and refused as one.
    Chunk {
        number: u64,
        room: RoomId,
        id: ChunkId,
        bytes: Option<Vec<u8>>,
    },
    /// Deletes log, chunks and slots of a room.
    Forget {
        number: u64,
        room: RoomId,
    },
    /// One frame to write. Answered by `Input::Sent` when the stream took it.
    Send {
        link: LinkId,
        frame: Vec<u8>,
    },
    /// Opens a stream to a connected companion; answered by `Opened` or `Closed`.
    Open {
        link: LinkId,
        peer: TransportId,
        protocol: Protocol,
    },
    /// Ends a stream after what was sent on it before.
    Hangup {
        link: LinkId,
    },
    /// Connects to a companion; answered by `Connected` or `Disconnected`. With no peer, to
    /// whoever answers at these addresses.
    Dial {
        peer: Option<TransportId>,
        addresses: Vec<String>,
    },
    /// Closes every connection to a companion that does not answer any more.
    Drop {
        peer: TransportId,
    },
    /// The relays to be at, in their text form; replaces what was told before.
    Relays {
        relays: Vec<String>,
    },
    /// Argon2id (64 MiB, t=3, p=1) of an invite's secret, off the threads that must answer.
    Derive {
        id: DeriveId,
        secret: InviteSecret,
        label: InviteLabel,
    },
    /// Makes the keys of the Double Ratchet for one room; answered by `Input::LetterKeysMade`.
    MakeLetterKeys {
        room: RoomId,
    },
    /// Puts the content of a letter through the ratchet to a member; answered by
    /// `Input::LetterSealed`. `ratchets` is what an earlier answer held; of one room, one thing
    /// at a time is asked. `afresh`: with a new session.
    SealLetter {
        room: RoomId,
        ratchets: Vec<u8>,
        to: MemberId,
        keys: LetterKeys,
        afresh: bool,
        content: Vec<u8>,
    },
    /// Takes a member's message out of the ratchet; answered by `Input::LetterOpened`.
    OpenLetter {
        room: RoomId,
        ratchets: Vec<u8>,
        from: MemberId,
        message: Ratcheted,
    },
    /// Asks a relay's mailbox; answered by `Input::Mailed`.
    Mail {
        id: u64,
        relay: TransportId,
        request: MailboxRequest,
    },
    /// Asks a relay's address lookup; answered by `Input::LookedUp`.
    LookUp {
        id: u64,
        relay: TransportId,
        request: LookupRequest,
    },
    /// The room cannot go on: it is to be read again from its log.
    Reopen {
        room: RoomId,
    },
    Reply {
        token: Token,
        result: Result<Outcome, Refusal>,
    },
    Notify(Notice),
}
