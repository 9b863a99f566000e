//! A stream of bytes, in pieces as the first byte says, cut into frames.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_wire::{frame, limits};

fuzz_target!(|bytes: &[u8]| {
    let Some((piece, stream)) = bytes.split_first() else { return };
    for most in [limits::FIRST_FRAME, limits::FRAME] {
        cut(usize::from(*piece).max(1), stream, most);
    }
});

fn cut(piece: usize, stream: &[u8], most: usize) {
    let mut decoder = frame::Decoder::new(most);
    let mut again = Vec::new();
    for piece in stream.chunks(piece) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(payload)) => {
                    assert!(payload.len() <= most);
                    again.extend(frame::encode(&payload).expect("it came in a frame"));
                }
                Ok(None) => break,
                Err(_) => return assert!(stream.starts_with(&again)),
            }
        }
    }
    assert!(stream.starts_with(&again));
}
