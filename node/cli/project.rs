//! What git says of the folder that a command runs in. Only the command line asks: the companion reads
//! no project.

use std::path::Path;
use std::process::Command;

/// The commit that is checked out, as it is announced to others.
pub struct Head {
    pub sha: String,
    /// The first line of its message.
    pub subject: String,
    /// The files that it touches, from the top of the repository.
    pub paths: Vec<String>,
}

/// Most paths of a commit; beyond it the folders are named, and then only the first of those.
const PATHS: usize = 128;

/// Where the repository comes from, if it has a remote; else the name of its folder.
pub fn repository(dir: &Path) -> Option<String> {
    let remote = git(dir, &["remote", "get-url", "origin"]);
    remote.or_else(|| {
        let top = git(dir, &["rev-parse", "--show-toplevel"])?;
        Path::new(&top).file_name().map(|name| name.to_string_lossy().into_owned())
    })
}

pub fn branch(dir: &Path) -> Option<String> {
    git(dir, &["symbolic-ref", "--short", "HEAD"])
}

pub fn head_commit(dir: &Path) -> Option<String> {
    git(dir, &["rev-parse", "--verify", "HEAD"])
}

/// A commit by its name in git.
pub fn commit(dir: &Path, name: &str) -> Option<Head> {
    let sha = git(dir, &["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")])?;
    let subject = git(dir, &["show", "--no-patch", "--format=%s", &sha])?;
    let paths = listed(dir, &["show", "--name-only", "--no-renames", "--format=", "-z", &sha])?;
    Some(Head { sha, subject, paths: fewer(paths) })
}

/// What the next commit touches, from the top of the repository.
pub fn staged(dir: &Path) -> Option<Vec<String>> {
    listed(dir, &["diff", "--cached", "--name-only", "--no-renames", "-z"])
}

fn git(dir: &Path, arguments: &[&str]) -> Option<String> {
    let output = run(dir, arguments)?;
    let text = String::from_utf8_lossy(&output).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn listed(dir: &Path, arguments: &[&str]) -> Option<Vec<String>> {
    let output = run(dir, arguments)?;
    let paths = output.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Some(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

fn run(dir: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git").current_dir(dir).args(arguments).output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn fewer(paths: Vec<String>) -> Vec<String> {
    if paths.len() <= PATHS {
        return paths;
    }
    let folder = |path: &String| path.rsplit_once('/').map_or(path.clone(), |(folder, _)| format!("{folder}/"));
    let mut folders: Vec<String> = paths.iter().map(folder).collect();
    folders.dedup();
    folders.truncate(PATHS);
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_of_many_files_names_their_folders() {
        let paths: Vec<String> = (0..300).map(|number| format!("{}/{number}.rs", number / 100)).collect();
        assert_eq!(fewer(paths.clone()), ["0/", "1/", "2/"]);
        assert_eq!(fewer(paths[..128].to_vec()).len(), 128);
    }

    #[test]
    fn a_folder_without_a_repository_has_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        assert!(repository(dir.path()).is_none() && staged(dir.path()).is_none());
    }
}
