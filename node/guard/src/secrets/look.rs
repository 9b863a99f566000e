//! Strings that look drawn at random.

use std::ops::Range;

use super::alphabet::{BOTH64, Kinds, entropy};
use super::decoded::begins_like_text;
use super::hit::{Hit, Rank};
use super::stop::{is_name, is_stand_in};

/// What a string in quotes that looks random is mostly called where it is no secret.
const PUBLIC: &[&str] = &[
    "hash",
    "sha",
    "integrity",
    "checksum",
    "digest",
    "public",
    "pub",
    "fingerprint",
    "peer",
    "id",
    "etag",
    "cert",
    "sig",
    "commit",
    "rev",
    "nonce",
    "salt",
    "alphabet",
    "charset",
    "chars",
    "base64",
    "b64",
    "data",
    "svg",
    "image",
    "url",
    "vector",
    "expected",
    "ciphertext",
    "encoded",
    "mac",
    "tag",
    "version",
    "lock",
];

/// The string of this run of letters, if it is alone in its quotes and looks like a secret.
pub fn find(text: &str, run: &Range<usize>) -> Option<Hit> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(run.start.checked_sub(1)?)?;
    let padding = bytes[run.end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    let place = run.start..run.end + padding;
    let quoted = matches!(quote, b'"' | b'\'') && bytes.get(place.end) == Some(&quote);
    let value = text.get(place.clone())?;
    let fits = quoted && is_random(value) && !is_public(&bytes[..run.start - 1], value) && !is_listed(bytes, &place);
    fits.then_some(Hit { rule: "random-string", what: "a string that looks like a key", place, rank: Rank::Look })
}

fn is_random(value: &str) -> bool {
    let bytes = value.as_bytes();
    let kinds = Kinds::of(bytes);
    (32..=96).contains(&bytes.len())
        && kinds.digits
        && kinds.lower
        && kinds.upper
        && entropy(bytes) >= 4.5
        && !value.contains("AAAA")
        && !is_stand_in(value)
        && !is_sequence(bytes)
        && !begins_like_text(bytes)
        && !is_named(value)
}

/// `Noise_XX_25519_AESGCM_SHA256`, or a path.
fn is_named(value: &str) -> bool {
    let words: Vec<&str> = value.split(['_', '-', '/', '+']).collect();
    let names = words.iter().filter(|word| word.len() > 1 && is_name(word)).count();
    words.len() > 2 && names * 2 >= words.len()
}

/// Whether another such string is next to this one: then they are data, line by line.
fn is_listed(text: &[u8], place: &Range<usize>) -> bool {
    const LINE: usize = 24;
    let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'+' | b',' | b'\\');
    let after = place.end + text[place.end..].iter().take(64).take_while(|byte| between(byte)).count();
    let before = place.start - text[..place.start].iter().rev().take(64).take_while(|byte| between(byte)).count();
    BOTH64.run(text, after, LINE) == LINE || BOTH64.run_before(text, before, LINE) == LINE
}

/// An alphabet, or something else that goes on by ones.
fn is_sequence(value: &[u8]) -> bool {
    let steps = value.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    steps * 4 > value.len()
}

/// Names that begin like peer ids, SSH keys, content ids and certificates, or whose line says what it is.
fn is_public(before: &[u8], value: &str) -> bool {
    const NEAR: usize = 64;
    let near = &before[before.len().saturating_sub(NEAR)..];
    let line = near.rsplit(|byte| *byte == b'\n').next().unwrap_or(near).to_ascii_lowercase();
    let says = |word: &&str| line.windows(word.len()).any(|window| window == word.as_bytes());
    ["12D3KooW", "16U", "AQA", "Noise", "Qm", "bafy", "AAAA", "MII", "sha"].iter().any(|start| value.starts_with(start))
        || PUBLIC.iter().any(says)
}
