use pairwave_api::{Named, Rename};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::plain;

/// Change your name in the room, or that of one of your sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave rename \"Alice B.\"
  pairwave rename reviewer --session winter-bay")]
pub struct Args {
    /// The new name
    name: String,
    /// Session to rename, by name or the beginning of its id
    #[arg(long)]
    session: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let named = caller.ask(Rename { room: args.room.room, name: args.name, session: args.session }).await?;
    caller.output.answer(&named, told)
}

fn told(named: &Named) -> String {
    let name = plain::line(&named.name);
    if named.session.is_some() { format!("That session is {name} now.") } else { format!("You are {name} now.") }
}
