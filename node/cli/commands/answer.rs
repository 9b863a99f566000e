use std::process::ExitCode;

use pairwave_api::{Answer, Answered, Code};

use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};
use crate::stdin;

/// Reach somebody you invited by the line that they sent back; exit code 5 if they do not come in time
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave answer LINE
  pairwave answer - < line.txt")]
pub struct Args {
    /// The line that `pairwave join` printed on their side; `-` reads it from stdin
    line: String,
}

/// Seconds to wait for the joiner; starting a companion comes on top, and the answer is due within 30.
const WAIT: u64 = 25;

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let question = Answer { line: stdin::or_line(args.line)?, wait_s: WAIT };
    let answered = caller.patiently("Dialling …", caller.ask(question)).await?;
    let ended = caller.output.answer(&answered, told)?;
    Ok(if answered.waiting { ExitCode::from(Code::PeerUnreachable.exit()) } else { ended })
}

fn told(answered: &Answered) -> String {
    let text = match &answered.name {
        Some(name) => {
            let name = plain::line(name);
            format!("{name} is in.\nNow compare words, once: `pairwave verify {name}`")
        }
        None => WAITING.to_owned(),
    };
    page::paragraph(&text, page::width())
}

const WAITING: &str = "\
They have not come in yet. Your companion goes on dialling them for a quarter of an hour; `pairwave status` shows when \
they are in. If they stay away, neither side can reach the other: name a relay with `pairwave relay add MULTIADDR` and \
send a new invite.";
