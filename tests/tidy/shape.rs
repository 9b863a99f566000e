//! Files: how long, what they are called, what may not stand in them.

use crate::tree::{files, none, paths};

/// Two concepts begin about here.
const LINES: usize = 600;

/// The top level is fixed.
const TOP: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs",
    "mcp",
    "node",
    "relay-node",
    "tests",
    "web",
];

#[test]
fn no_file_holds_two_concepts() {
    let long: Vec<String> = files(&[], &[".rs"])
        .iter()
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines, at most {LINES}"))
        .collect();
    none("files that are too long", &long);
}

#[test]
fn files_are_named_after_a_concept() {
    let vague: Vec<String> = paths()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .filter(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"].contains(&name)
        })
        .collect();
    none("files with a name that says nothing", &vague);
}

#[test]
fn types_are_named_after_a_concept() {
    let mut vague = Vec::new();
    for file in files(&["node/", "relay-node/", "mcp/", "web/"], &[".rs"]) {
        for (number, line) in file.text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            while let Some(word) = words.next() {
                if !["struct", "enum", "trait"].contains(&word) {
                    continue;
                }
                let name = words.next().unwrap_or("");
                if ["Manager", "Helper", "Utils"].iter().any(|vagueness| name.ends_with(vagueness)) {
                    vague.push(format!("{}:{}: {name}", file.path, number + 1));
                }
            }
        }
    }
    none("types with a name that says nothing", &vague);
}

#[test]
fn the_top_level_is_fixed() {
    let strange: Vec<String> = paths()
        .into_iter()
        .filter_map(|path| path.split('/').next().map(str::to_owned))
        .filter(|top| !top.starts_with('.') && !TOP.contains(&top.as_str()))
        .collect();
    none("unknown at the top level", &strange);
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    // Put together here, so that this file does not find itself.
    let words = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME"), concat!("X", "XX")];
    let phrases = [concat!("not yet ", "implemented"), concat!("not ", "implemented")];
    let mut findings = Vec::new();
    for file in files(&["node/", "relay-node/", "mcp/", "web/", "tests/"], &[".rs", ".js"]) {
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            if words.iter().any(|word| line.contains(word)) || phrases.iter().any(|phrase| lower.contains(phrase)) {
                findings.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    none("unfinished", &findings);
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let folders = [concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/wt"), concat!("/wo", "rk/main")];
    let mut findings = Vec::new();
    for file in files(&[], &[".rs", ".js", ".md", ".toml", ".json", "run", ".lock"]) {
        for (number, line) in file.text.lines().enumerate() {
            if folders.iter().any(|folder| line.contains(folder)) {
                findings.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    none("paths of one machine", &findings);
}

#[test]
fn the_lock_of_the_browser_tests_names_no_registry() {
    let named: Vec<String> = files(&["tests/browser/"], &["package-lock.json"])
        .into_iter()
        .filter(|file| file.text.contains("\"resolved\"") || file.text.contains("://"))
        .map(|file| format!("{}: `omit-lockfile-registry-resolved` in .npmrc keeps it out", file.path))
        .collect();
    none("hosts of a registry", &named);
}

#[test]
fn every_fuzz_target_has_a_corpus_and_is_built() {
    let manifest =
        std::fs::read_to_string(crate::tree::root().join("tests/fuzz/Cargo.toml")).expect("the fuzz workspace");
    let paths = paths();
    let targets: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"')).collect();
    let mut findings = Vec::new();
    for name in ["frame", "event", "invite", "control_request"] {
        if !targets.iter().any(|target| target.ends_with(&format!("{name}.rs"))) {
            findings.push(format!("{name}: a decoder without a fuzz target"));
        }
    }
    for target in targets {
        let name = target.rsplit('/').next().unwrap_or(target).trim_end_matches(".rs");
        if !paths.iter().any(|path| path.starts_with(&format!("tests/fuzz/corpus/{name}/"))) {
            findings.push(format!("{name}: no corpus in tests/fuzz/corpus/{name}"));
        }
    }
    none("fuzz targets", &findings);
}
