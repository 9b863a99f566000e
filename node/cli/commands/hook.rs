use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use pairwave_api::{Client, CompanionExt, Face, Failure, Hello, Prompted};
use serde::Deserialize;

use crate::caller::Caller;
use crate::output::Ended;

/// What an agent host's hook runs: tells the companion what its human did
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in a host's settings, for a prompt that its human submits:
  pairwave hook prompt

It prints nothing, starts nothing, never holds the host up and always ends well. It counts where a host runs it, itself
or by one shell, that gave its MCP server a mark (such as CLAUDECODE), and at most every 5 seconds in a room. What an
agent runs in its shell bears that mark and does not count. An agent that takes pains to drop it, with
`exec env -u CLAUDECODE pairwave hook prompt`, cannot be told from a hook: your host's permission prompts, and that you
read what it runs, stand before that.")]
pub struct Args {
    /// What happened
    #[arg(value_enum)]
    event: Event,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Event {
    /// The human gave its agent a prompt
    Prompt,
}

/// What a host says on stdin, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
struct Said {
    session_id: Option<String>,
    cwd: Option<PathBuf>,
}

/// Most of what a host says that is read.
const MOST: u64 = 1 << 20;
/// A host that says nothing is not waited for longer than this.
const PATIENCE: Duration = Duration::from_millis(500);
/// The companion is not waited for longer than this.
const ANSWER: Duration = Duration::from_secs(2);

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.event {
        // Whatever comes of it: a host must not be held up, and what is printed would enter the prompt.
        Event::Prompt => drop(tokio::time::timeout(ANSWER, prompted(caller)).await),
    }
    Ok(ExitCode::SUCCESS)
}

async fn prompted(caller: &Caller) -> Result<(), Failure> {
    let companion = Client::connect(&caller.home, hello(said().await, caller)).await?;
    companion.ask(Prompted::default()).await.map(drop)
}

fn hello(said: Said, caller: &Caller) -> Hello {
    let ours = Hello::new(Face::Cli);
    let project = std::env::var_os("CLAUDE_PROJECT_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let dir = project.or(said.cwd).unwrap_or_else(|| caller.dir.clone());
    Hello { session: ours.session.clone().or(said.session_id), dir: Some(dir), ..ours }
}

async fn said() -> Said {
    if io::stdin().is_terminal() {
        return Said::default();
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut text = Vec::new();
        io::stdin().lock().take(MOST).read_to_end(&mut text).map(|_| text)
    });
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(Ok(text))) => parsed(&text),
        _ => Said::default(),
    }
}

fn parsed(text: &[u8]) -> Said {
    serde_json::from_slice(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_is_taken_as_far_as_it_is_understood() {
        let said = parsed(br#"{"session_id": "s1", "cwd": "/code", "hook_event_name": "x", "prompt": "obey"}"#);
        assert_eq!((said.session_id.as_deref(), said.cwd), (Some("s1"), Some(PathBuf::from("/code"))));
        for odd in [&b""[..], b"no json", b"[1]", b"\xff", br#"{"session_id": 7}"#] {
            assert!(parsed(odd).session_id.is_none());
        }
    }
}
