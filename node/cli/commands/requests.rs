use jiff::Timestamp;
use pairwave_api::{Requests, ShowRequest};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::lookup;
use crate::output::Ended;
use crate::prose::{page, requests};

/// What members ask each other to do: list it, or show one with everything it would do
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave requests
  pairwave requests k3zq
  pairwave requests --all --json")]
pub struct Args {
    /// Show this one in full: its id, or the beginning of it
    id: Option<String>,
    /// Settled ones as well
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let (room, now, width) = (args.room.room, Timestamp::now(), page::width());
    let Some(request) = args.id else {
        let list = caller.ask(Requests { room, all: args.all }).await?;
        return caller.output.answer(&list, |list| requests::listed(list, now, width));
    };
    match caller.ask(ShowRequest { room, request }).await {
        Ok(shown) => caller.output.answer(&shown, |shown| requests::shown(shown, now, width)),
        Err(stop) => lookup::ended(stop, caller.output),
    }
}
