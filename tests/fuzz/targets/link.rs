//! Frames of a stranger, cut by their length fields, at both ends of a link. Nobody who does not
//! hold an epoch's key gets as far as a proof.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::key::{EpochKey, Identity};
use pairwave_core::link::{Acceptor, Greeting, Opener, Step};
use pairwave_wire::{TransportId, frame, limits};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const ROOM: RoomId = RoomId([9; 32]);
const EPOCH: EventId = EventId([8; 32]);

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = frame::Decoder::new(limits::FIRST_FRAME);
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = decoder.next_frame() {
        frames.push(frame);
    }
    if frames.is_empty() {
        return;
    }
    at_the_acceptor(&frames);
    at_the_acceptor_with_our_hello(&frames);
    at_the_opener(&frames);
});

fn at_the_acceptor(frames: &[Vec<u8>]) {
    let Some(hello) = frames.first() else { return };
    assert!(!matches!(greet(hello), Ok(Greeting::Common { .. })));
}

/// As one who replays a first frame that was overheard.
fn at_the_acceptor_with_our_hello(frames: &[Vec<u8>]) {
    let (_, hello) = opener();
    let Ok(Greeting::Common { mut acceptor, .. }) = greet(&hello) else { panic!("our own tags") };
    for frame in frames {
        assert!(acceptor.receive(&identity(1), frame).is_err());
        assert!(acceptor.admit(&identity(1)).is_err());
    }
}

fn at_the_opener(frames: &[Vec<u8>]) {
    let (mut opener, _) = opener();
    for frame in frames {
        // A guess at the choice is as good as any; what follows is not.
        match opener.receive(&identity(2), frame) {
            Ok(Step::Send(_)) | Err(_) => {}
            Ok(step) => panic!("{step:?}"),
        }
        assert!(opener.admit().is_err());
    }
}

fn opener() -> (Opener, Vec<u8>) {
    Opener::new(ROOM, &transport(2), &transport(1), [(EPOCH, &key())], &mut rng(2))
}

fn greet(hello: &[u8]) -> Result<Greeting, pairwave_core::link::LinkError> {
    Acceptor::greet(&transport(1), &transport(2), hello, [(ROOM, EPOCH, &key())], &mut rng(1))
}

fn key() -> EpochKey {
    EpochKey::new([7; 32])
}

fn identity(number: u8) -> Identity {
    Identity::from_secret(&[number; 32])
}

fn transport(number: u8) -> TransportId {
    TransportId::new([number; 38]).expect("38 bytes")
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}
