use pairwave_api::{Handoff, HandoffView};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;

/// Write down where a room stands, for whoever goes on with it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave handoff
  pairwave handoff --json")]
pub struct Args {
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let handoff = caller.ask(Handoff { room: args.room.room }).await?;
    caller.output.answer(&handoff, |HandoffView { path, .. }| format!("{path}\n"))
}
