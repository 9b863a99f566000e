//! What the system tells of a process and its ancestors. Linux tells by `/proc`; elsewhere nothing
//! is known, and a face's own word that it runs inside an agent host has to do.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use pairwave_api::agent::is_marker;

/// Deeper than any real chain of shells and hosts.
const DEPTH: usize = 64;

/// One process of an ancestry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The program's name, as far as the system keeps it.
    pub name: String,
    /// Was it started with an agent host's marker in its environment? `None` if that cannot be read.
    pub marked: Option<bool>,
}

/// The process and its ancestors, from itself upwards: empty where the process cannot be seen, `None`
/// where the system never tells.
pub fn ancestry(pid: Option<u32>) -> Option<Vec<Process>> {
    let mut chain = Vec::new();
    let mut next = pid;
    while let Some(pid) = next.filter(|pid| *pid > 0 && chain.len() < DEPTH) {
        let Some((name, parent)) = name_and_parent(pid) else { break };
        chain.push(Process { pid, name, marked: marked(pid) });
        next = Some(parent);
    }
    cfg!(target_os = "linux").then_some(chain)
}

/// The process that runs this MCP server, if it is a host's: not a system's first process, which
/// adopts what lost its parent and has everything below it.
pub fn host(ancestry: &[Process]) -> Option<u32> {
    let parent = ancestry.get(1)?;
    let adopts = parent.pid == 1 || ["init", "systemd", "launchd", "runit", "dinit"].contains(&&parent.name[..]);
    (!adopts).then_some(parent.pid)
}

fn marked(pid: u32) -> Option<bool> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    Some(environment.split(|byte| *byte == 0).any(|variable| {
        let mut halves = variable.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        is_marker(OsStr::from_bytes(name), OsStr::from_bytes(value))
    }))
}

/// From `/proc/<pid>/stat`: `pid (name) state ppid …`, where the name may hold anything.
fn name_and_parent(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let parent = stat.get(close + 1..)?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((stat.get(open + 1..close)?.to_owned(), parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, name: &str) -> Process {
        Process { pid, name: name.into(), marked: Some(false) }
    }

    #[test]
    fn a_host_is_never_what_adopts_orphans() {
        assert_eq!(host(&[process(9, "pairwave"), process(8, "claude")]), Some(8));
        assert_eq!(host(&[process(9, "pairwave"), process(1, "claude")]), None);
        assert_eq!(host(&[process(9, "pairwave"), process(900, "systemd")]), None);
        assert_eq!(host(&[]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn we_have_ancestors_ourselves() {
        let chain = ancestry(Some(std::process::id())).unwrap();
        assert_eq!(chain[0].pid, std::process::id());
        assert_eq!(chain[1].pid, std::os::unix::process::parent_id());
        assert!(chain[0].marked.is_some());
        assert_eq!(ancestry(None), Some(Vec::new()));
    }
}
