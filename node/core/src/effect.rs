//! Everything that a node wants done.

use pairwave_wire::TransportId;
use serde::{Deserialize, Serialize};

use crate::command::{Outcome, Refusal, Token};
use crate::id::RoomId;
use crate::input::{LinkId, Protocol};
use crate::key::InviteSecret;
use crate::log::Record;
use crate::notice::Notice;
use pairwave_wire::hello::InviteLabel;

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
    /// Deletes log and slots of a room.
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
