//! What a peer asks to be done here: read as a command, a patch, an address and a file, whatever it is.
//! Nothing that is asked may take long, and what is flagged is high.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pairwave_guard::danger::{Action, Risk, inspect, judge};
use pairwave_guard::patch::Patch;

// The shell's parser may fail over a text, which is caught where it is called; what is not caught is a crash.
fuzz_target!(init: drop(std::panic::take_hook()), |bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (path, content) = text.split_once('\n').unwrap_or(("x.sh", &text));
    let actions = [
        Action::RunCommand { command: &text },
        Action::ApplyPatch { patch: &text },
        Action::FetchUrl { url: &text },
        Action::WriteFile { path, content },
    ];
    for action in actions {
        let judgement = judge(&action);
        assert!(judgement.warnings.is_empty() || judgement.risk == Risk::High);
    }
    inspect(content, false, None);
    if let Ok(patch) = Patch::parse(&text) {
        assert!(!patch.paths().is_empty());
    }
});
