use std::process::ExitCode;
use std::time::Duration;

use crate::caller::Caller;
use crate::demo::{Ending, play};
use crate::output::Ended;

/// Watch two companions and two agents meet, verify, talk and survive a power failure
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave demo
  pairwave demo --seconds 60 --json")]
pub struct Args {
    /// Open nothing in a browser
    #[arg(long)]
    no_open: bool,
    /// End it after so many seconds, wherever the story is
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    // There is no page that could be opened, so there is nothing to keep closed.
    let Args { no_open: _, seconds } = args;
    match play(caller.output, seconds.map(Duration::from_secs)).await? {
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
