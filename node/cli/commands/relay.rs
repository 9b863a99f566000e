use clap::Subcommand;
use pairwave_api::{AddRelay, RelayList, RelayView, Relays, RemoveRelay};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};

/// The relays of the room: list, add or remove them
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave relay list
  pairwave relay add /dns4/relay.example.org/udp/4011/quic-v1/p2p/PEERID
  pairwave relay remove /dns4/relay.example.org/udp/4011/quic-v1/p2p/PEERID"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The relays of this room, and whether they hold a place for us
    #[command(after_help = "Example:\n  pairwave relay list --json")]
    List {
        #[command(flatten)]
        room: RoomArg,
    },
    /// Have all members use a relay
    #[command(after_help = "\
Example:
  pairwave relay add '/ip4/203.0.113.7/udp/4011/quic-v1/p2p/PEERID#prt-abc'")]
    Add {
        /// What `pairwave relay-node` printed; with `#` and a token, if there is one
        #[arg(value_name = "MULTIADDR")]
        relay: String,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Have nobody use it any more
    #[command(after_help = "Example:\n  pairwave relay remove /ip4/203.0.113.7/udp/4011/quic-v1/p2p/PEERID")]
    Remove {
        /// As `pairwave relay list` shows it
        #[arg(value_name = "MULTIADDR")]
        relay: String,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let list = match args.action.unwrap_or(Action::List { room: args.room }) {
        Action::List { room } => caller.ask(Relays { room: room.room }).await?,
        Action::Add { relay, room } => caller.ask(AddRelay { room: room.room, relay }).await?,
        Action::Remove { relay, room } => caller.ask(RemoveRelay { room: room.room, relay }).await?,
    };
    caller.output.answer(&list, told)
}

fn told(list: &RelayList) -> String {
    let width = page::width();
    if list.relays.is_empty() {
        return page::paragraph(
            "This room has no relay: its members meet where one can reach the other's machine. \
             `pairwave relay add MULTIADDR` names one that helps where they cannot.",
            width,
        );
    }
    list.relays.iter().map(told_relay).collect()
}

fn told_relay(relay: &RelayView) -> String {
    let state = match (relay.reserved, relay.connected, &relay.why) {
        (true, ..) => "holds a place for you".to_owned(),
        (false, _, Some(why)) => plain::line(why),
        (false, true, None) => "connected".to_owned(),
        (false, false, None) => "not connected".to_owned(),
    };
    let rtt = relay.rtt_ms.map(|ms| format!(" ({ms:.0} ms)")).unwrap_or_default();
    let refused = relay.token_refused.as_deref().map(plain::line);
    let refused = refused.map(|why| format!("    its token does not count there: {why}\n")).unwrap_or_default();
    format!("{}\n    {state}{rtt}\n{refused}", plain::line(&relay.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relay_says_how_we_stand_with_it() {
        let relay = |address: &str, reserved, why: Option<&str>| RelayView {
            address: address.into(),
            reserved,
            connected: reserved,
            rtt_ms: reserved.then_some(12.4),
            why: why.map(str::to_owned),
            token_refused: None,
        };
        let wrong = RelayView { token_refused: Some("it is unknown".into()), ..relay("/c", true, None) };
        let relays = vec![relay("/a", true, None), relay("/b", false, Some("it does not answer")), wrong];
        let said = told(&RelayList { relays });
        assert_eq!(
            said,
            "/a\n    holds a place for you (12 ms)\n/b\n    it does not answer\n\
             /c\n    holds a place for you (12 ms)\n    its token does not count there: it is unknown\n"
        );
        assert!(told(&RelayList { relays: Vec::new() }).contains("pairwave relay add"));
    }
}
