//! What the faces of a companion may ask of the core, and what it answers.

use std::time::Duration;

use pairwave_wire::TransportId;

use crate::answer::Answer;
use crate::artifacts::Draft;
use crate::consenting::Act;
use crate::event::Origin;
use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::invite::Invite;
use crate::message::LiveMode;
use crate::pathspec::Malformed;
use crate::relays::RelayError;
use crate::sas::Words;
use crate::talk::Message;

/// Names a command until its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Who speaks: set from the door that a command came through, never from what it says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Speaker {
    pub session: SessionId,
    pub origin: Origin,
}

/// A wish of this companion's own people and agents. Each gets exactly one reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens a room of one.
    Create {
        by: Speaker,
        title: String,
        name: String,
    },
    /// Starts to knock. The reply says only that the wish is durable; [`Notice::Joined`] or
    /// [`Notice::JoinRefused`] follows.
    ///
    /// [`Notice::Joined`]: crate::notice::Notice::Joined
    /// [`Notice::JoinRefused`]: crate::notice::Notice::JoinRefused
    Join {
        invite: Invite,
        name: String,
    },
    /// Dials, for a while, a joiner who sent an answer line.
    Answer {
        answer: Answer,
    },
    /// Gives up knocking.
    CancelJoin {
        room: RoomId,
    },
    Invite {
        room: RoomId,
        by: Speaker,
        expires_in: Duration,
        uses: u32,
    },
    CloseInvite {
        room: RoomId,
        by: Speaker,
        invite: EventId,
    },
    Remove {
        room: RoomId,
        by: Speaker,
        member: MemberId,
        reason: Option<String>,
    },
    Leave {
        room: RoomId,
        by: Speaker,
    },
    /// Renames the member, or one of its sessions.
    Name {
        room: RoomId,
        by: Speaker,
        session: Option<SessionId>,
        name: String,
    },
    /// Names a relay that the room is to use, in its text form.
    AddRelay {
        room: RoomId,
        by: Speaker,
        relay: String,
    },
    RemoveRelay {
        room: RoomId,
        by: Speaker,
        relay: String,
    },
    Send {
        room: RoomId,
        by: Speaker,
        message: Message,
    },
    /// A wish about charter, floor, requests, the brain or git.
    Act {
        room: RoomId,
        by: Speaker,
        act: Act,
    },
    /// Shares code or a patch: the content as a blob, and an event that names it.
    Share {
        room: RoomId,
        by: Speaker,
        draft: Draft,
        content: Vec<u8>,
    },
    /// Deletes what was shared from this machine, and fetches it no more. Others keep theirs.
    RemoveArtifact {
        room: RoomId,
        by: Speaker,
        artifact: EventId,
    },
    /// Shows this side's three words; starts an exchange if there is none.
    Verify {
        room: RoomId,
        by: Speaker,
        member: MemberId,
    },
    /// Enters the three words that the human heard.
    Heard {
        room: RoomId,
        by: Speaker,
        member: MemberId,
        words: String,
    },
    /// A session is live here: others see it, and what nobody was shown waits for it.
    SessionStarted {
        room: RoomId,
        session: SessionId,
        origin: Origin,
    },
    SessionEnded {
        room: RoomId,
        session: SessionId,
    },
    /// A session that is live here promises to wait for what others say, or does so no more: others see it.
    LiveMode {
        room: RoomId,
        session: SessionId,
        mode: Option<LiveMode>,
    },
    /// Everything up to this arrival was given to the session.
    Shown {
        room: RoomId,
        by: Speaker,
        through: u64,
    },
}

impl Command {
    /// Must the state hold everything that was taken before this is carried out? Who is there and
    /// what was shown goes by arrival.
    pub(crate) fn hangs_on_the_state(&self) -> bool {
        !matches!(
            self,
            Self::SessionStarted { .. } | Self::SessionEnded { .. } | Self::LiveMode { .. } | Self::Shown { .. }
        )
    }

    /// The room that it is about; none for one that is still to be made or found.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Self::Create { .. } | Self::Answer { .. } => None,
            Self::Join { invite, .. } => Some(invite.room),
            Self::CancelJoin { room }
            | Self::Invite { room, .. }
            | Self::CloseInvite { room, .. }
            | Self::Remove { room, .. }
            | Self::Leave { room, .. }
            | Self::Name { room, .. }
            | Self::AddRelay { room, .. }
            | Self::RemoveRelay { room, .. }
            | Self::Send { room, .. }
            | Self::Act { room, .. }
            | Self::Share { room, .. }
            | Self::RemoveArtifact { room, .. }
            | Self::Verify { room, .. }
            | Self::Heard { room, .. }
            | Self::SessionStarted { room, .. }
            | Self::SessionEnded { room, .. }
            | Self::LiveMode { room, .. }
            | Self::Shown { room, .. } => Some(*room),
        }
    }
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Created {
        room: RoomId,
    },
    /// The wish to join is kept; knocking goes on across restarts.
    Joining {
        room: RoomId,
    },
    /// The joiner is dialled, and may be a member of this room soon.
    Answering {
        room: RoomId,
        transport: TransportId,
    },
    Invited {
        id: EventId,
        invite: Invite,
    },
    /// An event was signed and is durable. `repeated`: the same key had said it before.
    Said {
        event: EventId,
        repeated: bool,
    },
    /// Words to read out. `None` while the other side's commitment is under way: ask again, or wait
    /// for [`Notice::Verification`](crate::notice::Notice::Verification).
    Words {
        say: Option<Words>,
        verified: bool,
    },
    Done,
}

