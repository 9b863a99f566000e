//! Names of things. Each id is a newtype over its bytes and has one text form: lower-case base32
//! (RFC 4648 §6) without padding.

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

/// Text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: {0:?}")]
pub struct ParseIdError(pub String);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "serde_bytes")] pub [u8; $bytes]);

        impl $name {
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_text(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({}…)", stringify!($name), &to_text(&self.0)[..8])
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let bytes = from_text(text).and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or_else(|| ParseIdError(text.chars().take(80).collect()))
            }
        }
    };
}

id!(
    /// BLAKE2b-256 of an event's bytes under the domain `pairwave-event-id-v1`.
    EventId, 32
);
id!(
    /// The id of the room's genesis.
    RoomId, 32
);
id!(
    /// BLAKE2b-256 of a chunk's bytes under the domain `pairwave-chunk-id-v1`.
    ChunkId, 32
);
id!(
    /// A member's Ed25519 identity key (RFC 8032).
    MemberId, 32
);
id!(
    /// One agent session, or the human, of one member.
    SessionId, 16
);

id!(
    /// BLAKE2b-256 of a charter's text under the domain `pairwave-charter-v1`.
    CharterHash, 32
);
id!(
    /// BLAKE2b-256 of what a request wants done under the domain `pairwave-request-v1`.
    RequestHash, 32
);
id!(
    /// A finding of the secret scan: a hash that only the companion which found it can make.
    FindingId, 16
);

impl SessionId {
    /// What a companion says by itself (it admits, it rotates keys), nobody's session.
    pub const COMPANION: Self = Self([0; 16]);
}

impl From<RoomId> for EventId {
    fn from(room: RoomId) -> Self {
        Self(room.0)
    }
}

impl From<EventId> for RoomId {
    fn from(genesis: EventId) -> Self {
        Self(genesis.0)
    }
}

fn to_text(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

fn from_text(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text_form() {
        let id = SessionId([0xab; 16]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert!(text.to_ascii_uppercase().parse::<SessionId>().is_err());
        assert!(text[1..].parse::<SessionId>().is_err());
        assert!(format!("{text}a").parse::<SessionId>().is_err());
    }
}
