//! The frames that strangers send in clear.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_wire::hello::{KnockHello, LinkChoice, LinkHello};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(hello) = LinkHello::decode(bytes) {
        assert_eq!(LinkHello::decode(&hello.encode()), Ok(hello));
    }
    if let Ok(choice) = LinkChoice::decode(bytes) {
        assert_eq!(LinkChoice::decode(&choice.encode()), Ok(choice));
    }
    if let Ok(hello) = KnockHello::decode(bytes) {
        assert_eq!(KnockHello::decode(&hello.encode()), Ok(hello));
    }
});
