//! Makes a project folder known to agent hosts: one entry in `.mcp.json`, one skill. Only a person's
//! `init`, `join` or `setup` does this. Nothing secret is written, nothing foreign is changed.

mod file;
mod splice;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use file::{read_within, write_atomically};
use splice::set_entry;

/// What [`wire`] did to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: PathBuf,
    pub kind: ChangeKind,
}

/// How a file was changed, if it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Created,
    Updated,
    /// It said so already.
    Unchanged,
    /// A file that is not ours stands there; it was left as it is.
    LeftAlone,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.kind {
            ChangeKind::Created => write!(f, "{path} created"),
            ChangeKind::Updated => write!(f, "{path} updated"),
            ChangeKind::Unchanged => write!(f, "{path} is up to date"),
            ChangeKind::LeftAlone => write!(f, "{path} left as it is: it has been edited by hand"),
        }
    }
}

/// A project folder could not be made known to agent hosts. Files done before stay done.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("{} is not valid JSON ({problem}). Repair it, then run the command again, or pass --no-wire", path.display())]
    InvalidJson { path: PathBuf, problem: String },
    #[error(
        "{} is not what an MCP host reads: `{key}` is not an object. Repair it, then run the command again, or pass --no-wire",
        path.display()
    )]
    WrongShape { path: PathBuf, key: &'static str },
    #[error(
        "{} is a symbolic link or leads out of the project folder, so it is not touched. Add the entry by hand, or pass --no-wire",
        path.display()
    )]
    LeadsAway { path: PathBuf },
    #[error("{} cannot be read or written: {source}. Check its permissions, or pass --no-wire", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Adds pairwave to `dir/.mcp.json` and installs its skill. Idempotent; says what it did.
///
/// The entry's command is `pairwave` if that name on PATH is `exe`, else the path of `exe`. `home`
/// goes along where it is not the default one. Other entries, their order and their formatting stay
/// as they are, and so do further keys (`env`, `timeout` …) of an entry that is there already.
pub fn wire(dir: &Path, exe: &Path, home: Option<&Path>) -> Result<Vec<Change>, WireError> {
    let launch = launch(exe, home, std::env::var_os("PATH").as_deref());
    Ok(vec![wire_mcp(dir, &launch)?, install_skill(dir)?])
}

/// How a host starts the server.
struct Launch {
    command: String,
    arguments: Vec<String>,
}

fn launch(exe: &Path, home: Option<&Path>, path: Option<&OsStr>) -> Launch {
    let command = if is_on_path(exe, path) { "pairwave".to_owned() } else { exe.display().to_string() };
    let mut arguments = vec!["mcp".to_owned()];
    if let Some(home) = home {
        arguments.extend(["--home".to_owned(), home.display().to_string()]);
    }
    Launch { command, arguments }
}

/// Is `pairwave`, as a shell would find it, this very program?
fn is_on_path(exe: &Path, path: Option<&OsStr>) -> bool {
    let (Ok(exe), Some(path)) = (exe.canonicalize(), path) else { return false };
    let name = format!("pairwave{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::split_paths(path).map(|folder| folder.join(&name)).find(|candidate| candidate.is_file());
    found.and_then(|found| found.canonicalize().ok()) == Some(exe)
}

fn wire_mcp(dir: &Path, launch: &Launch) -> Result<Change, WireError> {
    let path = dir.join(".mcp.json");
    let Some(old) = read_within(dir, &path)? else {
        let new = json!({ SERVERS: { ENTRY: entry(None, launch) } });
        write_atomically(&path, &format!("{new:#}\n"))?;
        return Ok(Change { path, kind: ChangeKind::Created });
    };
    let parsed = parse(&path, &old)?;
    let present = parsed.get(SERVERS).and_then(|servers| servers.get(ENTRY)).and_then(Value::as_object);
    let entry = entry(present, launch);
    if present.is_some_and(|present| Value::Object(present.clone()) == entry) {
        return Ok(Change { path, kind: ChangeKind::Unchanged });
    }
    let new = if old.trim().is_empty() {
        format!("{:#}\n", json!({ SERVERS: { ENTRY: entry } }))
    } else {
        set_entry(&old, SERVERS, ENTRY, &entry)
    };
    write_atomically(&path, &new)?;
    Ok(Change { path, kind: ChangeKind::Updated })
}

const SERVERS: &str = "mcpServers";
const ENTRY: &str = "pairwave";

fn parse(path: &Path, text: &str) -> Result<Map<String, Value>, WireError> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| WireError::InvalidJson { path: path.to_owned(), problem: error.to_string() })?;
    let wrong = |key| WireError::WrongShape { path: path.to_owned(), key };
    let Value::Object(root) = value else { return Err(wrong("the whole file")) };
    match root.get(SERVERS) {
        None => {}
        Some(Value::Object(servers)) if servers.get(ENTRY).is_none_or(Value::is_object) => {}
        Some(Value::Object(_)) => return Err(wrong("mcpServers.pairwave")),
        Some(_) => return Err(wrong("mcpServers")),
    }
    Ok(root)
}

/// The entry as it shall be: what is there, with our command and arguments.
fn entry(present: Option<&Map<String, Value>>, launch: &Launch) -> Value {
    let mut entry = present.cloned().unwrap_or_default();
    entry.insert("command".into(), launch.command.clone().into());
    entry.insert("args".into(), launch.arguments.clone().into());
    Value::Object(entry)
}

fn install_skill(dir: &Path) -> Result<Change, WireError> {
    let path = dir.join(".claude").join("skills").join("pairwave").join("SKILL.md");
    let kind = match read_within(dir, &path)? {
        None => ChangeKind::Created,
        Some(old) if old == SKILL => ChangeKind::Unchanged,
        Some(old) if old.contains(OURS) => ChangeKind::Updated,
        Some(_) => ChangeKind::LeftAlone,
    };
    if matches!(kind, ChangeKind::Created | ChangeKind::Updated) {
        write_atomically(&path, SKILL)?;
    }
    Ok(Change { path, kind })
}

const SKILL: &str = include_str!("../skill/SKILL.md");
/// Stands in the skill as long as it is ours to replace.
const OURS: &str = "<!-- Kept up to date by pairwave. Remove this line to keep your own version. -->";

#[cfg(test)]
mod tests;
