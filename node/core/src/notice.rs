//! What the core tells its companion, beside replies.

use crate::id::{EventId, MemberId, RoomId};

/// Something that a face may want to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An event, own or foreign, is durable here.
    Arrived {
        room: RoomId,
        event: EventId,
        arrival: u64,
    },
    /// A late event changed what the room holds of an earlier one.
    Undone {
        room: RoomId,
        event: EventId,
    },
    /// An artifact came to be here or to wait, or some more of it has arrived.
    Artifact {
        room: RoomId,
        artifact: EventId,
    },
    /// How far what we said has got at a member changed.
    Delivery {
        room: RoomId,
        member: MemberId,
    },
    /// A member's link came up or went down, or its sessions, our own too, changed.
    Presence {
        room: RoomId,
        member: MemberId,
    },
    /// The wish to join was granted and the log has arrived.
    Joined {
        room: RoomId,
    },
    JoinRefused {
        room: RoomId,
        reason: JoinRefusal,
    },
    /// An exchange of words made progress or ended.
    Verification {
        room: RoomId,
        member: MemberId,
        step: VerificationStep,
    },
    /// Two events of one author with one seq: proof that somebody holds a copy of that key.
    Equivocation {
        room: RoomId,
        member: MemberId,
    },
    /// Somebody opened a link as a member but could not prove to be it, or is none any more.
    Intruder {
        room: RoomId,
        claimed: Option<MemberId>,
    },
    /// We were removed, or left.
    Out {
        room: RoomId,
    },
    /// The room was closed and is read again from its log, because an append failed.
    Reopening {
        room: RoomId,
        why: String,
    },
    /// The room is here again. What became durable meanwhile is not told apart.
    Reopened {
        room: RoomId,
    },
}

/// Why a knock was turned down for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefusal {
    #[error("the invite has expired")]
    Expired,
    #[error("the invite has been used up")]
    UsedUp,
    #[error("the invite was revoked")]
    Revoked,
    #[error("the room is full")]
    Full,
    #[error("you left this room, and leaving is for good")]
    Left,
    #[error("you were removed from this room, and a removal is for good")]
    Removed,
    #[error("what came is not the room that the invite names")]
    WrongRoom,
    #[error("the other side speaks version {theirs} of the protocol, we speak {ours}")]
    Version { ours: u16, theirs: u16 },
}

/// Where an exchange of words stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationStep {
    /// The other side wants to compare words.
    Asked,
    /// The words can be read out.
    WordsReady,
    /// We have verified the member.
    Verified,
    /// The member has verified us.
    VerifiedByPeer,
    /// Ended without result: wrong words, too old, or somebody sent the words over the channel.
    Failed,
}
