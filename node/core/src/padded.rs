//! What lies at a relay: sealed for those who share a key, bound to the tag that it lies under, and
//! padded, so that its size says little of what is inside.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use rand_core::CryptoRng;

use crate::key;

const NONCE: usize = 24;
/// Bytes of the length in front of the content.
pub const LENGTH: usize = 4;
/// By how much what is sealed is longer than its content before padding.
pub const OVERHEAD: usize = NONCE + 16 + LENGTH;

/// As [`seal`], in the smallest size of a letter that it fits in; `None` if it is too long for one.
pub fn seal_letter(
    domain: &'static [u8],
    key: &[u8; 32],
    at: &BlindedTag,
    content: &[u8],
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let size = limits::LETTERS.into_iter().find(|size| content.len() + OVERHEAD <= *size)?;
    seal(domain, key, at, content, size, rng)
}

/// Seals `content` in exactly `size` bytes: XChaCha20-Poly1305 under a key of its own for this
/// `domain`, made of `key`, with the tag as additional data. `None` if it does not fit.
pub fn seal(
    domain: &'static [u8],
    key: &[u8; 32],
    at: &BlindedTag,
    content: &[u8],
    size: usize,
    rng: &mut impl CryptoRng,
) -> Option<Vec<u8>> {
    let room = size.checked_sub(OVERHEAD).filter(|room| content.len() <= *room)?;
    let mut padded = u32::try_from(content.len()).ok()?.to_be_bytes().to_vec();
    padded.extend(content);
    padded.resize(LENGTH + room, 0);
    let mut nonce = [0; NONCE];
    rng.fill_bytes(&mut nonce);
    let payload = Payload { msg: &padded, aad: &at.0 };
    let sealed = cipher(domain, key).encrypt(&nonce.into(), payload).ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Opens what [`seal`] made for the same domain, key and tag.
pub fn open(domain: &'static [u8], key: &[u8; 32], at: &BlindedTag, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: &at.0 };
    let padded = cipher(domain, key).decrypt(nonce.into(), payload).ok()?;
    let (length, content) = padded.split_first_chunk::<LENGTH>()?;
    content.get(..u32::from_be_bytes(*length) as usize).map(<[u8]>::to_vec)
}

fn cipher(domain: &'static [u8], key: &[u8; 32]) -> XChaCha20Poly1305 {
    let key = zeroize::Zeroizing::new(key::keyed_hash(domain, key, &[]));
    XChaCha20Poly1305::new((&*key).into())
}
