//! The command line as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    answer, approve, brain, charter, completions, config, dashboard, demo, deny, doctor, down, export, floor, git,
    handoff, hook, inbox, init, invite, join, leave, mcp, overriding, quarantine, read, recall, relay, relay_node,
    remove, rename, report, requests, rooms, send, status, up, verify, wait, whoami,
};

/// Two people, two coding agents, one end-to-end encrypted room, no server in the middle.
#[derive(Debug, Parser)]
#[command(name = "pairwave", version, arg_required_else_help = true, max_term_width = 100, after_help = FIRST_STEPS)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub verb: Verb,
}

const FIRST_STEPS: &str = "\
Example:
  pairwave init            open a room for this folder; send the printed line to the other person
  pairwave join INVITE     the other person pastes that line
  pairwave verify          both: compare words by voice, once
  pairwave demo            or just watch two companions do all that

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a rule of the room,
4 companion not reachable, 5 other person not reachable in time.";

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Answer in JSON: one object, or one a line, on stdout
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Folder of this person's identity, rooms and companion
    #[arg(long, global = true, value_name = "DIR", env = "PAIRWAVE_HOME", help_heading = "Everywhere")]
    pub home: Option<PathBuf>,
}

/// The room that a command acts on.
#[derive(Debug, Default, Args)]
pub struct RoomArg {
    /// Room by title or id [default: the one bound to this folder or its nearest parent]
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    Init(init::Args),
    Join(join::Args),
    Answer(answer::Args),
    Invite(invite::Args),
    Verify(verify::Args),
    Status(status::Args),
    Send(send::Args),
    Read(read::Args),
    Inbox(inbox::Args),
    Wait(wait::Args),
    Charter(charter::Args),
    Floor(floor::Args),
    Git(git::Args),
    Requests(requests::Args),
    Approve(approve::Args),
    Deny(deny::Args),
    Override(overriding::Args),
    Recall(recall::Args),
    Brain(brain::Args),
    Rooms(rooms::Args),
    Whoami(whoami::Args),
    Rename(rename::Args),
    Relay(relay::Args),
    Quarantine(quarantine::Args),
    Handoff(handoff::Args),
    Report(report::Args),
    Export(export::Args),
    Remove(remove::Args),
    Leave(leave::Args),
    Up(up::Args),
    Down(down::Args),
    Dashboard(dashboard::Args),
    Doctor(doctor::Args),
    Mcp(mcp::Args),
    Hook(hook::Args),
    Demo(demo::Args),
    RelayNode(relay_node::Args),
    Config(config::Args),
    Completions(completions::Args),
}

/// Reads `90s`, `5m`, `24h`, `7d`, or bare seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time; write it like 90s, 5m, 24h or 7d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|seconds| *seconds <= MAX_DURATION).map(Duration::from_secs).ok_or_else(wrong)
}

/// A hundred years in seconds: far beyond any use, and far from any overflow.
const MAX_DURATION: u64 = 100 * 365 * 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "h", "-1s", "1w", "1.5h", "99999999999999999999", "999999999999d", "5 m", "1µs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
