//! Any value, and the messages that cross inside of channels: what decodes has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::knock::Welcome;
use pairwave_core::sas::SasMessage;
use pairwave_wire::{cbor, limits};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|bytes: &[u8]| {
    round_trip::<ciborium::Value>(bytes);
    round_trip::<Welcome>(bytes);
    round_trip::<SasMessage>(bytes);
    round_trip::<EpochKeys>(bytes);
});

fn round_trip<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = cbor::decode::<T>(bytes, limits::MESSAGE) {
        assert_eq!(cbor::encode(&value).as_deref(), Ok(bytes));
    }
}
