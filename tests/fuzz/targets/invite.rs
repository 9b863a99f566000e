//! Whatever somebody pastes where an invite or an answer line is expected.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_core::answer::Answer;
use pairwave_core::armor;
use pairwave_core::invite::Invite;

fuzz_target!(|bytes: &[u8]| {
    parse(&String::from_utf8_lossy(bytes));
    // The same as content, so that the checksum is no wall.
    for prefix in ["pairwave", "pairanswer"] {
        if let Ok(text) = armor::encode(prefix, 1, bytes) {
            assert_eq!(armor::decode(prefix, 1, &text, usize::MAX).as_deref(), Ok(bytes));
            parse(&text);
        }
    }
});

fn parse(text: &str) {
    if let Ok(answer) = text.parse::<Answer>() {
        assert_eq!(answer.to_string().parse(), Ok(answer));
    }
    if let Ok(invite) = text.parse::<Invite>() {
        assert_eq!(invite.to_string().parse(), Ok(invite));
    }
}
