//! A letter: what waits for an absent member at a relay, and what the relay sees of it.
//!
//! From the inside out: signed events and epoch keys, signed by the sender ([`Content`]); a message
//! of the pairwise Double Ratchet between sender and receiver; and around it XChaCha20-Poly1305
//! under a key that every member can derive ([`Envelope`]), padded, so that a relay sees one of five
//! sizes of random bytes under a tag that changes every day.

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::{cbor, limits};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::id::{EventId, MemberId, RoomId};
use crate::key::{self, Domain, EpochKey, Identity};
use crate::message::BATCH;
use crate::padded;
use crate::time::Timestamp;

const DOMAIN: &[u8] = b"pairwave-letter-v1";
/// What one letter may hold of events, in bytes: what is around them fits beside it.
pub const EVENTS: usize = limits::LETTERS[limits::LETTERS.len() - 1] - 8 * 1024;
/// Most epoch keys in one letter.
pub const KEYS: usize = 64;

/// A message of the ratchet between two members, as the ratchet made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratcheted {
    /// 0: it begins a session, 1: it goes on with one.
    pub kind: u8,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// What the members of a room, and nobody else, can read of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub from: MemberId,
    pub message: Ratcheted,
}

/// What only the receiver can read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// Signed events of the sender, parents first as far as they are its own.
    pub events: Vec<ByteBuf>,
    /// Keys of epochs that the receiver may lack.
    pub keys: Vec<(EventId, EpochKey)>,
}

/// Why a letter says nothing to us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    #[error("it does not open under the room's keys")]
    DoesNotOpen,
    #[error("what is inside is malformed")]
    Malformed,
    #[error("the member that it names did not sign it")]
    NotSigned,
}

/// Under which tag letters to `member` wait on this day: known to the members of the epoch, and
/// random to everybody else.
pub fn tag(epoch: &EpochKey, member: &MemberId, day: u64) -> BlindedTag {
    BlindedTag(key::keyed_hash(b"pairwave-mailbox-v1", epoch.expose(), &[&member.0, &day.to_be_bytes()]))
}

/// Days since the Unix epoch.
pub fn day(now: Timestamp) -> u64 {
    now.0 / (24 * 3600 * 1000)
}

/// Under which days' tags letters may wait: tomorrow's, by somebody's clock, and back through all days
/// that one waits.
pub fn days(now: Timestamp) -> impl Iterator<Item = u64> {
    let newest = day(now) + 1;
    (0..limits::LETTER_SECONDS / (24 * 3600) + 2).map(move |ago| newest.saturating_sub(ago))
}

impl Envelope {
    /// Seals it in the smallest size that it fits in; `None` if it is too long for a letter.
    pub fn seal(&self, epoch: &EpochKey, at: &BlindedTag, rng: &mut impl CryptoRng) -> Option<Vec<u8>> {
        let content = cbor::encode(self).expect("bytes always encode");
        padded::seal_letter(DOMAIN, epoch.expose(), at, &content, rng)
    }

    /// Opens what [`Self::seal`] made for this tag.
    pub fn open(epoch: &EpochKey, at: &BlindedTag, letter: &[u8]) -> Result<Self, LetterError> {
        let content = padded::open(DOMAIN, epoch.expose(), at, letter).ok_or(LetterError::DoesNotOpen)?;
        cbor::decode(&content, limits::RELAY_MESSAGE).map_err(|_| LetterError::Malformed)
    }
}

impl Content {
    /// What goes into the ratchet: the content and the sender's signature over it.
    pub fn sign(&self, identity: &Identity, room: &RoomId, to: &MemberId) -> Vec<u8> {
        let content = cbor::encode(self).expect("bytes always encode");
        let signature = identity.sign(Domain::Letter, &digest(room, to, &content));
        cbor::encode(&(ByteBuf::from(content), ByteBuf::from(signature))).expect("bytes always encode")
    }

