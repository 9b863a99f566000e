//! The files under version control, as the checks see them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One file of the tree. Its path is relative to the root, with `/` between the parts.
pub struct File {
    pub path: String,
    pub text: String,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file that is tracked, or would be by `git add .`, below any of these prefixes and with
/// one of these endings. Empty lists mean all.
pub fn files(prefixes: &[&str], endings: &[&str]) -> Vec<File> {
    paths()
        .into_iter()
        .filter(|path| prefixes.is_empty() || prefixes.iter().any(|prefix| path.starts_with(prefix)))
        .filter(|path| endings.is_empty() || endings.iter().any(|ending| path.ends_with(ending)))
        .filter_map(|path| Some(File { text: std::fs::read_to_string(root().join(&path)).ok()?, path }))
        .collect()
}

pub fn paths() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    if !output.status.success() {
        return walk(&root());
    }
    let listed = String::from_utf8(output.stdout).expect("paths are UTF-8");
    listed.lines().map(str::to_owned).filter(|path| root().join(path).is_file()).collect()
}

/// For a source archive without a repository.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !["target", ".git", "node_modules"].contains(&name.as_str()) {
                folders.push(path);
            } else if path.is_file() {
                let relative = path.strip_prefix(root()).expect("below the root");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

/// Fails with every finding, one a line.
pub fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

#[test]
fn the_tree_is_seen() {
    let paths = paths();
    assert!(paths.iter().any(|path| path == "Cargo.toml"));
    assert!(files(&["node/core/src/"], &[".rs"]).len() > 10);
}
