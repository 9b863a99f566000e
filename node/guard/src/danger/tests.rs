use std::collections::HashSet;

use super::rules::Seen;
use super::*;

fn ids(warnings: &[Warning]) -> Vec<&'static str> {
    warnings.iter().map(|warning| warning.rule).collect()
}

fn command(command: &str) -> Vec<&'static str> {
    ids(&judge(&Action::RunCommand { command }).warnings)
}

/// An example of a rule's row; `$ ` marks a command where the row is not of commands.
fn example(seen: Seen, text: &str) -> Judgement {
    if let Some(command) = text.strip_prefix("$ ") {
        return judge(&Action::RunCommand { command });
    }
    match seen {
        Seen::Call(_) | Seen::Command => judge(&Action::RunCommand { command: text }),
        Seen::Url => judge(&Action::FetchUrl { url: text }),
        Seen::Path => judge(&Action::WriteFile { path: text, content: "" }),
        Seen::Patch => judge(&Action::ApplyPatch { patch: text }),
        Seen::Content(path) => judge(&Action::WriteFile { path, content: text }),
    }
}

#[test]
fn every_rule_flags_its_dangerous_examples() {
    let mut missed = Vec::new();
    for rule in rules::all() {
        for text in rule.dangerous {
            let judgement = example(rule.seen, text);
            if !ids(&judgement.warnings).contains(&rule.id) || judgement.risk != Risk::High {
                missed.push(format!("{}: {text:?} gives {:?}", rule.id, ids(&judgement.warnings)));
            }
        }
    }
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
}

#[test]
fn no_rule_flags_a_harmless_example() {
    let mut flagged = Vec::new();
    for rule in rules::all() {
        for text in rule.harmless {
            let judgement = example(rule.seen, text);
            if !judgement.warnings.is_empty() {
                flagged.push(format!("{}: {text:?} gives {:?}", rule.id, judgement.warnings));
            }
        }
    }
    assert!(flagged.is_empty(), "flagged:\n{}", flagged.join("\n"));
}

#[test]
fn the_table_is_whole() {
    let mut seen = HashSet::new();
    let (mut dangerous, mut harmless) = (0, 0);
    for rule in rules::all() {
        assert!(seen.insert(rule.id), "{} is there twice", rule.id);
        assert!(rule.reason.ends_with('.') && !rule.dangerous.is_empty(), "{}", rule.id);
        dangerous += rule.dangerous.len();
        harmless += rule.harmless.len();
    }
    assert!(dangerous >= 80 && harmless >= 80, "{dangerous} dangerous and {harmless} harmless examples");
}

#[test]
fn risks_are_as_promised() {
    assert_eq!(judge(&Action::RunCommand { command: "ls" }).risk, Risk::High);
    assert_eq!(judge(&Action::WriteFile { path: "a", content: "b" }).risk, Risk::Medium);
    assert_eq!(judge(&Action::ApplyPatch { patch: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n" }).risk, Risk::Medium);
    assert_eq!(judge(&Action::FetchUrl { url: "https://example.com" }).risk, Risk::Low);
    assert_eq!(judge(&Action::FetchUrl { url: "http://10.0.0.1" }).risk, Risk::High);
    assert_eq!(command(""), [""; 0]);
}
