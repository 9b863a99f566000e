//! Who may import whom, and what may never be in a crate, however it would get there.

use std::collections::BTreeSet;
use std::process::Command;

use crate::tree::{none, root};

struct Wall {
    name: &'static str,
    /// Crates of this workspace that it may import.
    may: &'static [&'static str],
    /// Crates that it must not contain, not even through others.
    never: &'static [&'static str],
}

const RUNTIME: &[&str] = &["tokio", "libp2p", "fjall", "mio", "getrandom", "async-std", "smol"];
const KEYS_AND_NETWORK: &[&str] = &["libp2p", "fjall", "ed25519-dalek", "snow", "chacha20poly1305", "argon2"];

/// It looks at texts and does nothing.
const GUARD: &[&str] = &["tokio", "libp2p", "fjall", "mio", "getrandom", "ed25519-dalek", "snow", "chacha20poly1305"];

const WALLS: [Wall; 8] = [
    Wall {
        name: "pairwave-wire",
        may: &[],
        never: &["tokio", "libp2p", "fjall", "mio", "getrandom", "ed25519-dalek", "snow", "chacha20poly1305"],
    },
    Wall { name: "pairwave-core", may: &["pairwave-wire"], never: RUNTIME },
    Wall { name: "pairwave-guard", may: &[], never: GUARD },
    Wall { name: "pairwave-api", may: &[], never: KEYS_AND_NETWORK },
    Wall {
        name: "pairwave-daemon",
        may: &["pairwave-api", "pairwave-core", "pairwave-guard", "pairwave-wire"],
        never: &["rmcp", "clap", "axum"],
    },
    // It has nothing that could open a message.
    Wall { name: "relay-node", may: &["pairwave-wire"], never: &["pairwave-core", "vodozemac", "rmcp", "clap"] },
    Wall { name: "mcp", may: &["pairwave-api"], never: KEYS_AND_NETWORK },
    Wall { name: "web", may: &["pairwave-api"], never: KEYS_AND_NETWORK },
];

/// The binary may import all of them; its tests too.
const BINARY: &str = "pairwave";

#[test]
fn every_crate_has_its_wall() {
    let known: BTreeSet<String> = WALLS.iter().map(|wall| wall.name).chain([BINARY]).map(str::to_owned).collect();
    assert_eq!(ours(), known, "a crate without a wall is a module: give it a wall here, or make it one");
}

#[test]
fn crates_import_only_what_they_may() {
    let ours = ours();
    let mut breaches = Vec::new();
    for wall in &WALLS {
        let direct = tree(wall.name, &["--depth", "1"]);
        for name in direct.iter().filter(|name| ours.contains(*name) && *name != wall.name) {
            if !wall.may.contains(&name.as_str()) {
                breaches.push(format!("{} imports {name}", wall.name));
            }
        }
    }
    none("breached walls", &breaches);
}

#[test]
fn crates_contain_nothing_that_is_not_theirs() {
    let mut breaches = Vec::new();
    for wall in &WALLS {
        let all = tree(wall.name, &[]);
        assert!(all.contains(wall.name), "`cargo tree` shows {} itself", wall.name);
        for name in wall.never.iter().filter(|name| all.contains(**name)) {
            breaches.push(format!("{} contains {name}: see `cargo tree -p {} -i {name}`", wall.name, wall.name));
        }
    }
    none("breached walls", &breaches);
}

/// Names of the workspace's crates.
fn ours() -> BTreeSet<String> {
    let json = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"]);
    let metadata: serde_json::Value = serde_json::from_str(&json).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|package| package["name"].as_str().expect("a name").to_owned()).collect()
}

/// Names of everything that a crate is built from, on this platform.
fn tree(name: &str, more: &[&str]) -> BTreeSet<String> {
    let mut arguments =
        vec!["tree", "--offline", "--locked", "-p", name, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    arguments.extend(more);
    let listed = cargo(&arguments);
    listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("UTF-8")
}
