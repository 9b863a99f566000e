use pairwave_api::Leave;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;

/// Leave the room for good; what was said stays readable here
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave leave --room \"parser rewrite\"")]
pub struct Args {
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let done = caller.ask(Leave { room: args.room.room }).await?;
    caller.output.answer(&done, |_| "You have left the room. To come back, somebody has to invite you again.".into())
}
