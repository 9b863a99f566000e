//! Frames of a stream: a length (u16, big endian) and as many bytes. The length field itself
//! bounds a frame to [`limits::FRAME`], so a stranger can never make us reserve more.

use crate::limits;

/// Bytes of the length field.
pub const HEADER: usize = 2;

/// A frame that is longer than the stream allows at this point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {got} bytes where at most {max} are allowed")]
pub struct FrameTooLong {
    pub got: usize,
    pub max: usize,
}

/// Puts the length in front of `payload`.
pub fn encode(payload: &[u8]) -> Result<Vec<u8>, FrameTooLong> {
    let too_long = || FrameTooLong { got: payload.len(), max: limits::FRAME };
    let length = u16::try_from(payload.len()).map_err(|_| too_long())?;
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(payload);
    Ok(frame)
}

/// Cuts a stream of bytes into frames, whatever the pieces in which it arrives.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    max: usize,
}

impl Decoder {
    /// A decoder that refuses frames over `max` bytes, see [`Decoder::allow`].
    pub fn new(max: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, max }
    }

    /// Changes the limit, once the other side has earned more than [`limits::FIRST_FRAME`].
    pub fn allow(&mut self, max: usize) {
        self.max = max;
    }

    /// Takes bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if its bytes are there.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameTooLong> {
        let rest = &self.buffer[self.start..];
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*header));
        if length > self.max {
            return Err(FrameTooLong { got: length, max: self.max });
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let payload = payload.to_vec();
        self.start += HEADER + length;
        Ok(Some(payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_frames(
            frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
            piece in 1usize..400,
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| encode(frame).unwrap()).collect();
            let mut decoder = Decoder::new(limits::FRAME);
            let mut got = Vec::new();
            for piece in bytes.chunks(piece) {
                decoder.push(piece);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    got.push(frame);
                }
            }
            prop_assert_eq!(got, frames);
        }
    }

    #[test]
    fn a_long_first_frame_is_refused_by_its_length_alone() {
        let mut decoder = Decoder::new(limits::FIRST_FRAME);
        decoder.push(&[0xff, 0xff]);
        assert_eq!(decoder.next_frame(), Err(FrameTooLong { got: 65_535, max: limits::FIRST_FRAME }));
    }

    #[test]
    fn a_payload_over_the_limit_is_not_encoded() {
        assert!(encode(&vec![0; limits::FRAME + 1]).is_err());
    }
}
