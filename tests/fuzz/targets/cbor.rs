//! Any value has one encoding. The messages that cross inside of channels mean the same when they are
//! encoded again.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::knock::Welcome;
use pairwave_core::sas::SasMessage;
use pairwave_wire::{cbor, limits};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = cbor::decode::<ciborium::Value>(bytes, limits::MESSAGE) {
        assert_eq!(cbor::encode(&value).as_deref(), Ok(bytes));
    }
    round_trip::<Welcome>(bytes);
    round_trip::<SasMessage>(bytes);
    round_trip::<EpochKeys>(bytes);
});

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = cbor::decode::<T>(bytes, limits::MESSAGE) {
        let again = cbor::encode(&value).expect("it came encoded");
        assert_eq!(cbor::decode::<T>(&again, again.len()), Ok(value));
    }
}
