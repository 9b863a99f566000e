use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use pairwave_api::{Code, Wait};

use crate::args::{RoomArg, duration};
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose;

/// Wait until something new needs you; exit code 5 if nothing does in time
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave wait
  pairwave wait --timeout 10m --json")]
pub struct Args {
    /// How long at most: 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let question = Wait { room: args.room.room, timeout_s: args.timeout.as_secs(), peek: false };
    let inbox = caller.patiently("Waiting for something new …", caller.ask(question)).await?;
    let ended = caller.output.answer(&inbox, |inbox| match inbox.timed_out {
        true => "Nothing new came in that time.".into(),
        false => prose::inbox::told(inbox, Timestamp::now(), prose::page::width()),
    })?;
    Ok(if inbox.timed_out { ExitCode::from(Code::PeerUnreachable.exit()) } else { ended })
}
