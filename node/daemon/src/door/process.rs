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
    pub id: ProcessId,
    /// The program's name, as far as the system keeps it.
    pub name: String,
    /// Was it started with an agent host's marker in its environment? `None` if that cannot be read.
    pub marked: Option<bool>,
    /// Does it lead the session of a terminal, as the shell does that a person types into?
    pub leads_terminal: bool,
}

/// A process for as long as it lives: a number alone is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId {
    pub pid: u32,
    /// When it started, in ticks since the system did.
    pub born: u64,
}

impl ProcessId {
    /// Is it this very process that has the number now?
    pub fn lives(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.born == self.born)
    }
}

/// The process and its ancestors, from itself upwards: empty where the process cannot be seen, `None`
/// where the system never tells.
pub fn ancestry(pid: Option<u32>) -> Option<Vec<Process>> {
    let mut chain = Vec::new();
    let mut next = pid;
    while let Some(pid) = next.filter(|pid| *pid > 0 && chain.len() < DEPTH) {
        let Some(Stat { name, parent, born, leads_terminal }) = stat(pid) else { break };
        chain.push(Process { id: ProcessId { pid, born }, name, marked: marked(pid), leads_terminal });
        next = Some(parent);
    }
    cfg!(target_os = "linux").then_some(chain)
}

fn marked(pid: u32) -> Option<bool> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    Some(environment.split(|byte| *byte == 0).any(|variable| {
        let mut halves = variable.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        is_marker(OsStr::from_bytes(name), OsStr::from_bytes(value))
    }))
}

struct Stat {
    name: String,
    parent: u32,
    born: u64,
    leads_terminal: bool,
}

fn stat(pid: u32) -> Option<Stat> {
    parsed(pid, &String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// Of `pid (name) state ppid pgrp session tty … starttime …`, where the name may hold anything.
fn parsed(pid: u32, stat: &str) -> Option<Stat> {
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(close + 1..)?.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
    let (session, terminal) = (number(3)?, number(4)?);
    Some(Stat {
        name: stat.get(open + 1..close)?.to_owned(),
        parent: number(1)?.try_into().ok()?,
        born: fields.get(19)?.parse().ok()?,
        leads_terminal: terminal != 0 && session == i64::from(pid),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let tail = "-1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 90210 0 0";
        let read = |head: &str| parsed(70, &format!("{head} {tail}")).unwrap();
        let shell = read("70 (a) (b) S 1) S 60 70 70 34816");
        assert_eq!((&shell.name[..], shell.parent, shell.born), ("a) (b) S 1", 60, 90210));
        assert!(shell.leads_terminal);
        assert!(!read("70 (sh) S 60 70 70 0").leads_terminal);
        assert!(!read("70 (sh) S 60 70 60 34816").leads_terminal);
        assert!(parsed(70, "70 (sh) S 60").is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn we_have_ancestors_ourselves() {
        let chain = ancestry(Some(std::process::id())).unwrap();
        assert_eq!(chain[0].id.pid, std::process::id());
        assert_eq!(chain[1].id.pid, std::os::unix::process::parent_id());
        assert!(chain[0].marked.is_some());
        assert!(chain[0].id.lives());
        assert!(!ProcessId { born: chain[0].id.born + 1, ..chain[0].id }.lives());
        assert_eq!(ancestry(None), Some(Vec::new()));
    }
}
