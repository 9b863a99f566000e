use std::process::ExitCode;
use std::time::Duration;

use crate::caller::Caller;
use crate::demo::{Ending, host, play};
use crate::output::Ended;

/// Watch two companions and two agents meet, verify, talk and survive a power failure
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave demo
  pairwave demo --no-open
  pairwave demo --seconds 60 --json")]
pub struct Args {
    /// Open nothing in a browser
    #[arg(long)]
    no_open: bool,
    /// End it after so many seconds, wherever the story is [default: when you press Ctrl-C, or at the
    /// end of the story where nobody watches it in a terminal]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Run an agent's server, as a host does
    #[arg(long, hide = true)]
    plays_host: bool,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let Args { no_open, seconds, plays_host } = args;
    if plays_host {
        return host::play(caller.home.path()).await;
    }
    match play(caller.output, !no_open, seconds.map(Duration::from_secs)).await? {
        Ending::Told => {}
        Ending::TimeIsUp => caller.output.remark("Stopped, as the time is up; everything is cleaned up."),
        Ending::Interrupted => {
            caller.output.remark("Stopped; everything is cleaned up.");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What shells say of a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;
