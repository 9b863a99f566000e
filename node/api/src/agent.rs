//! How an agent host is told by the environment that it gives to what it starts.

use std::ffi::{OsStr, OsString};

/// Variables that hosts set for the commands and servers that their agents start, and nowhere else.
/// What also stands in a person's own terminal (`CURSOR_TRACE_ID`, `CODEX_HOME`) is none of them.
const MARKERS: &[&str] = &[
    "AI_AGENT",
    "AMP_CURRENT_THREAD_ID",
    "AUGMENT_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE_SESSION_ID",
    "CLINE_ACTIVE",
    "CODEX_CI",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "COPILOT_AGENT_SESSION_ID",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "GOOSE_TERMINAL",
    "OPENCODE",
    "QWEN_CODE",
];

/// Variables that hold the host's own id of a session.
const SESSIONS: &[&str] = &["CLAUDE_CODE_SESSION_ID", "CODEX_THREAD_ID", "AMP_CURRENT_THREAD_ID"];

/// Is this environment one that an agent host made? Names an agent's door, see [`crate::Hello::agent`].
pub fn agent_marker() -> bool {
    std::env::vars_os().any(|(name, value)| is_marker(&name, &value))
}

/// The host's id of the agent session that started this process, if it says so.
pub fn host_session() -> Option<String> {
    let session = SESSIONS.iter().find_map(|name| std::env::var(name).ok().filter(|id| !id.is_empty()));
    session.filter(|id| id.len() <= 200)
}

/// Does this variable mark what an agent host started? An empty value, `0` and `false` do not.
pub fn is_marker(name: &OsStr, value: &OsStr) -> bool {
    let on = !["", "0", "false"].iter().any(|off| value == OsStr::new(off));
    on && MARKERS.iter().any(|marker| name == OsStr::new(marker))
}

/// The names of all marking variables, for a child that must not inherit them.
pub fn markers() -> impl Iterator<Item = OsString> {
    MARKERS.iter().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(name: &str, value: &str) -> bool {
        is_marker(OsStr::new(name), OsStr::new(value))
    }

    #[test]
    fn a_marker_counts_only_when_it_is_on() {
        assert!(marks("CLAUDECODE", "1"));
        assert!(marks("CLAUDE_CODE_SESSION_ID", "0b9c"));
        assert!(!marks("CLAUDECODE", ""));
        assert!(!marks("CLAUDECODE", "0"));
        assert!(!marks("PATH", "/bin"));
        assert!(!marks("CODEX_HOME", "/home/a/.codex"));
    }
}
