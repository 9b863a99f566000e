//! Knocking where nobody is there: what a newcomer leaves at a relay for any member, and what a
//! member leaves there for the newcomer.
//!
//! Both together are one handshake, `NNpsk0` with the invite's knock key as in a live knock. Its
//! first message, with what the newcomer says of itself, is the *knock letter*; each *reply* is a
//! second message with what the member says behind it, whole in itself, so that replies may come in
//! any number and order. Who reads the relay's letters and learns the invite later reads who
//! knocked, but no reply: for that it takes one of the two ephemeral keys, and both are gone.
//!
//! Around each is the padded seal that every letter has, under a key made of the knock key.

mod newcomer;
mod porter;

use pairwave_wire::hello::{BlindedTag, InviteLabel};
use pairwave_wire::{TransportId, limits};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

pub use self::newcomer::Draft;
pub use self::porter::Knocked;

use crate::id::{EventId, MemberId, RoomId};
use crate::key::{self, EpochKey, KnockKey};
use crate::knock::Refused;
use crate::letter::KEYS;
use crate::letters::LetterKeys;
use crate::message::BATCH;
use crate::noise;

const KNOCK: &[u8] = b"pairwave-knock-letter-v1";
const REPLY: &[u8] = b"pairwave-knock-reply-v1";

/// What both sides know of an invite.
#[derive(Debug, Clone, Copy)]
pub struct Entrance<'a> {
    pub key: &'a KnockKey,
    pub room: &'a RoomId,
    pub label: &'a InviteLabel,
}

/// What a newcomer says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    pub member: MemberId,
    /// How it wants to be called, at most [`limits::NAME`] bytes.
    pub name: String,
    pub transport: TransportId,
    /// With what letters to it begin.
    pub letters: LetterKeys,
}

/// What a member says to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Verdict {
    Welcome(Outfit),
    Refused(Refused),
}

/// What an admitted newcomer is given: the keys, and of the log as much as one letter holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outfit {
    /// The event that admits the newcomer.
    pub admission: EventId,
    /// Epochs since then, newest first, and their keys.
    pub keys: Vec<(EventId, EpochKey)>,
    /// Signed events, parents first over all replies.
    pub events: Vec<ByteBuf>,
}

/// What a member said, and that it was this member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub from: MemberId,
    pub verdict: Verdict,
}

/// Why a knock letter, or a reply to one, says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KnockLetterError {
    #[error("it does not open under the invite's key")]
    DoesNotOpen,
    #[error("what is inside is malformed")]
    Malformed,
    #[error("the one that it names did not sign it")]
    NotSigned,
}

/// What is in a reply, inside its channel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    member: MemberId,
    #[serde(with = "serde_bytes")]
    signature: [u8; 64],
    verdict: Verdict,
}

/// Under which tag knock letters of an invite wait on this day: known to whoever holds the invite,
/// and random to everybody else.
pub fn tag(key: &KnockKey, day: u64) -> BlindedTag {
    BlindedTag(key::keyed_hash(b"pairwave-knock-letter-tag-v1", key.expose(), &[&day.to_be_bytes()]))
}

/// Under which tag replies to the knock letter with this ephemeral key wait.
fn reply_tag(key: &KnockKey, ephemeral: &[u8; 32], day: u64) -> BlindedTag {
    BlindedTag(key::keyed_hash(b"pairwave-knock-reply-tag-v1", key.expose(), &[ephemeral, &day.to_be_bytes()]))
}

impl Entrance<'_> {
    fn prologue(&self, version: u16) -> Vec<u8> {
        noise::prologue_of(KNOCK, version, &[&self.room.0, &self.label.0])
    }

    /// What a newcomer signs: what it says, where, and the key that replies are sealed for.
    fn proof(&self, version: u16, ephemeral: &[u8; 32], content: &[u8]) -> [u8; 32] {
        let parts: [&[u8]; 5] = [&version.to_be_bytes(), &self.room.0, &self.label.0, ephemeral, content];
        key::hash(b"pairwave-knock-letter-proof-v1", &parts)
    }
}

/// Noise writes the ephemeral key first.
fn ephemeral_of(noise: &[u8]) -> Result<[u8; 32], KnockLetterError> {
    noise.first_chunk().copied().ok_or(KnockLetterError::Malformed)
}

impl Verdict {
    fn is_within_bounds(&self) -> bool {
        match self {
            Self::Welcome(outfit) => outfit.events.len() <= BATCH && outfit.keys.len() <= KEYS,
            Self::Refused(_) => true,
        }
    }
}

impl Newcomer {
    fn is_within_bounds(&self) -> bool {
        self.name.len() <= limits::NAME
    }
}

#[cfg(test)]
mod tests;
