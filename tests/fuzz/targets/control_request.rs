//! What any process of this user may write to the control socket: a stream of frames, the first a
//! greeting, and, as a fuzzer seldom hits a length, all of it as one frame.
#![no_main]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use pairwave_api::Hello;
use pairwave_api::control::{FRAME_MAX, FrameError, FromFace, decode, encode, read_frame};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|bytes: &[u8]| {
    let mut stream = bytes;
    let mut greeted = false;
    while let Ok(Some(frame)) = next(&mut stream) {
        assert!(frame.len() <= FRAME_MAX);
        if greeted {
            round_trip::<FromFace>(&frame)
        } else {
            round_trip::<Hello>(&frame)
        }
        greeted = true;
    }
    round_trip::<Hello>(bytes);
    round_trip::<FromFace>(bytes);
});

/// What is in memory never makes anybody wait.
fn next(stream: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
    match pin!(read_frame(stream)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(frame) => frame,
        Poll::Pending => panic!("a slice waits for nobody"),
    }
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = decode::<T>(bytes) {
        let again = encode(&value).expect("it came as JSON");
        assert_eq!(decode::<T>(&again).ok(), Some(value));
    }
}