/// A command that a rule of the room, or the state of this companion, forbids. Nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such room here")]
    NoSuchRoom,
    #[error("this room is already here")]
    AlreadyHere,
    #[error("no such member")]
    NoSuchMember,
    #[error("no such event in this room")]
    NoSuchEvent,
    #[error("no such open invite")]
    NoSuchInvite,
    #[error("you are no longer a member of this room")]
    NotAMember,
    #[error("the room has {max} members, the most there can be")]
    RoomFull { max: usize },
    #[error("only those above a member in the admission tree may remove it")]
    NotAbove,
    #[error("the founder of a room cannot be removed")]
    Founder,
    #[error("`{kind}` needs `{field}`")]
    FieldMissing { kind: &'static str, field: &'static str },
    #[error("`{field}` is not a {expected}")]
    FieldShape { field: String, expected: &'static str },
    #[error("`{field}` has {got} bytes, at most {max} are allowed")]
    TooLong { field: &'static str, got: usize, max: usize },
    #[error("`{field}` has {got} entries, at most {max} are allowed")]
    TooMany { field: &'static str, got: usize, max: usize },
    #[error("`{field}` is empty")]
    Empty { field: &'static str },
    #[error("the event has {got} bytes, at most {max} are allowed")]
    EventTooLong { got: usize, max: usize },
    #[error("`answers` names no question of this room")]
    NotAQuestion,
    #[error("`supersedes` names no entry of the brain")]
    NotAnEntry,
    #[error("this entry was superseded already")]
    Superseded { by: EventId },
    #[error("this name is taken by {by}")]
    NameTaken { by: String },
    #[error("the invite has expired")]
    InviteExpired,
    #[error("the invite was revoked")]
    InviteRevoked,
    #[error("the invite has been used up")]
    InviteUsedUp,
    #[error("this answers no invite of a room here")]
    UnknownInvite,
    #[error("this is an answer of this very companion")]
    OwnAnswer,
    #[error(transparent)]
    NotARelay(RelayError),
    #[error("the room has this relay already")]
    RelayThere,
    #[error("the room has no such relay")]
    NoSuchRelay,
    #[error("the members of this room have not verified each other")]
    Unverified,
    #[error("the members of this room have not agreed on a charter")]
    NoCharter,
    #[error("no such charter is in question")]
    NoSuchCharter,
    #[error("somebody else has the floor, or nobody has")]
    NoFloor { holder: Option<MemberId> },
    #[error("you do not have the floor")]
    NotHolding,
    #[error("this claim does not wait for the floor")]
    NoSuchClaim,
    #[error("your claim waits for the floor already")]
    ClaimWaits,
    #[error("agents have spoken {max} times without a human between, as often as they may")]
    HopsSpent { max: u32 },
    #[error("no such request")]
    NoSuchRequest,
    #[error("this request was made to somebody else")]
    NotForYou,
    #[error("nobody asks itself for something where there are others")]
    OwnRequest,
    #[error("the request is not what was shown")]
    OtherPayload,
    #[error("this request was {state} already")]
    Settled { state: &'static str },
    #[error("this request has not been approved")]
    NotApproved,
    #[error("this request was handed to an agent already, and that happens once")]
    HandedBefore,
    #[error("this request was not handed to an agent")]
    NotHanded,
    #[error("the result of this request was told already")]
    CompletedBefore,
    #[error("this was denied before, word by word")]
    DeniedBefore,
    #[error("high risk is never approved for always")]
    NeverAlways,
    #[error("`{field}` is {got}, at most {max} is allowed")]
    TooHigh { field: &'static str, got: u32, max: u32 },
    #[error("a path in `paths` cannot be claimed: {why}")]
    NotAPath { why: Malformed },
    #[error("another session works on `{path}`, or a part of it")]
    PathTaken { path: String, claim: EventId },
    #[error("not all of these paths are claimed by you")]
    NotClaimed,
    #[error("this commit was announced already")]
    CommitThere { event: EventId },
    #[error("nothing was shared under this id, or it is gone from here")]
    NoSuchArtifact,
    #[error("what was shared in this room would take up more than {max} bytes here")]
    BlobsFull { max: u64 },
    #[error("only a human can do this")]
    HumansOnly,
    #[error("the text contains your own three words, which only your voice may carry")]
    OwnWords,
    #[error("this member is not connected")]
    PeerAway,
    #[error("no exchange of words is under way with this member")]
    NoExchange,
    #[error("these are not the three words that were expected; the exchange is over")]
    WrongWords,
    #[error("{why}")]
    UnusableWords { why: String },
    #[error("too many exchanges of words; the next is possible in {wait:?}")]
    LockedOut { wait: Duration },
    #[error("this member is verified already")]
    AlreadyVerified,
    #[error(
        "this home was restored from an older copy: {missing} of your own later events are with your peers and come back first"
    )]
    Recovering { missing: u64 },
    #[error("the store cannot be written: {why}")]
    StoreFailed { why: String },
}
