//! Ordinary sources hold no secrets: this repository, tokio, clap and libp2p as Cargo unpacked them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use pairwave_guard::secrets::{Finding, scan};

/// What is found and is one: in which tree, how the file's path ends, by which rule.
const TRUE: &[(&str, &str, &str)] = &[
    // Invites, which open rooms that never were.
    ("pairwave", "tests/vectors/invite.json", "pairwave-invite"),
    ("pairwave", "tests/fuzz/corpus/invite/text-0", "pairwave-invite"),
    ("pairwave", "tests/fuzz/corpus/invite/text-2", "pairwave-invite"),
    ("pairwave", "tests/fuzz/corpus/invite/text-5", "pairwave-invite"),
    ("pairwave", "tests/fuzz/corpus/invite/text-7", "pairwave-invite"),
];

#[test]
fn this_repository() {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    let listed = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let files: Vec<PathBuf> =
        listed.split('\0').filter(|path| !path.is_empty()).map(|path| root().join(path)).collect();
    assert!(files.len() > 100, "`git ls-files` lists this repository");
    quiet("pairwave", &files);
}

#[test]
fn tokio() {
    quiet("tokio", &unpacked(&["tokio"]));
}

#[test]
fn clap() {
    quiet("clap", &unpacked(&["clap", "clap_builder", "clap_derive", "clap_lex"]));
}

#[test]
fn libp2p() {
    let names = libp2p_crates();
    assert!(names.len() > 10, "libp2p consists of many crates: {names:?}");
    quiet("libp2p", &unpacked(&names));
}

/// Fails with everything that is found and not expected, and everything that is expected and not found.
fn quiet(tree: &str, files: &[PathBuf]) {
    let mut expected: Vec<(&str, &str)> =
        TRUE.iter().filter(|row| row.0 == tree).map(|(_, path, rule)| (*path, *rule)).collect();
    let mut alarms = Vec::new();
    let mut seen = Vec::new();
    for file in files {
        // What is not text is no source.
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        for finding in scan(&text) {
            match expected.iter().find(|(path, rule)| file.ends_with(path) && *rule == finding.rule) {
                Some(row) => seen.push(*row),
                None => alarms.push(describe(file, &text, &finding)),
            }
        }
    }
    expected.retain(|row| !seen.contains(row));
    assert!(alarms.is_empty(), "{} false alarms in {tree}:\n  {}", alarms.len(), alarms.join("\n  "));
    assert!(expected.is_empty(), "no longer found in {tree}, take them out of the list: {expected:?}");
}

fn describe(file: &Path, text: &str, finding: &Finding) -> String {
    let line = text[..finding.place.start].lines().count().max(1);
    format!("{}:{line}: {}: {}", file.display(), finding.rule, finding.excerpt)
}

fn libp2p_crates() -> Vec<&'static str> {
    let is_part = |name: &&str| *name == "libp2p" || name.starts_with("libp2p-");
    PACKAGES.iter().map(|(name, _)| name.as_str()).filter(is_part).collect()
}

/// Every file of these crates. A crate that Cargo has not unpacked fails the test.
fn unpacked(names: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in names {
        let found: Vec<_> = PACKAGES.iter().filter(|(package, _)| package == name).collect();
        assert!(!found.is_empty(), "{name} is no dependency any more: name one that is");
        for (_, folder) in found {
            let before = files.len();
            walk(folder, &mut files);
            assert!(files.len() > before + 3, "{} is empty: run `cargo fetch`", folder.display());
        }
    }
    files
}

/// Names and folders of everything that this workspace is built from.
static PACKAGES: LazyLock<Vec<(String, PathBuf)>> = LazyLock::new(packages);

fn packages() -> Vec<(String, PathBuf)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let folder = |manifest: String| Path::new(&manifest).parent().expect("a folder").to_path_buf();
    packages.iter().map(|package| (text(&package["name"]), folder(text(&package["manifest_path"])))).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
