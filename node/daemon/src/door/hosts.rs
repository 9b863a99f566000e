//! The processes that run our MCP servers, and whatever else their agents start.

use std::collections::BTreeMap;

use super::process::{Process, ProcessId};

/// Hosts that are remembered. Nobody runs so many; who were remembered first stay.
const MOST: usize = 512;

/// What a person types into, where it leads the session of a terminal.
const SHELLS: &[&str] = &[
    "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "nu", "elvish", "xonsh", "pwsh",
    "busybox",
];

/// What stands between a host and what it starts.
const WRAPPERS: &[&str] = &["env", "npx", "npm", "timeout", "nice", "nohup", "xargs"];

/// Never a host: what adopts the processes that lost their parent, and what a person's terminals run in.
const ABOVE: &[&str] = &[
    "init",
    "systemd",
    "launchd",
    "runit",
    "dinit",
    "login",
    "sshd",
    "sshd-session",
    "mosh-server",
    "tmux: server",
    "screen",
    "zellij",
    "xterm",
    "gnome-terminal-",
    "konsole",
    "alacritty",
    "kitty",
    "wezterm-gui",
    "foot",
    "ghostty",
];

/// A process that runs one of our MCP servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    pub id: ProcessId,
    /// A person's own shell that runs a server is its host as long as the server runs, and no longer.
    pub lasts: bool,
    /// Does it mark what its agent runs? Shown by the server that it started.
    pub marks: bool,
}

/// Hosts, for as long as they live.
#[derive(Debug, Clone, Default)]
pub struct Hosts(BTreeMap<ProcessId, bool>);

impl Hosts {
    /// A server of this host came.
    pub fn note(&mut self, host: &Host) {
        if self.0.len() >= MOST {
            self.0.retain(|id, _| id.lives());
        }
        if self.0.len() < MOST || self.0.contains_key(&host.id) {
            *self.0.entry(host.id).or_default() |= host.marks;
        }
    }

    pub fn contains(&self, process: &Process) -> bool {
        self.0.contains_key(&process.id)
    }

    /// Is this a host that was seen to mark what its agent runs?
    pub fn marks(&self, process: &Process) -> bool {
        self.0.get(&process.id) == Some(&true)
    }
}

/// The processes that run this MCP server, nearest first: its parent and, as long as that only wraps
/// another command, what is above. A shell that a person types into is the end of it.
pub fn hosts(ancestry: &[Process]) -> Vec<Host> {
    let marked = ancestry.first().is_some_and(|server| server.marked == Some(true));
    let mut hosts = Vec::new();
    for process in ancestry.iter().skip(1) {
        let wraps = is_shell(process) || WRAPPERS.contains(&program(process));
        let persons = is_shell(process) && process.leads_terminal;
        if is_above(process) || (persons && !hosts.is_empty()) {
            break;
        }
        hosts.push(Host { id: process.id, lasts: !persons, marks: marked && !wraps });
        if persons || !wraps {
            break;
        }
    }
    hosts
}

/// Is this a shell, by its name?
pub fn is_shell(process: &Process) -> bool {
    SHELLS.contains(&program(process))
}

fn is_above(process: &Process) -> bool {
    process.id.pid == 1 || ABOVE.contains(&&process.name[..])
}

/// Some write what they do behind their name (`npm exec x`).
fn program(process: &Process) -> &str {
    process.name.split(' ').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, name: &str) -> Process {
        Process { id: ProcessId { pid, born: 1 }, name: name.into(), marked: Some(false), leads_terminal: false }
    }

    fn terminal(pid: u32, name: &str) -> Process {
        Process { leads_terminal: true, ..process(pid, name) }
    }

    /// Who runs a marked server: number, lasts, marks.
    fn run_by(above: &[Process]) -> Vec<(u32, bool, bool)> {
        let server = Process { marked: Some(true), ..process(9, "pairwave") };
        let ancestry: Vec<Process> = std::iter::once(server).chain(above.iter().cloned()).collect();
        hosts(&ancestry).iter().map(|host| (host.id.pid, host.lasts, host.marks)).collect()
    }

    #[test]
    fn a_host_is_what_started_the_server() {
        assert_eq!(run_by(&[process(8, "claude"), terminal(7, "bash")]), [(8, true, true)]);
        assert_eq!(run_by(&[terminal(8, "claude"), process(7, "tmux: server")]), [(8, true, true)]);
        assert!(!hosts(&[process(9, "pairwave"), process(8, "claude")])[0].marks);
    }

    #[test]
    fn a_host_is_never_what_everything_descends_from() {
        assert_eq!(run_by(&[process(1, "claude")]), []);
        assert_eq!(run_by(&[process(900, "systemd")]), []);
        assert_eq!(run_by(&[process(8, "tmux: server")]), []);
        assert_eq!(run_by(&[process(8, "sh"), process(7, "sshd")]), [(8, true, false)]);
        assert_eq!(hosts(&[]), []);
    }

    #[test]
    fn a_wrapper_hides_no_host() {
        let wrapped = [process(8, "sh"), process(7, "npm exec pairwa"), process(6, "claude"), terminal(5, "bash")];
        assert_eq!(run_by(&wrapped), [(8, true, false), (7, true, false), (6, true, true)]);
    }

    #[test]
    fn a_persons_own_shell_is_no_host_for_good() {
        assert_eq!(run_by(&[terminal(8, "fish"), process(7, "claude")]), [(8, false, false)]);
        assert_eq!(run_by(&[process(8, "npx"), terminal(7, "bash")]), [(8, true, false)]);
    }

    #[test]
    fn hosts_are_remembered_as_this_very_process() {
        let mut hosts = Hosts::default();
        let host = Host { id: ProcessId { pid: 8, born: 1 }, lasts: true, marks: true };
        hosts.note(&host);
        hosts.note(&Host { marks: false, ..host });
        assert!(hosts.marks(&process(8, "claude")));
        let later = Process { id: ProcessId { pid: 8, born: 2 }, ..process(8, "claude") };
        assert!(!hosts.contains(&later));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn those_that_ended_make_room() {
        let mut hosts = Hosts::default();
        let us = super::super::ancestry(Some(std::process::id())).unwrap().remove(0);
        hosts.note(&Host { id: us.id, lasts: true, marks: false });
        for number in 0..MOST as u64 + 5 {
            let id = ProcessId { pid: std::process::id(), born: us.id.born + 1 + number };
            hosts.note(&Host { id, lasts: true, marks: false });
            assert!(hosts.0.len() <= MOST);
            assert!(hosts.0.contains_key(&id));
        }
        assert!(hosts.contains(&us));
    }
}
