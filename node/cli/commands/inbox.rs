use jiff::Timestamp;
use pairwave_api::Inbox;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose;

/// What is new and needs you
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave inbox
  pairwave inbox --peek --json")]
pub struct Args {
    /// Look without marking anything as seen
    #[arg(long)]
    peek: bool,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let inbox = caller.ask(Inbox { room: args.room.room, peek: args.peek }).await?;
    caller.output.answer(&inbox, |inbox| match inbox.items.is_empty() {
        true => "Nothing new, and nothing waits for you.".into(),
        false => prose::inbox::told(inbox, Timestamp::now(), prose::page::width()),
    })
}
