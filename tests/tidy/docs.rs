//! The documents: links lead somewhere, and the words of the house are explained.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tree::{File, files, none, root};

/// One word, one thing. Each is explained in the glossary.
const WORDS: [&str; 32] = [
    "event",
    "author",
    "parents",
    "heads",
    "depth",
    "genesis",
    "fold",
    "have",
    "want",
    "room",
    "member",
    "session",
    "companion",
    "link",
    "circuit",
    "reservation",
    "relay",
    "mailbox",
    "letter",
    "blob",
    "charter",
    "floor",
    "hop",
    "gate",
    "quarantine",
    "ledger",
    "handoff",
    "invite",
    "knock",
    "epoch",
    "signal",
    "arrival",
];

const DOCUMENTS: [&str; 7] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "GLOSSARY.md",
    "OPERATIONS.md",
    "PROTOCOL.md",
    "THREAT-MODEL.md",
];

#[test]
fn the_documents_are_there() {
    let missing: Vec<String> =
        DOCUMENTS.iter().map(|name| format!("docs/{name}")).filter(|path| !root().join(path).is_file()).collect();
    none("missing documents", &missing);
}

#[test]
fn the_glossary_explains_every_word() {
    let glossary = std::fs::read_to_string(root().join("docs/GLOSSARY.md")).expect("the glossary");
    let explained: BTreeSet<String> = glossary
        .lines()
        .filter_map(|line| line.strip_prefix("**")?.split("**").next())
        .flat_map(|names| names.split(" / ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let missing: Vec<String> =
        WORDS.iter().filter(|word| !explained.contains(**word)).map(|word| (*word).to_owned()).collect();
    none("words without an entry in docs/GLOSSARY.md", &missing);
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for file in files(&[], &[".md"]) {
        for target in links(&file.text) {
            if let Some(problem) = problem(&file, &target) {
                broken.push(format!("{}: {target}: {problem}", file.path));
            }
        }
    }
    none("broken links", &broken);
}

#[test]
fn the_documents_name_only_protocols_that_exist() {
    let source = std::fs::read_to_string(root().join("node/wire/src/protocol.rs")).expect("the protocol names");
    let protocol = std::fs::read_to_string(root().join("docs/PROTOCOL.md")).expect("the protocol document");
    for name in ["/pairwave/room/1", "/pairwave/knock/1", "/pairwave/mailbox/1", "/pairwave/lookup/1"] {
        assert!(source.contains(name) && protocol.contains(name), "{name} is in the code and in docs/PROTOCOL.md");
    }
}

/// Targets of inline links, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for (index, _) in prose.match_indices("](") {
            if let Some(end) = prose[index..].find(')') {
                found.push(prose[index + 2..index + end].to_owned());
            }
        }
    }
    found
}

fn problem(file: &File, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("mailto:") {
        return None;
    }
    if target.contains("://") {
        return Some("only https".to_owned());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let found = if path.is_empty() { root().join(&file.path) } else { root().join(folder).join(path) };
    if !found.exists() {
        return Some("no such file".to_owned());
    }
    let anchored = anchor.is_empty()
        || std::fs::read_to_string(found).is_ok_and(|text| headings(&text).contains(&anchor.to_owned()));
    (!anchored).then(|| "no such heading".to_owned())
}

/// Anchors as the usual renderers make them.
fn headings(text: &str) -> Vec<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles
        .map(|title| {
            let kept = title.to_lowercase().replace(' ', "-");
            kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
        })
        .collect()
}

#[test]
fn a_broken_link_is_found() {
    let file = File { path: "docs/GLOSSARY.md".to_owned(), text: String::new() };
    assert!(problem(&file, "NOWHERE.md").is_some());
    assert!(problem(&file, "GLOSSARY.md#no-such-heading").is_some());
    assert!(problem(&file, "../Cargo.toml").is_none());
    assert_eq!(links("a [b](c.md) [d](e#f) `[g](h)`\n```\n[x](y)\n```"), ["c.md", "e#f"]);
}
