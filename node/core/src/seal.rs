//! Sealing at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) under the storage key, bound
//! to where the record stands, so that no record can be put in another's place.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use pairwave_wire::cbor;
use serde::Serialize;

use crate::effect::Slot;
use crate::id::{ChunkId, EventId, RoomId};
use crate::key::StorageKey;

/// Bytes of the nonce in front of every sealed record. Drawn at random, they may be drawn for as
/// many records as a disk can hold.
pub const NONCE: usize = 24;
/// By how much a sealed record is longer than what it holds.
pub const OVERHEAD: usize = NONCE + 16;

/// What a sealed record is and where it belongs. It opens there only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place<'a> {
    /// A record of a room's log.
    Record(RoomId, EventId),
    /// What is kept of a room beside its log.
    Slot(RoomId, Slot),
    /// A chunk of a blob.
    Chunk(RoomId, ChunkId),
    /// Anything else the companion keeps, by a name of its own.
    Named(&'a str),
}

/// The record was changed, belongs to another place, or was sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed record does not open: another key, another place, or damaged")]
pub struct DoesNotOpen;

/// Seals `plaintext` for `place`. A nonce must never be used twice with one key: 24 random bytes.
pub fn seal(key: &StorageKey, place: Place<'_>, plaintext: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
    let payload = Payload { msg: plaintext, aad: &bytes(place) };
    let sealed = cipher(key).encrypt(&nonce.into(), payload).expect("a record is shorter than 256 GiB");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] returned for the same place.
pub fn open(key: &StorageKey, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(DoesNotOpen)?;
    let payload = Payload { msg: sealed, aad: &bytes(place) };
    cipher(key).decrypt(nonce.into(), payload).map_err(|_| DoesNotOpen)
}

fn cipher(key: &StorageKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.expose().into())
}

fn bytes(place: Place<'_>) -> Vec<u8> {
    cbor::encode(&("pairwave-record-v1", place)).expect("ids and names always encode")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place::Record(RoomId([1; 32]), EventId([2; 32]));

    fn key(byte: u8) -> StorageKey {
        StorageKey::new([byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let sealed = seal(&key(1), HERE, b"record", [9; NONCE]);
        assert_eq!(sealed.len(), b"record".len() + OVERHEAD);
        assert_eq!(open(&key(1), HERE, &sealed).as_deref(), Ok(&b"record"[..]));
        let elsewhere = [
            Place::Record(RoomId([3; 32]), EventId([2; 32])),
            Place::Record(RoomId([1; 32]), EventId([3; 32])),
            Place::Slot(RoomId([1; 32]), Slot::Keys),
            Place::Named("record"),
        ];
        for place in elsewhere {
            assert_eq!(open(&key(1), place, &sealed), Err(DoesNotOpen), "{place:?}");
        }
        assert_eq!(open(&key(2), HERE, &sealed), Err(DoesNotOpen));
    }

    #[test]
    fn every_changed_or_missing_byte_is_found() {
        let sealed = seal(&key(1), HERE, b"record", [9; NONCE]);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key(1), HERE, &changed), Err(DoesNotOpen), "changed at {at}");
            assert_eq!(open(&key(1), HERE, &sealed[..at]), Err(DoesNotOpen), "cut at {at}");
        }
    }

    #[test]
    fn the_plaintext_does_not_show() {
        let sealed = seal(&key(1), HERE, b"a record that is long enough to find", [9; NONCE]);
        assert!(!sealed.windows(8).any(|window| window == b"a record"));
    }
}
