//! The frames that cross before a handshake, in clear. They carry nothing that says who is
//! talking: tags and labels are random to whoever does not hold the key they were made with.
//!
//! A field that we do not know is skipped, so that a newer version can add some and still be told
//! which version we speak.

use serde::{Deserialize, Serialize};

use crate::{cbor, limits};

/// BLAKE2b-256, keyed with an epoch's key, of both transport ids: it says "I know this epoch of
/// this room" to those who know it too, and nothing to anybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlindedTag(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// The public name of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InviteLabel(#[serde(with = "serde_bytes")] pub [u8; 16]);

/// First frame of a link, from its opener: the newest epochs it knows, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkHello {
    /// What the opener speaks, see [`protocol::VERSION`](crate::protocol::VERSION).
    pub version: u16,
    /// At most [`limits::TAGS`]; those that stand for no epoch are random and only fill up.
    pub tags: Vec<BlindedTag>,
}

/// The acceptor's answer: which of the tags it takes, by position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChoice {
    /// What the acceptor speaks.
    pub version: u16,
    /// `None`: no common epoch. The stream ends after it.
    pub tag: Option<u8>,
}

/// First frame of a knock: the invite's label and the first Noise message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnockHello {
    /// What the newcomer speaks.
    pub version: u16,
    /// Which invite it holds.
    pub label: InviteLabel,
    /// First message of `Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b`: 48 bytes.
    #[serde(with = "serde_bytes")]
    pub noise: Vec<u8>,
}

/// A frame in clear that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    #[error(transparent)]
    Decode(#[from] cbor::DecodeError),
    #[error("{got} tags where at most {max} are allowed")]
    TooManyTags { got: usize, max: usize },
}

impl LinkHello {
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        let hello: Self = cbor::decode(bytes, limits::FIRST_FRAME)?;
        let got = hello.tags.len();
        if got > limits::TAGS { Err(HelloError::TooManyTags { got, max: limits::TAGS }) } else { Ok(hello) }
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers and bytes always encode")
    }
}

impl LinkChoice {
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        Ok(cbor::decode(bytes, limits::FIRST_FRAME)?)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers and bytes always encode")
    }
}

impl KnockHello {
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        Ok(cbor::decode(bytes, limits::FIRST_FRAME)?)
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers and bytes always encode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frames_round_trip() {
        let link = LinkHello { version: 1, tags: vec![BlindedTag([7; 32]); limits::TAGS] };
        assert_eq!(LinkHello::decode(&link.encode()), Ok(link));
        let choice = LinkChoice { version: 1, tag: None };
        assert_eq!(LinkChoice::decode(&choice.encode()), Ok(choice));
        let knock = KnockHello { version: 1, label: InviteLabel([9; 16]), noise: vec![1; 48] };
        assert_eq!(KnockHello::decode(&knock.encode()), Ok(knock));
    }

    #[test]
    fn a_newer_version_is_understood_as_far_as_its_number() {
        #[derive(Serialize)]
        struct Newer {
            version: u16,
            tags: Vec<BlindedTag>,
            wishes: bool,
        }
        let hello = cbor::encode(&Newer { version: 2, tags: Vec::new(), wishes: true }).unwrap();
        assert_eq!(LinkHello::decode(&hello), Ok(LinkHello { version: 2, tags: Vec::new() }));
    }

    #[test]
    fn too_many_tags_are_refused() {
        let link = LinkHello { version: 1, tags: vec![BlindedTag([7; 32]); limits::TAGS + 1] };
        let refused = HelloError::TooManyTags { got: limits::TAGS + 1, max: limits::TAGS };
        assert_eq!(LinkHello::decode(&link.encode()), Err(refused));
    }
}
