//! Messages between a companion and a relay on their stream: a length (u32, big endian) and as
//! many bytes, at most [`limits::RELAY_MESSAGE`].

use crate::limits;

/// Bytes of the length field.
pub const HEADER: usize = 4;

/// A message that is longer than any may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message of {got} bytes where at most {max} are allowed", max = limits::RELAY_MESSAGE)]
pub struct ParcelTooLong {
    pub got: usize,
}

/// Reads the length field, so that nothing is reserved for what is too long.
pub fn length(header: [u8; HEADER]) -> Result<usize, ParcelTooLong> {
    let got = u32::from_be_bytes(header) as usize;
    if got > limits::RELAY_MESSAGE { Err(ParcelTooLong { got }) } else { Ok(got) }
}

/// Puts the length in front of `message`.
pub fn encode(message: &[u8]) -> Result<Vec<u8>, ParcelTooLong> {
    let got = message.len();
    let length = u32::try_from(got).map_err(|_| ParcelTooLong { got })?.to_be_bytes();
    self::length(length)?;
    Ok([&length[..], message].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_preceded_by_its_length() {
        let parcel = encode(b"hello").unwrap();
        let (header, message) = parcel.split_first_chunk::<HEADER>().unwrap();
        assert_eq!((length(*header), message), (Ok(5), &b"hello"[..]));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_reserved() {
        assert!(length([0xff; HEADER]).is_err());
        assert!(encode(&vec![0; limits::RELAY_MESSAGE + 1]).is_err());
    }
}
