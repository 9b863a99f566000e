//! Keys. Every role has a type of its own, is wiped when dropped and never shows its bytes in
//! `Debug`. One key serves one purpose; every use has its own domain string.

use std::fmt;

use blake2::{
    Blake2bMac,
    digest::consts::U32,
    digest::{FixedOutput, Update},
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::id::MemberId;

/// What an identity key signs; the domain goes in front of the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// An event's id.
    Event,
    /// The handshake hash of a link, by its opener.
    LinkOpener,
    /// The handshake hash of a link, by its acceptor.
    LinkAcceptor,
    /// The handshake hash of a knock, by the newcomer.
    Knock,
    /// The same, by the member that answers.
    KnockAnswer,
    /// The content of a letter, and for whom it is.
    Letter,
    /// What a newcomer says in a knock letter, and the key that a reply is sealed with.
    KnockLetter,
    /// The handshake hash of a reply to a knock letter.
    KnockReply,
}

impl Domain {
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Event => b"pairwave-event-v1",
            Self::LinkOpener => b"pairwave-link-v1opener",
            Self::LinkAcceptor => b"pairwave-link-v1acceptor",
            Self::Knock => b"pairwave-knock-v1",
            Self::KnockAnswer => b"pairwave-knock-answer-v1",
            Self::Letter => b"pairwave-letter-v1",
            Self::KnockLetter => b"pairwave-knock-letter-v1",
            Self::KnockReply => b"pairwave-knock-reply-v1",
        }
    }
}

/// The person: signs events, links and knocks. libp2p gets a transport key of its own.
pub struct Identity(SigningKey);

impl Identity {
    /// From the 32 secret bytes of an Ed25519 key (RFC 8032 §5.1.5).
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    pub fn member(&self) -> MemberId {
        MemberId(self.0.verifying_key().to_bytes())
    }

    /// A hash that only this identity can make, under a key derived for this domain.
    pub(crate) fn keyed(&self, domain: &'static [u8], parts: &[&[u8]]) -> [u8; 32] {
        let key = zeroize::Zeroizing::new(hash(domain, &[&zeroize::Zeroizing::new(self.0.to_bytes())[..]]));
        keyed_hash(domain, &key[..], parts)
    }

    pub fn sign(&self, domain: Domain, message: &[u8]) -> [u8; 64] {
        self.0.sign(&[domain.bytes(), message].concat()).to_bytes()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.member())
    }
}

/// A signature that is not this member's, or a key or signature that is malformed or of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not belong to that key")]
pub struct BadSignature;

/// Verifies strictly (no small-order keys, canonical encodings only), so that a signature means
/// one key and one message to every implementation.
pub fn verify(member: &MemberId, domain: Domain, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
    let key = VerifyingKey::from_bytes(&member.0).map_err(|_| BadSignature)?;
    let signature = Signature::from_bytes(signature);
    key.verify_strict(&[domain.bytes(), message].concat(), &signature).map_err(|_| BadSignature)
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "serde_bytes")] [u8; $bytes]);

        impl $name {
            pub fn new(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Fresh bytes from `rng`.
            pub fn random(rng: &mut impl CryptoRng) -> Self {
                let mut key = Self([0; $bytes]);
                rng.fill_bytes(&mut key.0);
                key
            }

            pub fn expose(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret!(
    /// The room key of one epoch: opens links, seals nothing that is kept.
    EpochKey, 32
);
secret!(
    /// The random secret inside an invite.
    InviteSecret, 16
);
secret!(
    /// What a knock's handshake is keyed with: Argon2id (RFC 9106) of an invite's secret.
    KnockKey, 32
);
secret!(
    /// What the ephemeral key of a knock letter is drawn from. Who has it reads the replies.
    KnockSeed, 32
);
secret!(
    /// What records are sealed with where they are stored.
    StorageKey, 32
);

/// BLAKE2b-256 (RFC 7693) of `parts` under `domain`; every part goes in with its length, so that
/// no two lists of parts hash the same bytes.
pub fn hash(domain: &'static [u8], parts: &[&[u8]]) -> [u8; 32] {
    keyed_hash(domain, &[], parts)
}

/// As [`hash`], keyed with at most 64 bytes.
pub fn keyed_hash(domain: &'static [u8], key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Blake2bMac::<U32>::new_with_salt_and_personal((!key.is_empty()).then_some(key), &[], &[])
        .expect("keys have at most 64 bytes");
    for part in std::iter::once(&domain).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize_fixed().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_in_its_domain_only() {
        let alice = Identity::from_secret(&[1; 32]);
        let signature = alice.sign(Domain::Event, b"hello");
        assert_eq!(verify(&alice.member(), Domain::Event, b"hello", &signature), Ok(()));
        assert_eq!(verify(&alice.member(), Domain::Knock, b"hello", &signature), Err(BadSignature));
        assert_eq!(verify(&alice.member(), Domain::Event, b"hullo", &signature), Err(BadSignature));
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(b"d", &[b"ab", b"c"]), hash(b"d", &[b"a", b"bc"]));
        assert_ne!(keyed_hash(b"d", b"k", &[b"a"]), hash(b"d", &[b"a"]));
    }

    #[test]
    fn secrets_do_not_show() {
        assert_eq!(format!("{:?}", EpochKey::new([7; 32])), "EpochKey(secret)");
    }
}
