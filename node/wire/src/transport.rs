use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest transport id in bytes: an Ed25519 key as an identity multihash needs 38.
const MAX: usize = 64;

/// The name under which a companion is reached on the network: the bytes of its libp2p PeerId.
///
/// It says nothing about who the person is; members prove that inside the link.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct TransportId(Vec<u8>);

/// Bytes that cannot be a transport id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a transport id has 1 to {MAX} bytes, not {got}")]
pub struct TransportIdError {
    pub got: usize,
}

impl TransportId {
    /// Takes the bytes of a PeerId.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, TransportIdError> {
        let bytes = bytes.into();
        if (1..=MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(TransportIdError { got: bytes.len() }) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TransportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = &self.0[self.0.len().saturating_sub(4)..];
        write!(f, "TransportId(…")?;
        tail.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Bytes(#[serde(with = "serde_bytes")] Vec<u8>);

impl TryFrom<Bytes> for TransportId {
    type Error = TransportIdError;
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        Self::new(bytes.0)
    }
}

impl From<TransportId> for Bytes {
    fn from(id: TransportId) -> Self {
        Self(id.0)
    }
}
