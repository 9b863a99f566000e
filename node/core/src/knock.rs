//! Knocking: how a newcomer with an invite asks any companion of the room to be admitted.
//!
//! ```text
//! knocker                                   porter
//!   KnockHello { label, Noise message 1 } →           NNpsk0, keyed with the invite's knock key
//!                                         ←  Noise message 2
//!   Knock { member, name, signature }     →           encrypted from here on
//!                                         ←  Answer { member, signature, verdict }
//! ```
//!
//! A porter that does not know the label, or whose key does not fit, hangs up without a word. That
//! the knocker holds the key *now* is proved by its first encrypted message, so only after that is
//! anything said about the invite. Others may hold the same invite, so the porter proves who it is as
//! well: the newcomer believes whom the invite names, and others once the log says that they are
//! members. First frame and handshake keep their form in every version, so
//! that a porter can tell a newcomer of another version about it.

mod knocker;
mod porter;

use pairwave_wire::{TransportId, cbor, hello::HelloError, hello::InviteLabel, limits};
use serde::{Deserialize, Serialize};

pub use self::knocker::{Answer, Knocker};
pub use self::porter::{Heard, Knock, Porter};

use crate::id::{EventId, MemberId, RoomId};
use crate::key::{self, BadSignature, Domain, EpochKey};
use crate::noise::{self, Channel, HandshakeError, HandshakeHash, OpenError};

/// What an admitted newcomer is given. Everything else comes over a link under this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// The room; its id is the genesis' id, so that the log proves itself.
    pub room: RoomId,
    /// The event that starts the current epoch.
    pub epoch: EventId,
    /// That epoch's key.
    pub key: EpochKey,
    /// The event that admits the newcomer.
    pub admission: EventId,
}

/// Why a knock is turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Refused {
    /// Too late by the porter's clock.
    #[error("the invite has expired")]
    Expired,
    /// As many have joined as may.
    #[error("the invite has been used up")]
    UsedUp,
    /// Closed by a member, or by a removal.
    #[error("the invite was revoked")]
    Revoked,
    /// No more members fit in.
    #[error("the room is full")]
    Full,
    /// The newcomer left this room before; the key cannot come back.
    #[error("this member has left the room")]
    Left,
    /// The newcomer was removed from this room before; the key cannot come back.
    #[error("this member was removed from the room")]
    Removed,
    /// The porter speaks another version.
    #[error("the other side speaks version {theirs} of the protocol")]
    Version {
        /// The porter's version.
        theirs: u16,
    },
}

/// Why a knock came to nothing. Nothing that was received may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnockError {
    /// A first frame that is none.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// A handshake message that does not fit; a wrong secret above all.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// An encrypted frame that does not open.
    #[error(transparent)]
    Channel(#[from] OpenError),
    /// An encrypted message that is none.
    #[error(transparent)]
    Message(#[from] cbor::DecodeError),
    /// A valid message, but not at this point.
    #[error("a message out of turn")]
    OutOfTurn,
    /// The newcomer's name is too long.
    #[error("a name of {got} bytes where at most {max} are allowed")]
    NameTooLong {
        /// Length found, in bytes.
        got: usize,
        /// Length allowed, in bytes.
        max: usize,
    },
    /// The signature under the handshake is not that of the key it names.
    #[error("the other side claims to be {claimed} and does not prove it")]
    BadProof {
        /// Who the other side says it is.
        claimed: MemberId,
    },
    /// The other side proved to be ourselves.
    #[error("the other side proves to be ourselves")]
    OwnKey,
    /// The welcome is to another room than the invite's.
    #[error("welcomed to room {got}, invited to room {expected}")]
    WrongRoom {
        /// The room of the invite.
        expected: RoomId,
        /// The room of the welcome.
        got: RoomId,
    },
}

/// What is said inside the channel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Message {
    Knock {
        member: MemberId,
        name: String,
        #[serde(with = "serde_bytes")]
        signature: [u8; 64],
    },
    Answer {
        member: MemberId,
        #[serde(with = "serde_bytes")]
        signature: [u8; 64],
        verdict: Verdict,
    },
}

/// What a member says to a newcomer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Verdict {
    /// Admitted.
    Welcome(Welcome),
    /// Turned down.
    Refused(Refused),
}

fn prologue(version: u16, label: &InviteLabel, knocker: &TransportId, porter: &TransportId) -> Vec<u8> {
    noise::prologue(b"pairwave-knock-v1", version, knocker, porter, &[&label.0])
}

fn seal(channel: &mut Channel, message: &Message) -> Vec<u8> {
    let message = cbor::encode(message).expect("bytes and texts always encode");
    let mut frames = channel.seal(&message).expect("a short message on a fresh channel");
    frames.pop().expect("a message has a frame")
}

fn open(channel: &mut Channel, frame: &[u8]) -> Result<Message, KnockError> {
    if frame.len() > limits::FIRST_FRAME {
        return Err(HandshakeError::TooLong { got: frame.len(), max: limits::FIRST_FRAME }.into());
    }
    let message = channel.open(frame)?.ok_or(KnockError::OutOfTurn)?;
    Ok(cbor::decode(&message, limits::FIRST_FRAME)?)
}

/// Holds the other side the identity key that it names?
fn prove(
    me: MemberId,
    member: MemberId,
    domain: Domain,
    hash: &HandshakeHash,
    signature: &[u8; 64],
) -> Result<(), KnockError> {
    if member == me {
        return Err(KnockError::OwnKey);
    }
    key::verify(&member, domain, hash.as_bytes(), signature)
        .map_err(|BadSignature| KnockError::BadProof { claimed: member })
}

#[cfg(test)]
mod tests;
