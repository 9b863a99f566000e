//! What git says of the folder that a command runs in. Only the command line asks: the companion reads
//! no project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
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

/// All working trees of the repository, this one first.
pub fn working_trees(dir: &Path) -> Vec<PathBuf> {
    let listed = git(dir, &["worktree", "list", "--porcelain"]).unwrap_or_default();
    let others = listed.lines().filter_map(|line| line.strip_prefix("worktree ")).map(PathBuf::from);
    [dir.to_owned()].into_iter().chain(others.filter(|other| other != dir)).collect()
}

/// Paths as they are typed in a folder of a repository, from its top. What leads out of it stays as
/// it is, for the companion to refuse.
pub fn from_top(dir: &Path, paths: Vec<String>) -> Vec<String> {
    let prefix = git(dir, &["rev-parse", "--show-prefix"]).unwrap_or_default();
    let top = git(dir, &["rev-parse", "--show-toplevel"]);
    let whole = |path: String| match top.as_ref().and_then(|top| path.strip_prefix(top.as_str())) {
        Some(rest) if rest.starts_with('/') => rest.trim_start_matches('/').to_owned(),
        Some("") => ".".to_owned(),
        _ if path.starts_with('/') => path,
        _ => joined(&prefix, &path).unwrap_or(path),
    };
    paths.into_iter().map(whole).collect()
}

/// None where it leads out.
fn joined(prefix: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/').filter(|part| *part != ".") {
        match part {
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// The newest commit of the checked out one that others have heard of, as far as it has all that they
/// announced; else the newest of those that it has.
pub fn base(dir: &Path, announced: &[String]) -> Option<String> {
    let has = |sha: &&String| run(dir, &["merge-base", "--is-ancestor", sha, "HEAD"]).is_some();
    let had: Vec<&String> = announced.iter().filter(has).collect();
    if had.len() == announced.len() { head_commit(dir) } else { had.first().map(|sha| (*sha).clone()) }
}

/// Without whoever logs in there, and of a folder on this machine its name alone.
fn without_user(remote: &str) -> String {
    match remote.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{scheme}://{}/{path}", host.rsplit_once('@').map_or(host, |(_, host)| host))
        }
        None if remote.starts_with(['/', '.', '~']) => {
            remote.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
        }
        None => remote.to_owned(),
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
        assert_eq!(without_user("ssh://me:secret@host.org/a/b.git"), "ssh://host.org/a/b.git");
        assert_eq!(without_user("/home/me/clients/acme.git"), "acme.git");
    }

    #[test]
    fn paths_are_told_from_the_top() {
        let cases = [("auth", "src/auth"), ("../docs", "docs"), (".", "src"), ("..", "."), ("./a/", "src/a/")];
        for (path, whole) in cases {
            assert_eq!(joined("src/", path).as_deref(), Some(whole), "{path}");
        }
        assert_eq!((joined("", "../x"), joined("", "a/b").as_deref()), (None, Some("a/b")));
    }

    #[test]
    fn a_folder_without_a_repository_has_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        assert!(repository(dir.path()).is_none() && staged(dir.path()).is_none());
        assert_eq!(from_top(dir.path(), vec!["src".into()]), ["src"]);
    }
}
