//! Everything that can happen to a node.

use pairwave_wire::TransportId;
use pairwave_wire::lookup::LookupAnswer;
use pairwave_wire::mailbox::MailboxAnswer;

use crate::command::{Command, Token};
use crate::effect::{DeriveId, Slot};
use crate::id::RoomId;
use crate::key::KnockKey;
use crate::letter::Ratcheted;
use crate::letters::LetterKeys;

/// A stream between two companions, of one protocol. Ids are never reused within a run; the node
/// names the streams that it opens with even numbers, its driver those that it accepts with odd ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// The protocol of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// [`pairwave_wire::protocol::ROOM`]
    Room,
    /// [`pairwave_wire::protocol::KNOCK`]
    Knock,
}

/// A relay that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedRelay {
    pub transport: TransportId,
    /// The addresses under which rooms name it.
    pub named: Vec<String>,
}

/// One thing that happened. The driver feeds them in as they come.
#[derive(Debug, Clone)]
pub enum Input {
    Command {
        token: Token,
        command: Command,
    },
    /// What this companion may be reached at; goes into invites and to the members of its rooms.
    Listening {
        addresses: Vec<String>,
    },
    /// A companion was seen on the local network.
    Found {
        peer: TransportId,
        addresses: Vec<String>,
    },
    /// The network changed or the machine woke up: what was given up is tried again at once.
    NetworkChanged,
    /// There is a connection to this companion now.
    Connected {
        peer: TransportId,
        address: String,
    },
    /// The last connection to it ended, or a dial failed.
    Disconnected {
        peer: TransportId,
    },
    /// A companion opened a stream.
    Accepted {
        link: LinkId,
        peer: TransportId,
        protocol: Protocol,
    },
    /// The stream of an `Effect::Open` is up.
    Opened {
        link: LinkId,
    },
    /// The stream runs over a circuit with a stranger's small limits, which a blob would tear. Comes
    /// right after its `Opened` or `Accepted`.
    Small {
        link: LinkId,
    },
    /// A stream ended or could not be opened.
    Closed {
        link: LinkId,
    },
    /// One frame of a stream.
    Frame {
        link: LinkId,
        bytes: Vec<u8>,
    },
    /// The bytes of a `Effect::Send` have left for the network; more may follow.
    Sent {
        link: LinkId,
    },
    /// All effects up to this `Effect::Append`, `Save` included, will survive a crash.
    Durable {
        number: u64,
    },
    /// This append failed. The room is closed until it is restored.
    AppendFailed {
        room: RoomId,
        number: u64,
        why: String,
    },
    Derived {
        id: DeriveId,
        key: KnockKey,
    },
    /// A connection to this companion is better than the one that its links use.
    BetterPath {
        peer: TransportId,
    },
    /// The relays that can be asked now, nearest first.
    Relays {
        connected: Vec<ConnectedRelay>,
    },
    LetterKeysMade {
        room: RoomId,
        keys: LetterKeys,
        ratchets: Vec<u8>,
    },
    /// The ratchets as they are now, and the message; `None` if the member's keys are unusable.
    LetterSealed {
        room: RoomId,
        sealed: Option<(Vec<u8>, Ratcheted)>,
    },
    /// The ratchets as they are now, and the content; `None` if the message does not open.
    LetterOpened {
        room: RoomId,
        opened: Option<(Vec<u8>, Vec<u8>)>,
    },
    /// What a relay's mailbox answered; `None` if it could not be asked.
    Mailed {
        id: u64,
        answer: Option<MailboxAnswer>,
    },
    /// What a relay's address lookup answered; `None` if it could not be asked.
    LookedUp {
        id: u64,
        answer: Option<LookupAnswer>,
    },
    /// A room that was here before this start, or one to read again after a failed append.
    Restored {
        room: RoomId,
        saved: Vec<(Slot, Vec<u8>)>,
        own_seq: u64,
    },
    /// `poll_timeout` has come.
    Timeout,
    /// The companion is about to end: what spares work at the next start is saved now.
    Ending,
}
