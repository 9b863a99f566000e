//! What claims to be a signed event. The fuzzer cannot sign, so its bytes are also signed for it:
//! what can be signed and decoded must come back byte for byte, and be the same to who reads the log.
//! (A body alone may have said `null` where it could have said nothing, so an event is compared by what
//! it means.)
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::event::{Event, SignedEvent};
use pairwave_core::key::{Domain, Identity};
use pairwave_core::log::{Position, Record};
use pairwave_wire::cbor;
use serde_bytes::ByteBuf;

fuzz_target!(|bytes: &[u8]| {
    signed(bytes);
    let event = Event::decode(bytes);
    if let Ok(event) = &event {
        let again = event.encode().expect("it came encoded");
        assert_eq!(Event::decode(&again).as_ref(), Ok(event));
    }
    let alice = Identity::from_secret(&[1; 32]);
    let signature = alice.sign(Domain::Event, &pairwave_core::event::id_of(bytes).0);
    if let Ok(bytes) = cbor::encode(&(ByteBuf::from(bytes), ByteBuf::from(signature))) {
        signed(&bytes);
        if let Ok(event) = event {
            assert_eq!(read_again(&event, bytes).as_ref(), Some(&event));
        }
    }
});

/// As it comes from the log, where nobody looks for other spellings.
fn read_again(event: &Event, signed: Vec<u8>) -> Option<Event> {
    let id = SignedEvent::decode(&signed).expect("a signed event").id();
    let (position, author, seq) = (Position { depth: 1, id }, event.author, event.seq);
    Record { position, author, seq, arrival: 1, clock: Vec::new(), signed }.event()
}

fn signed(bytes: &[u8]) {
    let Ok(event) = SignedEvent::decode(bytes) else { return };
    let id = event.id();
    if let Ok(event) = event.verify() {
        assert_eq!((event.id(), event.signed_bytes()), (id, bytes));
    }
}
