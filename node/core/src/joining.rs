//! A wish to join a room: kept until it is granted, refused or given up.

use pairwave_wire::cbor;
use serde::{Deserialize, Serialize};

use crate::invite::Invite;
use crate::key::KnockKey;
use crate::time::Timestamp;

/// Somebody here wants to be in a room that this companion has only an invite to.
#[derive(Debug, Clone)]
pub struct Joining {
    pub invite: Invite,
    /// How the newcomer wants to be called.
    pub name: String,
    pub since: Timestamp,
    /// Absent until it is derived.
    pub(crate) key: Option<KnockKey>,
    /// Somebody let us in; the log has still to arrive.
    pub(crate) admitted: bool,
}

/// How a wish is kept. The invite in its text form, which has a checksum and a version.
#[derive(Serialize, Deserialize)]
struct Saved {
    invite: String,
    name: String,
    since: Timestamp,
    admitted: bool,
}

impl Joining {
    pub fn new(invite: Invite, name: String, since: Timestamp) -> Self {
        Self { invite, name, since, key: None, admitted: false }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let saved: Saved = cbor::decode(bytes, usize::MAX).ok()?;
        let invite = saved.invite.parse().ok()?;
        Some(Self { admitted: saved.admitted, ..Self::new(invite, saved.name, saved.since) })
    }

    pub fn encode(&self) -> Vec<u8> {
        let invite = self.invite.to_string();
        let saved = Saved { invite, name: self.name.clone(), since: self.since, admitted: self.admitted };
        cbor::encode(&saved).expect("texts and integers always encode")
    }
}
