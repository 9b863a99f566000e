use pairwave_api::Respond;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::short;

/// Deny what another member asks to have done here; they are told why
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pairwave deny k3zq --reason \"not on the release branch\"")]
pub struct Args {
    /// The request: its id, or the beginning of it
    id: String,
    /// Why, for the other side to read
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let answer = Respond {
        room: args.room.room,
        request: args.id,
        decision: "deny".into(),
        reason: args.reason,
        ..Respond::default()
    };
    let responded = caller.ask(answer).await?;
    caller.output.answer(&responded, |responded| {
        format!("Denied ({}). The other side is told, and may not ask the same again.", short(&responded.id))
    })
}
