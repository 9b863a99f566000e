use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;
use pairwave_api::{CheckPaths, Client, CompanionExt, Face, Failure, Hello, Prompted, TouchedPath};
use serde::Deserialize;

use super::git::claimant;
use crate::caller::Caller;
use crate::output::Ended;
use crate::project;
use crate::prose::{plain, when};

/// What a hook runs: an agent host's tells the companion what its human did, git's asks what others have claimed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in .git/hooks/pre-commit, to refuse a commit that touches what others have claimed (`git commit --no-verify`
makes it all the same; the file must be executable):
  #!/bin/sh
  command -v pairwave > /dev/null || exit 0
  exec pairwave hook pre-commit

Example, in an agent host's settings, for a prompt that its human submits:
  pairwave hook prompt

That one prints nothing, starts nothing, never holds the host up and always ends well. It counts where a host runs it, itself
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
    /// Git is about to commit what is staged
    PreCommit,
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
/// Nor where it looks through the files of a commit.
const CHECK: Duration = Duration::from_secs(10);
/// Files that are asked about in one go.
const FILES: usize = 1000;

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.event {
        // Whatever comes of it: a host must not be held up, and what is printed would enter the prompt.
        Event::Prompt => drop(tokio::time::timeout(ANSWER, prompted(caller)).await),
        Event::PreCommit => return Ok(pre_commit(caller).await),
    }
    Ok(ExitCode::SUCCESS)
}

/// Only a claim of another member stops a commit: a companion that cannot be asked does not.
async fn pre_commit(caller: &Caller) -> ExitCode {
    let Some(paths) = project::staged(&caller.dir).filter(|paths| !paths.is_empty()) else { return ExitCode::SUCCESS };
    let touched = match tokio::time::timeout(CHECK, check(caller, &paths)).await {
        Ok(Ok(touched)) => touched,
        Ok(Err(failure)) => {
            eprintln!("pairwave did not check this commit. {}", plain::line(&failure.message));
            return ExitCode::SUCCESS;
        }
        Err(_) => {
            eprintln!("pairwave did not check this commit: the companion took too long to answer.");
            return ExitCode::SUCCESS;
        }
    };
    if touched.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprint!("{}", told(&touched, Timestamp::now()));
    ExitCode::FAILURE
}

/// However many files there are, a part at a time; of the rooms of the repository, whichever of its working
/// trees they are bound to.
async fn check(caller: &Caller, paths: &[String]) -> Result<Vec<TouchedPath>, Failure> {
    let mut touched: Vec<TouchedPath> = Vec::new();
    for dir in project::working_trees(&caller.dir) {
        let companion = Client::connect(&caller.home, Hello { dir: Some(dir), ..caller.hello() }).await?;
        for paths in paths.chunks(FILES) {
            let found = companion.ask(CheckPaths { room: None, paths: paths.to_vec() }).await?.touched;
            let known = |one: &TouchedPath| touched.iter().any(|other| other.claim.claim == one.claim.claim);
            let new: Vec<TouchedPath> = found.into_iter().filter(|one| !known(one)).collect();
            touched.extend(new);
        }
    }
    Ok(touched)
}

fn told(touched: &[TouchedPath], now: Timestamp) -> String {
    let mut text = "This commit touches what others are working on:\n".to_owned();
    for TouchedPath { path, claim } in touched {
        // No words of others: an agent may read this as its own tool's.
        let (path, who, since) = (plain::line(path), claimant(claim), when::ago(&claim.since, now));
        text.push_str(&format!("  {path}: {who} has claimed it, {since}\n"));
    }
    text.push_str("`pairwave git` shows what for. Leave it out, ask for a release, or let your human decide to commit all the same.\n");
    text
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
