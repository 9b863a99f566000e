//! What claims to be a signed event. The fuzzer cannot sign, so its bytes are also signed for it:
//! what can be signed and decoded must come back byte for byte. (A body alone may have said `null`
//! where it could have said nothing, so an event is compared by what it means.)
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::event::{Event, SignedEvent};
use pairwave_core::key::{Domain, Identity};
use pairwave_wire::cbor;
use serde_bytes::ByteBuf;

fuzz_target!(|bytes: &[u8]| {
    signed(bytes);
    if let Ok(event) = Event::decode(bytes) {
        let again = event.encode().expect("it came encoded");
        assert_eq!(Event::decode(&again), Ok(event));
    }
    let alice = Identity::from_secret(&[1; 32]);
    let signature = alice.sign(Domain::Event, &pairwave_core::event::id_of(bytes).0);
    if let Ok(bytes) = cbor::encode(&(ByteBuf::from(bytes), ByteBuf::from(signature))) {
        signed(&bytes);
    }
});

fn signed(bytes: &[u8]) {
    let Ok(event) = SignedEvent::decode(bytes) else { return };
    let id = event.id();
    if let Ok(event) = event.verify() {
        assert_eq!((event.id(), event.signed_bytes()), (id, bytes));
    }
}
