//! Who stands at the door: a human or an agent. What a caller says of itself can only make it an
//! agent; everything else is read off the system.

use pairwave_api::Face;
use pairwave_core::event::Origin;

mod hosts;
mod process;

pub use hosts::{Host, Hosts, hosts};
pub use process::{Process, ProcessId, ancestry};

/// What is known of somebody who connects.
#[derive(Debug)]
pub struct Knock<'a> {
    pub face: Face,
    /// The caller found an agent host's marker in its own environment.
    pub claims_agent: bool,
    /// The caller and its ancestors, from itself upwards; `None` where the system does not tell.
    pub ancestry: Option<&'a [Process]>,
    /// Processes that run our MCP servers, or did.
    pub hosts: &'a Hosts,
}

/// Who speaks through this door.
///
/// The MCP face is an agent's. Everybody else is a human, unless the caller or one of its ancestors
/// was started by an agent host: by its marker, or because it descends from a process that runs or
/// ran one of our MCP servers. A caller whose environment cannot be read although the system could tell
/// counts as an agent: hiding must not pay.
pub fn of(knock: &Knock<'_>) -> Origin {
    let ancestry = knock.ancestry.unwrap_or_default();
    let hides = knock.ancestry.is_some() && ancestry.first().is_none_or(|caller| caller.marked.is_none());
    let descends = ancestry.iter().any(|process| knock.hosts.contains(process));
    let marked = ancestry.iter().any(|process| process.marked == Some(true));
    if knock.face == Face::Mcp || knock.claims_agent || hides || descends || marked {
        Origin::Agent
    } else {
        Origin::Human
    }
}

/// Is this a hook that a host itself runs? Hosts mark what their agents run, and not their hooks, so
/// only a host that was seen to mark is believed, and only what it starts itself or by one shell. An
/// agent that drops the marks and the shell that bore them (`exec env -u …`) looks the same.
pub fn is_hook(knock: &Knock<'_>) -> bool {
    let Some(ancestry) = knock.ancestry else { return false };
    let started = match ancestry {
        [_, host, ..] if knock.hosts.marks(host) => true,
        [_, shell, host, ..] => hosts::is_shell(shell) && knock.hosts.marks(host),
        _ => false,
    };
    let seen = ancestry.first().is_some_and(|caller| caller.marked.is_some());
    let marked = knock.claims_agent || ancestry.iter().any(|process| process.marked == Some(true));
    knock.face == Face::Cli && started && seen && !marked
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn plain(pid: u32) -> Process {
        let id = ProcessId { pid, born: 1 };
        Process { id, name: "sh".into(), marked: Some(false), leads_terminal: false }
    }

    fn known(pids: &[u32], marks: bool) -> Hosts {
        let mut hosts = Hosts::default();
        pids.iter().for_each(|pid| hosts.note(&Host { id: plain(*pid).id, lasts: true, marks }));
        hosts
    }

    fn by(face: Face, ancestry: &[Process], hosts: &[u32]) -> Origin {
        of(&Knock { face, claims_agent: false, ancestry: Some(ancestry), hosts: &known(hosts, false) })
    }

    fn hook(ancestry: &[Process], marks: bool) -> bool {
        let hosts = known(&[8], marks);
        is_hook(&Knock { face: Face::Cli, claims_agent: false, ancestry: Some(ancestry), hosts: &hosts })
    }

    #[test]
    fn a_hook_is_what_a_marking_host_starts_itself() {
        let named = |name: &str| Process { name: name.into(), ..plain(9) };
        assert!(hook(&[plain(10), plain(8), plain(4)], true));
        assert!(hook(&[plain(10), plain(9), plain(8)], true));
        assert!(
            !hook(&[plain(10), plain(8)], false),
            "a host that never marked tells its agent from its hooks by nothing"
        );
        assert!(!hook(&[plain(10), named("make"), plain(8)], true));
        assert!(!hook(&[plain(11), plain(10), plain(9), plain(8)], true));
        assert!(!hook(&[plain(10), plain(9)], true));
        assert!(!hook(&[plain(10), Process { marked: Some(true), ..plain(9) }, plain(8)], true));
    }

    #[test]
    fn a_person_at_a_terminal_is_human() {
        assert_eq!(by(Face::Cli, &[plain(9), plain(4)], &[77]), Origin::Human);
    }

    #[test]
    fn an_mcp_server_is_an_agents() {
        assert_eq!(by(Face::Mcp, &[plain(9)], &[]), Origin::Agent);
    }

    #[test]
    fn what_a_caller_says_can_only_make_it_an_agent() {
        let knock = |claims_agent, marked| {
            let ancestry = [Process { marked: Some(marked), ..plain(9) }];
            of(&Knock { face: Face::Cli, claims_agent, ancestry: Some(&ancestry), hosts: &Hosts::default() })
        };
        assert_eq!(knock(true, false), Origin::Agent);
        assert_eq!(knock(false, true), Origin::Agent);
    }

    #[test]
    fn whoever_descends_from_an_mcp_sessions_host_is_its_agent() {
        assert_eq!(by(Face::Cli, &[plain(9), plain(8), plain(4)], &[8]), Origin::Agent);
    }

    #[test]
    fn an_ancestor_with_a_marker_is_enough() {
        assert_eq!(by(Face::Cli, &[plain(9), Process { marked: Some(true), ..plain(8) }], &[]), Origin::Agent);
    }

    #[test]
    fn a_caller_that_hides_its_environment_is_no_human() {
        assert_eq!(by(Face::Cli, &[Process { marked: None, ..plain(9) }], &[]), Origin::Agent);
        assert_eq!(by(Face::Cli, &[], &[]), Origin::Agent);
        let root_above = [plain(9), Process { marked: None, ..plain(1) }];
        assert_eq!(by(Face::Cli, &root_above, &[]), Origin::Human);
    }

    #[test]
    fn where_the_system_does_not_tell_the_callers_word_must_do() {
        let by = |claims_agent| of(&Knock { face: Face::Cli, claims_agent, ancestry: None, hosts: &Hosts::default() });
        assert_eq!([by(false), by(true)], [Origin::Human, Origin::Agent]);
    }

    fn child(marker: Option<&str>) -> Child {
        let mut command = Command::new("cat");
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::null());
        if let Some(marker) = marker {
            command.env(marker, "1");
        }
        command.spawn().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_marker_of_a_real_process_is_seen() {
        for (marker, expected) in [(None, Some(false)), (Some("CLAUDECODE"), Some(true)), (Some("EDITOR"), Some(false))]
        {
            let mut child = child(marker);
            let ancestry = ancestry(Some(child.id())).unwrap();
            assert_eq!(ancestry[0].marked, expected, "{marker:?}");
            assert_eq!(ancestry[1].id.pid, std::process::id());
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
