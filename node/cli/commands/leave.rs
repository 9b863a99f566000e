use pairwave_api::{Leave, LeftRoom};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::page;

/// Leave the room for good: no invite brings you back into it; what was said stays readable here
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave leave --room \"parser rewrite\"")]
pub struct Args {
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let left = caller.ask(Leave { room: args.room.room }).await?;
    caller.output.answer(&left, |left| page::paragraph(told(left), page::width()))
}

fn told(left: &LeftRoom) -> &'static str {
    match left.state.as_str() {
        "given_up" => "Your companion knocks at that room no more, and this folder is free.",
        _ => {
            "You have left the room, for good: nobody can let you in again under this identity. \
             What was said stays readable here. To go on talking, meet in another room."
        }
    }
}
