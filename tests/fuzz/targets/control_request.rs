//! What any process of this user may write to the control socket.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_api::{Hello, Request};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|bytes: &[u8]| {
    round_trip::<Hello>(bytes);
    round_trip::<Request>(bytes);
});

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        let again = serde_json::to_vec(&value).expect("it came as JSON");
        assert_eq!(serde_json::from_slice::<T>(&again).ok(), Some(value));
    }
}
