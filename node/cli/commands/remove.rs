use pairwave_api::Remove;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};

/// Remove a member whom you, or somebody you let in, admitted
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave remove bob --reason \"laptop was stolen\"")]
pub struct Args {
    /// Name, or the beginning of an id
    member: String,
    /// Why, for the others to read
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let name = plain::line(&args.member);
    let done = caller.ask(Remove { room: args.room.room, member: args.member, reason: args.reason }).await?;
    caller.output.answer(&done, |_| {
        let text = format!(
            "{name} is removed. The room has a new key that they do not get, and every open invite is closed. \
             It holds for each of the others from the moment they hear of it."
        );
        page::paragraph(&text, page::width())
    })
}
