//! The core is deterministic and performs no IO; wire only speaks of bytes.

use crate::tree::{File, files, none};

/// What reads a clock, draws randomness, iterates in no order, waits, or touches the world.
const IMPURE: [(&str, &str); 13] = [
    ("SystemTime", "time comes in as an argument"),
    ("Instant::", "time comes in as an argument"),
    ("tokio", "the core does not wait"),
    ("async fn", "the core does not wait"),
    ("async move", "the core does not wait"),
    (".await", "the core does not wait"),
    ("HashMap", "its order is not data: take a BTreeMap"),
    ("HashSet", "its order is not data: take a BTreeSet"),
    ("OsRng", "randomness comes in as an argument"),
    ("std::fs", "the core performs no IO"),
    ("std::net", "the core performs no IO"),
    ("std::thread", "the core has no threads"),
    ("std::env", "the core reads no environment"),
];

#[test]
fn the_core_is_pure() {
    let mut findings = Vec::new();
    for file in files(&["node/core/src/", "node/wire/src/"], &[".rs"]) {
        for (number, line) in shipped(&file) {
            let code = line.split("//").next().unwrap_or("");
            for (word, reason) in IMPURE {
                if code.contains(word) {
                    findings.push(format!("{}:{number}: {word}: {reason}", file.path));
                }
            }
        }
    }
    none("impure", &findings);
}

#[test]
fn the_invariants_are_tests_of_their_names() {
    let sources: String =
        files(&["node/core/", "tests/sim/"], &[".rs"]).into_iter().map(|file| file.text + "\n").collect();
    let missing: Vec<String> = [
        "the_log_is_the_truth",
        "order_is_data",
        "write_then_speak",
        "one_door",
        "outcomes_are_values",
        "removal_beats_concurrency",
        "replay_a_bug",
    ]
    .iter()
    .filter(|name| !sources.contains(&format!("fn {name}(")))
    .map(|name| (*name).to_owned())
    .collect();
    none("invariants without a test of that name", &missing);
}

/// The lines before the file's tests, numbered from 1.
fn shipped(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.take_while(|(_, line)| line.trim() != "#[cfg(test)]")
}
