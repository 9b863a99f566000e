//! What a companion and a relay send each other: a relay reads it from anybody, and a companion
//! from a relay that may mean harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use pairwave_wire::{limits, parcel};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = MailboxRequest::decode(bytes) {
        assert_eq!(MailboxRequest::decode(&request.encode()), Ok(request));
    }
    if let Ok(answer) = MailboxAnswer::decode(bytes) {
        assert_eq!(MailboxAnswer::decode(&answer.encode()), Ok(answer));
    }
    if let Ok(request) = LookupRequest::decode(bytes) {
        assert_eq!(LookupRequest::decode(&request.encode()), Ok(request));
    }
    if let Ok(answer) = LookupAnswer::decode(bytes) {
        assert_eq!(LookupAnswer::decode(&answer.encode()), Ok(answer));
    }
    if let Some(header) = bytes.first_chunk()
        && let Ok(length) = parcel::length(*header)
    {
        assert!(length <= limits::RELAY_MESSAGE);
    }
});
