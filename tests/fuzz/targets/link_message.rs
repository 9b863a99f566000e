//! What a member, or somebody with its key, says on a link. It may have said `null` where it could have
//! said nothing, so a message is compared by what it means.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::event::SignedEvent;
use pairwave_core::message::LinkMessage;
use pairwave_core::ranges::Ranges;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = LinkMessage::decode(bytes) else { return };
    assert_eq!(LinkMessage::decode(&message.encode()).as_ref(), Ok(&message));
    match message {
        LinkMessage::Shown(ranges) => merge(&ranges),
        LinkMessage::Events(events) => {
            for event in events {
                let _ = SignedEvent::decode(&event).map(SignedEvent::verify);
            }
        }
        _ => {}
    }
});

fn merge(ranges: &Ranges) {
    let mut all = Ranges::default();
    all.merge(ranges);
    assert_eq!(&all, ranges);
    assert!(!all.merge(ranges));
}
