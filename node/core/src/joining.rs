//! A wish to join a room: kept until it is granted, refused or given up.

mod by_letter;

use pairwave_wire::cbor;
use serde::{Deserialize, Serialize};

pub(crate) use self::by_letter::ByLetter;

use crate::invite::Invite;
use crate::key::KnockKey;
use crate::knock_letter::Draft;
use crate::mailbox::Own;
use crate::time::Timestamp;

/// Somebody here wants to be in a room that this companion has only an invite to.
#[derive(Debug, Clone)]
pub struct Joining {
    pub invite: Invite,
    /// How the newcomer wants to be called.
    pub name: String,
    pub since: Timestamp,
    /// When a knock letter was last left at a relay, if one was.
    pub left_at: Option<Timestamp>,
    /// Absent until it is derived.
    pub(crate) key: Option<KnockKey>,
    /// Somebody let us in; the log has still to arrive.
    pub(crate) admitted: bool,
    /// Our knock letter, once there is one.
    pub(crate) draft: Option<Draft>,
    /// The ratchets that letters to us go through, until there is a seat to keep them.
    pub(crate) own: Option<Own>,
    pub(crate) by_letter: ByLetter,
}

/// How a wish is kept. The invite in its text form, which has a checksum and a version.
#[derive(Serialize, Deserialize)]
struct Saved {
    invite: String,
    name: String,
    since: Timestamp,
    admitted: bool,
    #[serde(default)]
    left_at: Option<Timestamp>,
    #[serde(default)]
    draft: Option<Draft>,
}

impl Joining {
    pub fn new(invite: Invite, name: String, since: Timestamp) -> Self {
        Self {
            invite,
            name,
            since,
            left_at: None,
            key: None,
            admitted: false,
            draft: None,
            own: None,
            by_letter: ByLetter::default(),
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let Saved { invite, name, since, admitted, left_at, draft } = cbor::decode(bytes, usize::MAX).ok()?;
        let invite = invite.parse().ok()?;
        Some(Self { admitted, left_at, draft, ..Self::new(invite, name, since) })
    }

    pub fn encode(&self) -> Vec<u8> {
        let saved = Saved {
            invite: self.invite.to_string(),
            name: self.name.clone(),
            since: self.since,
            admitted: self.admitted,
            left_at: self.left_at,
            draft: self.draft.clone(),
        };
        cbor::encode(&saved).expect("texts and integers always encode")
    }
}