    /// Reads what came out of the ratchet, if `from` signed it for `to`.
    pub fn verify(bytes: &[u8], from: &MemberId, room: &RoomId, to: &MemberId) -> Result<Self, LetterError> {
        let parts: Result<(ByteBuf, ByteBuf), _> = cbor::decode(bytes, limits::RELAY_MESSAGE);
        let (content, signature) = parts.map_err(|_| LetterError::Malformed)?;
        let signature = signature.as_ref().try_into().map_err(|_| LetterError::Malformed)?;
        key::verify(from, Domain::Letter, &digest(room, to, &content), signature)
            .map_err(|_| LetterError::NotSigned)?;
        let content: Self = cbor::decode(&content, limits::RELAY_MESSAGE).map_err(|_| LetterError::Malformed)?;
        let fits = content.events.len() <= BATCH && content.keys.len() <= KEYS;
        if fits { Ok(content) } else { Err(LetterError::Malformed) }
    }
}

fn digest(room: &RoomId, to: &MemberId, content: &[u8]) -> [u8; 32] {
    key::hash(b"pairwave-letter-content-v1", &[&room.0, &to.0, content])
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    const ROOM: RoomId = RoomId([9; 32]);
    const BOB: MemberId = MemberId([2; 32]);

    fn epoch(byte: u8) -> EpochKey {
        EpochKey::new([byte; 32])
    }

    fn envelope(length: usize) -> Envelope {
        Envelope { from: MemberId([1; 32]), message: Ratcheted { kind: 1, bytes: vec![7; length] } }
    }

    #[test]
    fn a_letter_has_the_next_of_five_sizes_and_opens_under_its_tag_only() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let at = tag(&epoch(1), &BOB, 20_000);
        for (length, size) in [(0, 0), (800, 0), (1_000, 1), (60_000, 3), (200_000, 4)] {
            let letter = envelope(length).seal(&epoch(1), &at, &mut rng).unwrap();
            assert_eq!(letter.len(), limits::LETTERS[size], "{length}");
            assert_eq!(Envelope::open(&epoch(1), &at, &letter), Ok(envelope(length)));
            assert_eq!(Envelope::open(&epoch(2), &at, &letter), Err(LetterError::DoesNotOpen));
            let other = tag(&epoch(1), &BOB, 20_001);
            assert_eq!(Envelope::open(&epoch(1), &other, &letter), Err(LetterError::DoesNotOpen));
        }
        assert_eq!(envelope(limits::LETTERS[4]).seal(&epoch(1), &at, &mut rng), None);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let at = tag(&epoch(1), &BOB, 20_000);
        let letter = envelope(5).seal(&epoch(1), &at, &mut rng).unwrap();
        for byte in 0..letter.len() {
            let mut changed = letter.clone();
            changed[byte] ^= 1;
            assert!(Envelope::open(&epoch(1), &at, &changed).is_err(), "byte {byte}");
        }
        assert!(Envelope::open(&epoch(1), &at, &[]).is_err());
    }

    #[test]
    fn the_content_is_the_senders_and_for_this_receiver() {
        let alice = Identity::from_secret(&[1; 32]);
        let content =
            Content { events: vec![ByteBuf::from(vec![1, 2])], keys: vec![(EventId([3; 32]), EpochKey::new([4; 32]))] };
        let signed = content.sign(&alice, &ROOM, &BOB);
        assert_eq!(Content::verify(&signed, &alice.member(), &ROOM, &BOB), Ok(content));
        assert_eq!(Content::verify(&signed, &BOB, &ROOM, &BOB), Err(LetterError::NotSigned));
        assert_eq!(Content::verify(&signed, &alice.member(), &ROOM, &alice.member()), Err(LetterError::NotSigned));
        assert_eq!(Content::verify(&[0xff], &alice.member(), &ROOM, &BOB), Err(LetterError::Malformed));
    }

    #[test]
    fn tags_change_with_epoch_member_and_day() {
        let tags = [
            tag(&epoch(1), &BOB, 1),
            tag(&epoch(2), &BOB, 1),
            tag(&epoch(1), &MemberId([3; 32]), 1),
            tag(&epoch(1), &BOB, 2),
        ];
        let different: std::collections::BTreeSet<_> = tags.iter().collect();
        assert_eq!(different.len(), tags.len());
    }
}
