//! What starts a relay as a service or in a container fits the binary that it starts.

use relay_node::LISTEN;

use crate::run::{Person, code, stderr, stdout};

const DOCKERFILE: &str = include_str!("../../relay-node/deploy/Dockerfile");
const OPERATIONS: &str = include_str!("../../docs/OPERATIONS.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// What follows this word at the beginning of a line.
fn after<'a>(text: &'a str, word: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(word));
    lines.next().unwrap_or_else(|| panic!("no line begins with {word}")).trim()
}

/// Has the binary read these arguments and do nothing.
fn is_understood(arguments: &[&str]) {
    let output = Person::new().run(&[arguments, &["--help"]].concat());
    assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map_while(|part| part.parse().ok()).collect()
}

#[test]
fn an_option_that_there_is_not_would_be_noticed() {
    let output = Person::new().run(&["relay-node", "--wrong", "--help"]);
    assert_eq!(code(&output), 2);
}

#[test]
fn the_unit_starts_what_there_is() {
    let unit = stdout(&Person::new().run(&["relay-node", "unit"]));
    let started: Vec<&str> = after(&unit, "ExecStart=").split(' ').collect();
    let (binary, arguments) = started.split_first().expect("a command");
    is_understood(arguments);
    assert!(OPERATIONS.contains(&format!("`{binary}`")), "the guide puts it elsewhere");
    let named = ["User=", "StateDirectory="].map(|setting| after(&unit, setting));
    assert!(OPERATIONS.contains(&format!("useradd --system --home-dir /var/lib/{} {}", named[1], named[0])));
    assert!(
        OPERATIONS.contains(arguments.last().expect("where the figures are")),
        "the guide looks for them elsewhere"
    );
}

#[test]
fn the_container_starts_what_there_is() {
    let entry: Vec<String> = serde_json::from_str(after(DOCKERFILE, "ENTRYPOINT ")).expect("a list");
    let entry: Vec<&str> = entry.iter().map(String::as_str).collect();
    is_understood(&entry[1..]);
    let mut exposed: Vec<&str> = after(DOCKERFILE, "EXPOSE ").split(' ').collect();
    let mut listening = LISTEN.map(|at| {
        let mut parts = at.split('/').skip(3);
        let (transport, port) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{port}/{transport}")
    });
    listening.sort();
    exposed.sort_unstable();
    exposed.iter().for_each(|port| assert!(listening.iter().any(|one| one == port), "{port} of {listening:?}"));
    listening.iter().for_each(|port| assert!(exposed.contains(&port.as_str()), "{port} is not exposed"));
}

#[test]
fn the_container_is_built_by_a_compiler_that_is_new_enough() {
    let image = version(after(DOCKERFILE, "FROM rust:").split('-').next().expect("a version"));
    let least = version(after(MANIFEST, "rust-version = ").trim_matches('"'));
    assert!(image >= least && least.len() >= 2, "{image:?} is older than {least:?}");
}

#[test]
fn the_container_is_built_from_the_tree_alone() {
    let left_out: Vec<&str> = include_str!("../../.dockerignore").lines().collect();
    assert!([".git", "**/target"].iter().all(|one| left_out.contains(one)), "{left_out:?}");
}
