use std::path::{Path, PathBuf};

use owo_colors::OwoColorize;
use pairwave_api::{Join, JoinState, Joined};
use serde::Serialize;

use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{dashboard, page, plain};
use crate::stdin;
use crate::wiring::{Wired, wire};

/// Enter a room with the line that somebody sent
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave join INVITE
  pairwave join INVITE --name bob --dir ~/code/parser
  pairwave join - < invite.txt")]
pub struct Args {
    /// The invite: one long word; `-` reads it from stdin, so that nobody else on this machine can see it in the list of processes
    invite: String,
    /// Your name in the room [default: the configured one, else your user name]
    #[arg(long)]
    name: Option<String>,
    /// Folder that the room belongs to [default: this one]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Leave the folder's agent configuration alone
    #[arg(long)]
    no_wire: bool,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    joined: Joined,
    #[serde(flatten)]
    wired: Wired,
}

/// Seconds to wait for somebody who lets us in; starting a companion comes on top, and the answer
/// is due within 30.
const WAIT: u64 = 25;

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let dir = caller.folder(args.dir.as_deref())?;
    let question = Join { invite: stdin::or_line(args.invite)?, dir: dir.clone(), name: args.name, wait_s: WAIT };
    let joined = caller.patiently("Knocking …", caller.ask(question)).await?;
    let wired = wire(&dir, args.no_wire, caller);
    caller.output.answer(&Answer { joined, wired }, |answer| told(answer, &dir))
}

fn told(Answer { joined, wired }: &Answer, dir: &Path) -> String {
    let width = page::width();
    let text = match (joined.state, &joined.title, joined.already) {
        (JoinState::Waiting, ..) if joined.knock_left_at.is_some() => LEFT.to_owned(),
        (JoinState::Waiting, ..) => WAITING.to_owned(),
        (JoinState::Admitted, Some(title), already) => {
            let are = if already { "are already" } else { "are" };
            format!(
                "You {are} in {}.\nNow compare words, once: `pairwave verify`",
                format!("“{}”", plain::line(title)).bold()
            )
        }
        (JoinState::Admitted, None, _) => "You are in. Now compare words, once: `pairwave verify`".to_owned(),
    };
    let mut out = page::paragraph(&text, width);
    if let Some(line) = &joined.answer {
        out.push_str(&page::paragraph("\nIf it stays so, send this line back to whoever invited you:", width));
        out.push_str(&page::to_copy(&format!("pairwave answer {}", plain::line(line))));
    }
    out + &dashboard(joined.dashboard.as_deref()) + &wired.told(dir)
}

const LEFT: &str = "\
Whoever invited you is away. Your knock waits at the relay: the first companion of the room that comes online finds \
it and leaves the room there for you. You need not be online at the same time, and there is nothing to repeat.
`pairwave status` shows when you are in.";

const WAITING: &str = "\
Nobody who could let you in is reachable right now. Your companion goes on trying by itself; nothing is lost and \
there is nothing to repeat.
`pairwave status` shows when you are in; `pairwave doctor` looks for what is in the way.";
