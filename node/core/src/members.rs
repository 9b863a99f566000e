//! Who is in the room: genesis, invites, admissions, removals, epochs. What these events come to
//! is decided in the first pass of the fold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pairwave_wire::hello::InviteLabel;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId};
use crate::key::KnockKey;
use crate::log::Position;
use crate::time::Timestamp;

/// First event of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 32],
    pub title: String,
    /// The founder's name.
    pub name: String,
    /// Which bodies have effect.
    pub rules: u32,
}

/// An invite was made. Its knock key stands here so that any member may admit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invited {
    pub label: InviteLabel,
    pub key: KnockKey,
    /// Judged once, by the admitting companion's clock.
    pub expires_at: Timestamp,
    pub uses: u32,
}

/// An invite was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteClosed {
    pub invite: EventId,
}

/// A newcomer was let in through an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    pub member: MemberId,
    pub invite: EventId,
    pub name: String,
}

/// A member was removed by one above it in the admission tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    pub member: MemberId,
    /// That member's newest event among this event's ancestors; what is not on its chain has no
    /// effect. `None` if there is none.
    pub last: Option<EventId>,
    pub reason: Option<String>,
}

/// The author leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {}

/// The room key is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotated {}

/// Who is, and was, in the room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub(crate) founder: Option<MemberId>,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) invites: BTreeMap<EventId, Invite>,
    /// Events that start an epoch, in the room's order.
    pub(crate) epochs: Vec<Position>,
    /// Membership events without effect, and why.
    pub(crate) void: BTreeMap<EventId, Void>,
    /// Who is to renew the room key, if somebody left since it was last renewed.
    pub(crate) rotation_due: bool,
}

/// One who is or was in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who admitted it; nobody admitted the founder.
    pub admitted_by: Option<MemberId>,
    /// The admission; the genesis of the founder.
    pub admission: EventId,
    /// Where the admission stands in the order.
    pub position: Position,
    /// The invite that it came through.
    pub invite: Option<EventId>,
    /// One of more admissions than its invite allowed, made without knowing of each other.
    pub surplus: bool,
    /// How it ended.
    pub gone: Option<Gone>,
}

/// How a membership ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gone {
    Left {
        /// The seq of the event that said so: later ones have no effect.
        seq: u64,
    },
    Removed {
        by: MemberId,
        event: EventId,
        /// Events with a higher seq have no effect.
        through: u64,
        /// Events up to there that are on another branch than the last one, and have none either.
        off: Arc<BTreeSet<EventId>>,
    },
}

/// An invite that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    pub id: EventId,
    pub by: MemberId,
    pub label: InviteLabel,
    pub key: KnockKey,
    pub expires_at: Timestamp,
    pub uses: u32,
    /// How many came in through it.
    pub used: u32,
    /// The event that closed it: a revocation or a removal.
    pub closed: Option<EventId>,
}

/// Why a membership event has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Void {
    #[error("its author was no member")]
    NotAMember,
    #[error("the invite is not known, or was not when it was used")]
    NoSuchInvite,
    #[error("the invite was closed")]
    InviteClosed,
    #[error("the invite was used up")]
    InviteUsedUp,
    #[error("who was a member before does not come back under the same key")]
    WasAMember,
    #[error("only those above a member may remove it")]
    NotAbove,
    #[error("it names another event as the last than the removed member's newest among its ancestors")]
    WrongLast,
    #[error("the room has one genesis")]
    SecondGenesis,
    #[error("the room had as many members as it may")]
    RoomFull,
    #[error("its name or its reason is too long")]
    TooLong,
}

impl Members {
    /// The author of the genesis, above everybody.
    pub fn founder(&self) -> Option<MemberId> {
        self.founder
    }

    /// Is this a member now?
    pub fn standing(&self, member: &MemberId) -> bool {
        self.members.get(member).is_some_and(|member| member.gone.is_none())
    }

    pub fn has_left(&self, member: &MemberId) -> bool {
        self.members.get(member).is_some_and(|member| matches!(member.gone, Some(Gone::Left { .. })))
    }

    pub fn get(&self, member: &MemberId) -> Option<&Member> {
        self.members.get(member)
    }

    /// Members and former members, as they were admitted.
    pub fn all(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        let mut all: Vec<_> = self.members.iter().collect();
        all.sort_by_key(|(_, member)| member.position);
        all.into_iter()
    }

    /// Members, as they were admitted.
    pub fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.all().filter(|(_, member)| member.gone.is_none())
    }

    pub fn count(&self) -> usize {
        self.members.values().filter(|member| member.gone.is_none()).count()
    }

    /// Is `upper` above `lower` in the admission tree?
    pub fn above(&self, upper: &MemberId, lower: &MemberId) -> bool {
        let mut at = self.members.get(lower).and_then(|member| member.admitted_by);
        while let Some(member) = at {
            if member == *upper {
                return true;
            }
            at = self.members.get(&member).and_then(|member| member.admitted_by);
        }
        false
    }

    /// How many are above `member`.
    pub(crate) fn tree_depth(&self, member: &MemberId) -> usize {
        let mut depth = 0;
        let mut at = self.members.get(member).and_then(|member| member.admitted_by);
        while let Some(member) = at {
            depth += 1;
            at = self.members.get(&member).and_then(|member| member.admitted_by);
        }
        depth
    }

    /// The events that start an epoch, newest in the order first.
    pub fn epochs(&self) -> impl Iterator<Item = EventId> + '_ {
        self.epochs.iter().rev().map(|position| position.id)
    }

    pub fn invite(&self, id: &EventId) -> Option<&Invite> {
        self.invites.get(id)
    }

    pub fn invite_by_label(&self, label: &InviteLabel) -> Option<&Invite> {
        self.invites.values().find(|invite| invite.label == *label)
    }

    pub fn invites(&self) -> impl Iterator<Item = &Invite> {
        self.invites.values()
    }

    /// Who is to renew the room key because somebody left: the member that is here longest.
    pub fn rotation_due(&self) -> Option<MemberId> {
        self.iter().next().map(|(member, _)| *member).filter(|_| self.rotation_due)
    }

    /// Has what `author` said in this event effect, as far as its membership goes?
    pub fn may_speak(&self, author: &MemberId, seq: u64, id: &EventId) -> bool {
        let Some(member) = self.members.get(author) else { return false };
        match &member.gone {
            None => true,
            Some(Gone::Left { seq: left }) => seq <= *left,
            Some(Gone::Removed { through, off, .. }) => seq <= *through && !off.contains(id),
        }
    }
}
