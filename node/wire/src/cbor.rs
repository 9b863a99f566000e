//! Deterministic CBOR (RFC 8949 §4.2.1): shortest integers, definite lengths, map keys sorted by
//! their encoded bytes, no duplicate keys, nothing after the value.
//!
//! One value has exactly one encoding, so that ids and signatures over bytes mean the same to
//! everybody. The decoder refuses every other spelling.

use std::cmp::Ordering;

use ciborium::Value;
use serde::{Serialize, de::DeserializeOwned};

use crate::limits;

/// Why bytes are not a value of the expected type in deterministic CBOR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than the caller allows.
    #[error("{got} bytes where at most {max} are allowed")]
    TooLong { got: usize, max: usize },
    /// Not CBOR at all, cut off, or nested too deeply.
    #[error("malformed CBOR")]
    Malformed,
    /// Valid CBOR, but not its one deterministic encoding.
    #[error("not the deterministic encoding")]
    NotDeterministic,
    /// A floating-point number or a tag; pairwave uses neither.
    #[error("a CBOR type that pairwave does not use")]
    ForeignType,
    /// CBOR of another shape than expected.
    #[error("unexpected shape: {0}")]
    Shape(String),
}

/// A value that CBOR or pairwave cannot express (a float, a non-text key, a length unknown).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("value cannot be encoded: {0}")]
pub struct EncodeError(String);

/// Encodes `value` in its one deterministic form.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut value = Value::serialized(value).map_err(|error| EncodeError(error.to_string()))?;
    sort(&mut value).map_err(|error| EncodeError(error.to_string()))?;
    Ok(write(&value))
}

/// Turns `value` into the CBOR value that stands inside another one.
pub fn to_value<T: Serialize>(value: &T) -> Result<Value, EncodeError> {
    Value::serialized(value).map_err(|error| EncodeError(error.to_string()))
}

/// Decodes the one deterministic form of a `T` of at most `max` bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLong { got: bytes.len(), max });
    }
    let mut rest = bytes;
    let value: Value =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, limits::DEPTH).map_err(|_| DecodeError::Malformed)?;
    if !rest.is_empty() {
        return Err(DecodeError::NotDeterministic);
    }
    check(&value)?;
    if write(&value) != bytes {
        return Err(DecodeError::NotDeterministic);
    }
    value.deserialized().map_err(|error| DecodeError::Shape(error.to_string()))
}

/// Decodes what was checked by [`decode`] before it was kept where nobody else writes: without
/// looking for other spellings, which costs most of the time.
pub fn decode_checked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, limits::DEPTH).map_err(|error| match error {
        ciborium::de::Error::Semantic(_, message) => DecodeError::Shape(message),
        _ => DecodeError::Malformed,
    })
}

fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a Vec takes every byte");
    bytes
}

fn sort(value: &mut Value) -> Result<(), DecodeError> {
    match value {
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null => Ok(()),
        Value::Array(items) => items.iter_mut().try_for_each(sort),
        Value::Map(entries) => sort_map(entries),
        _ => Err(DecodeError::ForeignType),
    }
}

fn sort_map(entries: &mut [(Value, Value)]) -> Result<(), DecodeError> {
    for (key, value) in entries.iter_mut() {
        sort(key)?;
        sort(value)?;
    }
    entries.sort_by(|(one, _), (other, _)| in_order(one, other));
    let doubled = entries.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if doubled { Err(DecodeError::NotDeterministic) } else { Ok(()) }
}

/// Is it what [`sort`] would leave as it is?
fn check(value: &Value) -> Result<(), DecodeError> {
    match value {
        Value::Integer(_) | Value::Bytes(_) | Value::Text(_) | Value::Bool(_) | Value::Null => Ok(()),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Map(entries) => {
            entries.iter().try_for_each(|(key, value)| check(key).and_then(|()| check(value)))?;
            let sorted = entries.is_sorted_by(|(one, _), (other, _)| in_order(one, other).is_lt());
            if sorted { Ok(()) } else { Err(DecodeError::NotDeterministic) }
        }
        _ => Err(DecodeError::ForeignType),
    }
}

/// How the encodings of two map keys stand to each other. A shorter text has the smaller head.
fn in_order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => (one.len(), one).cmp(&(other.len(), other)),
        _ => write(one).cmp(&write(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn map_keys_are_sorted_by_their_encoding() {
        let map = BTreeMap::from([("aa", 1), ("b", 2)]);
        assert_eq!(encode(&map).unwrap(), [0xa2, 0x61, b'b', 2, 0x62, b'a', b'a', 1]);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let wrong: [&[u8]; 6] = [
            &[0x18, 0x05],                               // 5 in two bytes
            &[0x9f, 0x01, 0xff],                         // indefinite length
            &[0xa2, 0x62, b'a', b'a', 1, 0x61, b'b', 2], // unsorted keys
            &[0xa2, 0x61, b'b', 2, 0x61, b'b', 2],       // doubled key
            &[0x01, 0x00],                               // trailing byte
            &[0x78, 0x01, b'a'],                         // text length in two bytes
        ];
        for bytes in wrong {
            assert_eq!(decode::<Value>(bytes, 64), Err(DecodeError::NotDeterministic), "{bytes:x?}");
        }
    }

    #[test]
    fn keys_are_compared_as_they_are_encoded() {
        let texts = ["", "b", "aa", "ab", &"a".repeat(23), &"a".repeat(24), &"z".repeat(255), &"a".repeat(256)];
        let mut keys: Vec<Value> = texts.map(Value::from).into();
        keys.extend([Value::from(-1), Value::from(0), Value::from(24), Value::from(1000), Value::Bytes(vec![9; 30])]);
        keys.extend([Value::Null, Value::Bool(true), Value::Array(vec![Value::from(1)])]);
        for one in &keys {
            for other in &keys {
                assert_eq!(in_order(one, other), write(one).cmp(&write(other)), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn floats_and_tags_are_foreign() {
        assert_eq!(decode::<Value>(&[0xf9, 0x3c, 0x00], 64), Err(DecodeError::ForeignType));
        assert_eq!(decode::<Value>(&[0xc0, 0x61, b'a'], 64), Err(DecodeError::ForeignType));
        assert!(encode(&1.5).is_err());
    }

    #[test]
    fn a_length_bomb_is_malformed_and_costs_nothing() {
        assert_eq!(decode::<Value>(&[0x9b, 0xff, 0, 0, 0, 0, 0, 0, 0], 64), Err(DecodeError::Malformed));
        assert_eq!(decode::<Value>(&[0x5b, 0x7f, 0, 0, 0, 0, 0, 0, 0], 64), Err(DecodeError::Malformed));
        assert_eq!(decode::<Value>(&[0x81; 40], 64), Err(DecodeError::Malformed));
    }

    #[test]
    fn longer_than_allowed_is_refused_before_it_is_read() {
        assert_eq!(decode::<Value>(&[0; 65], 64), Err(DecodeError::TooLong { got: 65, max: 64 }));
    }
}
