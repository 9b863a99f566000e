//! The messages of an exchange of words, what a human enters, and texts that are searched for words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::sas::{Exchange, SasMessage, Step};
use pairwave_core::time::Timestamp;
use pairwave_wire::cbor;

const ROOM: RoomId = RoomId([9; 32]);

fuzz_target!(|bytes: &[u8]| {
    if let Ok(messages) = cbor::decode::<Vec<SasMessage>>(bytes, 4096) {
        let (mut alice, _) = start(1, 2);
        for message in &messages {
            let ready = alice.receive(message) == Ok(Step::Ready);
            assert!(!ready || alice.say().is_some());
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let (mut alice, mut bob) = (start(1, 2), start(2, 1));
    let reveal = |step| match step {
        Ok(Step::Reveal(message)) => message,
        other => panic!("{other:?}"),
    };
    let (from_alice, from_bob) = (reveal(alice.0.receive(&bob.1)), reveal(bob.0.receive(&alice.1)));
    assert_eq!((alice.0.receive(&from_bob), bob.0.receive(&from_alice)), (Ok(Step::Ready), Ok(Step::Ready)));
    let expected = bob.0.say().expect("ready").0;
    if alice.0.heard(&text).is_ok() {
        let entered = text.to_lowercase();
        assert!(expected.iter().all(|word| entered.contains(&word[..word.len().min(4)])));
        assert!(alice.0.contains_expected(&text));
    }
    assert!(bob.0.contains_own_half(&format!("{text} {}", expected.concat())));
});

fn start(me: u8, peer: u8) -> (Exchange, SasMessage) {
    Exchange::start(ROOM, MemberId([me; 32]), MemberId([peer; 32]), [me; 32], Timestamp(0))
}
