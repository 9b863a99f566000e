use clap::Subcommand;
use pairwave_api::{ClaimFloor, FloorAnswer, FloorView, ShowFloor, YieldFloor};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{list, page, plain};

/// Whose turn it is: show it, claim the floor, or yield it
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave floor
  pairwave floor claim --reason \"two findings\"
  pairwave floor yield --to bob"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask for the floor, keep it, or take it where nobody answered for a minute
    #[command(after_help = "Example:\n  pairwave floor claim --reason \"two findings\"")]
    Claim {
        /// What for, for the others to read
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Give it to somebody, or to whoever has waited longest
    #[command(after_help = "Example:\n  pairwave floor yield --to bob")]
    Yield {
        /// A member or session, by name or the beginning of an id
        #[arg(long, value_name = "WHOM")]
        to: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let answer = match args.action {
        None => caller.ask(ShowFloor { room: args.room.room }).await?,
        Some(Action::Claim { reason, room }) => caller.ask(ClaimFloor { room: room.room, reason }).await?,
        Some(Action::Yield { to, room }) => caller.ask(YieldFloor { room: room.room, to }).await?,
    };
    caller.output.answer(&answer, |answer| told(answer, page::width()))
}

fn told(answer: &FloorAnswer, width: usize) -> String {
    let floor = &answer.floor;
    let mut out = page::paragraph(&holder(floor, answer.yours), width);
    let waiting = floor.waiting.iter().map(|claim| {
        let reason = claim.reason.as_deref().map(|reason| format!(" ({})", plain::line(reason)));
        format!("{}{}", plain::line(&claim.name), reason.unwrap_or_default())
    });
    let waiting: Vec<String> = waiting.collect();
    if !waiting.is_empty() {
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        out.push_str(&page::paragraph(&format!("{} {verb} for it.", list(&waiting)), width));
    }
    let hops = format!("Agents have spoken {} of {} times since a human did something.", floor.hops, floor.max_hops);
    out.push_str(&page::paragraph(&hops, width));
    out.push_str(&page::paragraph(&plain::text(&answer.next), width));
    out
}

fn holder(floor: &FloorView, yours: bool) -> String {
    let session = floor.session_name.as_deref().map(|name| format!(" ({})", plain::line(name))).unwrap_or_default();
    match &floor.holder_name {
        _ if yours => "You have the floor.".into(),
        Some(name) => format!("{}{session} has the floor.", plain::line(name)),
        None => "Nobody has the floor.".into(),
    }
}

#[cfg(test)]
mod tests {
    use pairwave_api::FloorClaim;

    use super::*;

    #[test]
    fn who_has_the_floor_and_who_waits_is_said() {
        let claim =
            FloorClaim { name: "carol\u{1b}[2J".into(), reason: Some("a\nfinding".into()), ..FloorClaim::default() };
        let floor = FloorView {
            holder: Some("b".into()),
            holder_name: Some("bob".into()),
            session_name: Some("winter-bay".into()),
            waiting: vec![claim],
            hops: 1,
            max_hops: 3,
            ..FloorView::default()
        };
        let answer = FloorAnswer { floor, yours: false, next: "Wait.".into() };
        assert_eq!(
            told(&answer, 100),
            "bob (winter-bay) has the floor.\ncarol (a finding) waits for it.\n\
             Agents have spoken 1 of 3 times since a human did something.\nWait.\n"
        );
    }
}
