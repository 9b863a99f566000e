//! Opening the live link of one room between two members: which epoch both know, a handshake keyed
//! with it, and a proof of identity each way.
//!
//! ```text
//! opener                                acceptor
//!   LinkHello { tags }            →                      in clear, random to strangers
//!                                 ←     LinkChoice { tag }
//!   Noise NNpsk0 message 1        →
//!                                 ←     Noise NNpsk0 message 2
//!   Proof { member, signature }   →                      encrypted from here on
//!                                 ←     Proof { member, signature }
//!   Admitted                      →
//! ```
//!
//! Whoever is shown a proof decides whether that is a standing member; if not, `Refused` takes the
//! place of the next message and the link ends. An epoch's key only opens the door: a former
//! member may hold one, so what `Refused` says is a hint and no proof.

mod acceptor;
mod opener;

use pairwave_wire::{TransportId, cbor, hello::BlindedTag, hello::HelloError, limits, protocol};
use serde::{Deserialize, Serialize};

pub use self::acceptor::{Acceptor, Greeting};
pub use self::opener::Opener;

use crate::id::{EventId, MemberId, RoomId};
use crate::key::{self, BadSignature, Domain, EpochKey, Identity};
use crate::noise::{self, Channel, HandshakeError, HandshakeHash, OpenError};

/// What a frame led to.
#[derive(Debug)]
pub enum Step {
    /// Send this frame; the next one is theirs.
    Send(Vec<u8>),
    /// The other side proved to be this member. Go on with `admit` or `refuse`.
    PeerProved {
        /// Whose identity key signed.
        member: MemberId,
    },
    /// Both sides are in.
    Established(Established),
    /// The other side takes us for no member. The link is over.
    TurnedAway(Refused),
}

/// A link of two members that know each other.
#[derive(Debug)]
pub struct Established {
    /// The room of the link.
    pub room: RoomId,
    /// Who is at the other end.
    pub member: MemberId,
    /// The newest epoch that both knew, by the event that starts it.
    pub epoch: EventId,
    /// What is said on it.
    pub channel: Channel,
}

/// Why somebody who proved to hold an identity key and an epoch's key is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refused {
    /// It was a member and is none any more.
    Removed,
    /// Its admission has not arrived here, or never took place.
    Unknown,
}

/// Why a link did not come about. Nothing that was received may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A frame in clear that is none.
    #[error(transparent)]
    Hello(#[from] HelloError),
    /// The other side speaks another version.
    #[error("the other side speaks version {theirs} of the protocol, we speak {ours}")]
    Version {
        /// The version that this program speaks.
        ours: u16,
        /// The version that the other side speaks.
        theirs: u16,
    },
    /// No epoch of the room is known to both.
    #[error("no epoch of the room is known to both sides")]
    NoCommonEpoch,
    /// The acceptor chose a tag that stands for no epoch.
    #[error("tag {got} was chosen of {offered}")]
    NoSuchTag {
        /// The position that was chosen.
        got: u8,
        /// How many epochs were offered.
        offered: usize,
    },
    /// A handshake message that does not fit.
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
    /// The signature under the handshake is not that of the member it names.
    #[error("the other side claims to be {claimed} and does not prove it")]
    BadProof {
        /// Who the other side says it is.
        claimed: MemberId,
    },
    /// The other side proved to be ourselves: a copy of our key, or our own words thrown back.
    #[error("the other side proves to be ourselves")]
    OwnKey,
}

/// What is said inside the channel before the link is up.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Message {
    Proof {
        member: MemberId,
        #[serde(with = "serde_bytes")]
        signature: [u8; 64],
    },
    Admitted,
    Refused(Refused),
}

/// The tag under which `initiator` shows an epoch to `responder`.
pub fn tag(key: &EpochKey, initiator: &TransportId, responder: &TransportId) -> BlindedTag {
    let parts = [initiator.as_bytes(), responder.as_bytes()];
    BlindedTag(key::keyed_hash(b"pairwave-link-tag-v1", key.expose(), &parts))
}

fn prologue(initiator: &TransportId, responder: &TransportId, hello: &[u8], choice: &[u8]) -> Vec<u8> {
    noise::prologue(b"pairwave-link-v1", protocol::VERSION, initiator, responder, &[hello, choice])
}

fn seal(channel: &mut Channel, message: &Message) -> Vec<u8> {
    let message = cbor::encode(message).expect("bytes and names always encode");
    let mut frames = channel.seal(&message).expect("a short message on a fresh channel");
    frames.pop().expect("a message has a frame")
}

fn open(channel: &mut Channel, frame: &[u8]) -> Result<Message, LinkError> {
    if frame.len() > limits::FIRST_FRAME {
        return Err(HandshakeError::TooLong { got: frame.len(), max: limits::FIRST_FRAME }.into());
    }
    let message = channel.open(frame)?.ok_or(LinkError::OutOfTurn)?;
    Ok(cbor::decode(&message, limits::FIRST_FRAME)?)
}

fn prove(identity: &Identity, domain: Domain, hash: &HandshakeHash) -> Message {
    Message::Proof { member: identity.member(), signature: identity.sign(domain, hash.as_bytes()) }
}

fn check(
    me: &Identity,
    domain: Domain,
    hash: &HandshakeHash,
    member: MemberId,
    signature: &[u8; 64],
) -> Result<MemberId, LinkError> {
    if member == me.member() {
        return Err(LinkError::OwnKey);
    }
    key::verify(&member, domain, hash.as_bytes(), signature)
        .map_err(|BadSignature| LinkError::BadProof { claimed: member })?;
    Ok(member)
}

#[cfg(test)]
mod tests;
