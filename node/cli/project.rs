//! What git says of the folder that a command runs in. Only the command line asks: the companion reads
//! no project.

use std::collections::BTreeSet;
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

/// Most paths of a commit; beyond it the folders are named.
const PATHS: usize = 32;
/// Most characters of a commit's subject.
const SUBJECT: usize = 400;

/// Where the repository comes from, if it has a remote, without whoever logs in there; else the name
/// of its folder.
pub fn repository(dir: &Path) -> Option<String> {
    let remote = git(dir, &["remote", "get-url", "origin"]).map(|remote| without_user(&remote));
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

/// A commit by its name in git. A merge brings no files of its own.
pub fn commit(dir: &Path, name: &str) -> Option<Head> {
    let sha = git(dir, &["rev-parse", "--verify", "--end-of-options", &format!("{name}^{{commit}}")])?;
    let subject = git(dir, &["-c", "log.showSignature=false", "show", "--no-patch", "--format=%s", &sha]);
    let subject = subject.unwrap_or_else(|| sha.clone()).chars().take(SUBJECT).collect();
    let paths = listed(dir, &["diff-tree", "--root", "-r", "--no-commit-id", "--name-only", "-z", &sha])?;
    Some(Head { sha, subject, paths: fewer(paths) })
}

/// What the next commit changes by itself, from the top of the repository. What a merge brings was
/// changed by others, and what is picked or reverted was committed before.
pub fn staged(dir: &Path) -> Option<Vec<String>> {
    let is_there = |name: &str| git(dir, &["rev-parse", "--verify", "--quiet", name]).is_some();
    let inside_another = git(dir, &["rev-parse", "--show-superproject-working-tree"]).is_some();
    if inside_another || is_there("CHERRY_PICK_HEAD") || is_there("REVERT_HEAD") {
        return None;
    }
    let changed = ["diff", "--cached", "--name-only", "--no-renames", "--ignore-submodules=none", "-z"];
    let mut paths = listed(dir, &changed)?;
    if is_there("MERGE_HEAD") {
        let own = listed(dir, &[&changed[..], &["MERGE_HEAD"]].concat())?;
        paths.retain(|path| own.contains(path));
    }
    Some(paths)
}

/// Paths as they are typed in a folder of a repository, from its top.
pub fn from_top(dir: &Path, paths: Vec<String>) -> Vec<String> {
    let prefix = git(dir, &["rev-parse", "--show-prefix"]).unwrap_or_default();
    let whole =
        |path: String| if path == "." && !prefix.is_empty() { prefix.clone() } else { format!("{prefix}{path}") };
    paths.into_iter().map(whole).collect()
}

fn without_user(remote: &str) -> String {
    match remote.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("http") => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{scheme}://{}/{path}", host.rsplit_once('@').map_or(host, |(_, host)| host))
        }
        _ => remote.to_owned(),
    }
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
    let mut folders: BTreeSet<String> = paths.into_iter().collect();
    // One level after another, until there are few enough.
    while folders.len() > PATHS {
        let deepest = folders.iter().map(|path| depth(path)).max().unwrap_or(0);
        if deepest == 0 {
            return folders.into_iter().take(PATHS).collect();
        }
        let shorter = |path: String| if depth(&path) == deepest { parent(&path) } else { path };
        folders = folders.into_iter().map(shorter).collect();
    }
    folders.into_iter().collect()
}

fn depth(path: &str) -> usize {
    path.trim_end_matches('/').matches('/').count()
}

/// The folder that something lies in, with a slash behind it.
fn parent(path: &str) -> String {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path.to_owned(), |(folder, _)| format!("{folder}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_of_many_files_names_their_folders() {
        let paths: Vec<String> = (0..300).map(|number| format!("src/{}/{number}.rs", number / 100)).collect();
        assert_eq!(fewer(paths.clone()), ["src/0/", "src/1/", "src/2/"]);
        assert_eq!(fewer(paths[..32].to_vec()).len(), 32);
        let top: Vec<String> = (0..40).map(|number| format!("{number}.rs")).collect();
        assert_eq!(fewer(top).len(), 32);
    }

    #[test]
    fn an_address_tells_of_nobody_who_logs_in() {
        assert_eq!(without_user("https://me:secret@host.org/a/b.git"), "https://host.org/a/b.git");
        assert_eq!(without_user("git@host.org:a/b.git"), "git@host.org:a/b.git");
    }

    #[test]
    fn a_folder_without_a_repository_has_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        assert!(repository(dir.path()).is_none() && staged(dir.path()).is_none());
        assert_eq!(from_top(dir.path(), vec!["src".into()]), ["src"]);
    }
}
