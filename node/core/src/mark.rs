//! Why an event that is in the log has no effect.

use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::members::Void;

/// The rule that an event broke. It stays where it is; only its effect is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Mark {
    #[error("its author was no member, or its branch was cut off by a removal")]
    NotAMember,
    #[error("{0}")]
    Membership(Void),
    #[error("this version does not know this kind of event")]
    Foreign,
    #[error("a field that its kind requires is missing")]
    FieldMissing,
    #[error("a field is not of the form that its kind requires")]
    FieldShape,
    #[error("a field is empty")]
    Empty,
    #[error("a field is too long")]
    TooLong,
    #[error("a list is too long")]
    TooMany,
    #[error("it answers no question that its author can have seen")]
    NotAQuestion,
    #[error("it supersedes no entry that its author can have seen")]
    NotAnEntry,
    #[error("somebody else bears this name")]
    NameTaken,
    #[error("the name has characters that cannot be seen")]
    NotAName,
    #[error("it verifies somebody who is no member")]
    NoSuchMember,
    #[error("it does not name a relay")]
    NotARelay,
    #[error("the room has this relay already")]
    RelayThere,
    #[error("the room has no such relay")]
    NoSuchRelay,
    #[error("the members had not verified each other")]
    Unverified,
    #[error("the members had not agreed on a charter")]
    NoCharter,
    #[error("it names no charter that was in question")]
    NoSuchCharter,
    #[error("its author did not have the floor")]
    NoFloor,
    #[error("the floor was not as it says")]
    OtherFloor,
    #[error("the agents had spoken as often as they may without a human between")]
    HopsSpent,
    #[error("only a human may do this")]
    HumansOnly,
    #[error("it names no request that its author can have seen")]
    NoSuchRequest,
    #[error("the request was made to somebody else")]
    NotForYou,
    #[error("it approves something else than what was asked")]
    OtherPayload,
    #[error("the request was settled already")]
    Settled,
    #[error("the request was not at that point")]
    OutOfTurn,
    #[error("this was denied before, word by word")]
    DeniedBefore,
    #[error("a number is higher than allowed")]
    TooHigh,
    #[error("it names no path of a repository")]
    NotAPath,
    #[error("somebody else had claimed such paths before")]
    PathTaken,
    #[error("nothing was claimed as it says")]
    NotClaimed,
    #[error("this commit had been announced before")]
    CommitThere,
    #[error("it broke a rule, as many of its author's did since: which one is kept of the newest")]
    OneOfMany,
}

impl From<Refusal> for Mark {
    /// What the sender's companion would have refused.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::FieldMissing { .. } => Self::FieldMissing,
            Refusal::Empty { .. } => Self::Empty,
            Refusal::TooLong { .. } | Refusal::EventTooLong { .. } => Self::TooLong,
            Refusal::TooMany { .. } => Self::TooMany,
            Refusal::NotAQuestion => Self::NotAQuestion,
            Refusal::NotAnEntry => Self::NotAnEntry,
            Refusal::NotARelay(_) => Self::NotARelay,
            Refusal::RelayThere => Self::RelayThere,
            Refusal::NoSuchRelay => Self::NoSuchRelay,
            Refusal::NoSuchMember => Self::NoSuchMember,
            Refusal::Unverified => Self::Unverified,
            Refusal::NoCharter => Self::NoCharter,
            Refusal::NoSuchCharter => Self::NoSuchCharter,
            Refusal::NoFloor { .. } => Self::NoFloor,
            Refusal::NotHolding | Refusal::NoSuchClaim | Refusal::ClaimWaits => Self::OtherFloor,
            Refusal::HopsSpent { .. } => Self::HopsSpent,
            Refusal::HumansOnly | Refusal::NeverAlways => Self::HumansOnly,
            Refusal::NoSuchRequest => Self::NoSuchRequest,
            Refusal::NotForYou | Refusal::OwnRequest => Self::NotForYou,
            Refusal::OtherPayload => Self::OtherPayload,
            Refusal::Settled { .. } => Self::Settled,
            Refusal::NotApproved | Refusal::HandedBefore | Refusal::NotHanded | Refusal::CompletedBefore => {
                Self::OutOfTurn
            }
            Refusal::DeniedBefore => Self::DeniedBefore,
            Refusal::TooHigh { .. } => Self::TooHigh,
            Refusal::NotAPath { .. } => Self::NotAPath,
            Refusal::PathTaken { .. } => Self::PathTaken,
            Refusal::NotClaimed => Self::NotClaimed,
            Refusal::CommitThere { .. } => Self::CommitThere,
            _ => Self::FieldShape,
        }
    }
}
