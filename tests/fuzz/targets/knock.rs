//! Frames of a stranger, cut by their length fields, at both ends of a knock. Nobody who does not
//! hold the key gets as far as a decision.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::id::RoomId;
use pairwave_core::key::{Identity, KnockKey};
use pairwave_core::knock::{Answer, Knocker, Porter};
use pairwave_wire::hello::{InviteLabel, KnockHello};
use pairwave_wire::{TransportId, frame, limits, protocol};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
    at_the_porter(&frames);
    at_the_porter_with_our_hello(&frames);
    at_the_knocker(&frames);
});

fn at_the_porter(frames: &[Vec<u8>]) {
    let Some((hello, rest)) = frames.split_first() else { return };
    let Ok(mut porter) = Porter::greet(transport(1), transport(2), hello) else { return };
    assert!(porter.unlock(&key(), &mut rng(1)).is_err());
    for frame in rest {
        assert!(porter.receive(&identity(1), frame).is_err());
    }
}

/// As one who replays a first frame that was overheard.
fn at_the_porter_with_our_hello(frames: &[Vec<u8>]) {
    let (_, hello) = knocker();
    assert!(KnockHello::decode(&hello).is_ok_and(|hello| hello.version == protocol::VERSION));
    let Ok(mut porter) = Porter::greet(transport(1), transport(2), &hello) else { return };
    assert!(porter.unlock(&key(), &mut rng(1)).is_ok());
    for frame in frames {
        assert!(porter.receive(&identity(1), frame).is_err());
    }
}

fn at_the_knocker(frames: &[Vec<u8>]) {
    let (mut knocker, hello) = knocker();
    for frame in frames {
        assert!(knocker.receive(&identity(2), frame).is_err());
    }
    // And with an honest beginning.
    let (mut knocker, _) = self::knocker();
    let Ok(mut porter) = Porter::greet(transport(1), transport(2), &hello) else { return };
    let Ok(second) = porter.unlock(&key(), &mut rng(1)) else { return };
    assert!(matches!(knocker.receive(&identity(2), &second), Ok(Answer::Send(_))));
    for frame in frames {
        assert!(knocker.receive(&identity(2), frame).is_err());
    }
}

fn knocker() -> (Knocker, Vec<u8>) {
    let (room, label) = (RoomId([9; 32]), InviteLabel([8; 16]));
    Knocker::new(room, label, &key(), &transport(2), &transport(1), "bob", &mut rng(2)).expect("a short name")
}

fn key() -> KnockKey {
    KnockKey::new([7; 32])
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
