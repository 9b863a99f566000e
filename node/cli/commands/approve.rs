use std::io::{self, IsTerminal};
use std::process::ExitCode;

use jiff::Timestamp;
use pairwave_api::{Client, Code, CompanionExt, RequestDetail, Respond, Responded, ShowRequest};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::prose::{page, plain, requests, short};
use crate::stdin;

/// Approve what another member asks to have done here (gate 1)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave approve k3zq
  pairwave approve k3zq --yes --json

In a terminal it shows who asks for what, how risky it is and exactly what would be done, and asks; what is approved
is what was shown. High risk takes a human, here or on the dashboard. `pairwave requests ID` only shows it.")]
pub struct Args {
    /// The request: its id, or the beginning of it
    id: String,
    /// Approve without asking; in a terminal it is still shown
    #[arg(long)]
    yes: bool,
    /// Later requests of this kind by the same session need no human; never for high risk
    #[arg(long)]
    always: bool,
    /// What was shown: refused if the request is not that one
    #[arg(long)]
    hash: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let companion = caller.companion().await?;
    let mut answer = Respond {
        room: args.room.room,
        request: args.id,
        decision: "approve".into(),
        reason: None,
        always_allow: args.always,
        hash: args.hash,
    };
    let watched = io::stdin().is_terminal() && io::stdout().is_terminal() && !caller.output.json();
    if watched {
        let shown = shown(&companion, &answer, caller).await?;
        if is_open(&shown) && shown.payload.is_none() {
            return Err(not_here());
        }
        if is_open(&shown) && !args.yes && !agreed(&shown, args.always).await? {
            caller.output.remark("Nothing was approved. `pairwave deny` tells the other side no.");
            return Ok(ExitCode::SUCCESS);
        }
        answer.hash.get_or_insert(shown.request.hash);
    }
    let responded = companion.ask(answer).await?;
    caller.output.answer(&responded, told)
}

/// Everything that the approval will bind, on the screen.
async fn shown(companion: &Client, answer: &Respond, caller: &Caller) -> Result<RequestDetail, Stop> {
    let question = ShowRequest { room: answer.room.clone(), request: answer.request.clone() };
    let shown = companion.ask(question).await?;
    caller.output.prose(&requests::shown(&shown, Timestamp::now(), page::width()))?;
    Ok(shown)
}

/// Can it be decided here? What cannot is for the companion to refuse.
fn is_open(shown: &RequestDetail) -> bool {
    shown.request.for_me && shown.request.state == "pending"
}

fn not_here() -> Stop {
    let message = "What it would do is not all here, so nobody can look at it.";
    Stop::failed(Code::Failed, "payload_missing", message, "Wait until `pairwave quarantine` shows it complete.")
}

async fn agreed(shown: &RequestDetail, always: bool) -> Result<bool, Stop> {
    let kind = requests::action(&shown.request.action);
    // The payload may have moved what stands above it out of sight.
    let (from, risk) = (plain::line(&shown.request.from), requests::risk(&shown.request.risk));
    let question = match always {
        true => format!("Have this done for {from} ({kind}, {risk}), and whenever this session asks? [y/N] "),
        false => format!("Have this done for {from} ({kind}, {risk}), exactly so and once? [y/N] "),
    };
    let typed = tokio::task::spawn_blocking(move || stdin::asked(&question)).await.map_err(io::Error::other)??;
    Ok(["y", "yes"].contains(&typed.trim().to_lowercase().as_str()))
}

fn told(responded: &Responded) -> String {
    let text = format!(
        "Approved ({}): your agent may take it over once, and its host asks again before it does anything.",
        short(&responded.id)
    );
    page::paragraph(&text, page::width())
}
