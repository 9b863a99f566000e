use jiff::Timestamp;
use pairwave_api::ShowStatus;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::lookup;
use crate::output::Ended;
use crate::prose;

/// Who is here, how you are connected, and what waits
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave status
  pairwave status --room \"parser rewrite\" --json")]
pub struct Args {
    /// This room alone, by title or id [default: all of them]
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let status = match caller.ask(ShowStatus { room: args.room.room }).await {
        Ok(status) => status,
        Err(stop) => return lookup::ended(stop, caller.output),
    };
    caller.output.answer(&status, |status| prose::status::told(status, Timestamp::now(), prose::page::width()))
}
