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
            Refusal::NotARelay(_) => Self::NotARelay,
            Refusal::RelayThere => Self::RelayThere,
            Refusal::NoSuchRelay => Self::NoSuchRelay,
            _ => Self::FieldShape,
        }
    }
}
