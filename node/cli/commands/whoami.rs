use pairwave_api::{Me, Whoami};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{plain, short};

/// Who you are in the room, and as what this call counts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave whoami --json")]
pub struct Args {
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let me = caller.ask(Whoami { room: args.room.room }).await?;
    caller.output.answer(&me, told)
}

fn told(me: &Me) -> String {
    let name = plain::line(&me.name);
    let id = short(&me.member);
    match me.origin.as_str() {
        "human" => format!("You are {name} ({id}), in person."),
        _ => format!("You are {}, an agent of {name} ({id}).", plain::line(&me.session_name)),
    }
}
