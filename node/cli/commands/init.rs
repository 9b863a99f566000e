use std::path::{Path, PathBuf};

use pairwave_api::{Create, Created};
use serde::Serialize;

use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{dashboard, folder, page, plain};
use crate::wiring::{Wired, wire};

/// Open a room for a folder and print the one line to send
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave init
  pairwave init --title \"parser rewrite\" --name alice
  pairwave init --relay /dns4/relay.example.org/udp/4011/quic-v1/p2p/PEERID")]
pub struct Args {
    /// Your name in the room [default: the configured one, else your user name]
    #[arg(long)]
    name: Option<String>,
    /// What the room is called [default: the folder's name]
    #[arg(long)]
    title: Option<String>,
    /// Folder that the room belongs to [default: this one]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Leave the folder's agent configuration alone
    #[arg(long)]
    no_wire: bool,
    /// A relay for the room, as `pairwave relay-node` prints it; may be given several times
    #[arg(long, value_name = "MULTIADDR")]
    relay: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    created: Created,
    #[serde(flatten)]
    wired: Wired,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let dir = caller.folder(args.dir.as_deref())?;
    let question = Create { dir: dir.clone(), title: args.title, name: args.name, relays: args.relay };
    let created = caller.ask(question).await?;
    let wired = wire(&dir, args.no_wire, caller);
    caller.output.answer(&Answer { created, wired }, |answer| told(answer, &dir))
}

fn told(Answer { created, wired }: &Answer, dir: &Path) -> String {
    let title = plain::line(&created.title);
    let place = folder(&dir.to_string_lossy());
    let (opening, request) = match created.already {
        false => (format!("“{title}” is open, in {place}."), "Send this line to the other person, over any messenger:"),
        true => (
            format!("{place} has the room “{title}” already; nothing in it was changed."),
            "To invite somebody else, send them this line:",
        ),
    };
    let after = "It lets one person in, within 24 hours. When they are in, compare words: `pairwave verify`";
    let width = page::width();
    format!(
        "{}\n{}{}{}{}{}",
        page::paragraph(&opening, width),
        page::paragraph(request, width),
        page::to_copy(&created.join_command),
        page::paragraph(after, width),
        dashboard(created.dashboard.as_deref()),
        wired.told(dir)
    )
}
