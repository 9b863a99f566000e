use std::io::{self, IsTerminal};

use owo_colors::OwoColorize;
use pairwave_api::{Client, CompanionExt, Verification, Verify};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};
use crate::stdin;

/// Compare words by voice, so that both know nobody sits between
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave verify
  pairwave verify bob --heard \"apple river stone\"
  pairwave verify bob --heard -")]
pub struct Args {
    /// Name, or the beginning of an id [default: the only other member]
    member: Option<String>,
    /// The three words that the other person read out; `-` reads them from stdin, so that nobody else on this machine can see them in the list of processes
    #[arg(long, value_name = "WORDS")]
    heard: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let heard = args.heard.map(stdin::or_line).transpose()?;
    let companion = caller.companion().await?;
    let question = Verify { room: args.room.room, member: args.member, heard };
    let entered = question.heard.is_some();
    let asking = companion.ask(question.clone());
    let shown = caller.patiently("Agreeing on words with the other companion …", asking).await?;
    if entered || shown.verified || caller.output.json() {
        return caller.output.answer(&shown, told_outcome);
    }
    caller.output.prose(&told_words(&shown))?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return compare(&companion, question, shown, caller).await;
    }
    let command = format!("pairwave verify {} --heard \"…\"", plain::line(&shown.name));
    caller.output.prose(&format!("Then enter what you heard:\n{}", page::to_copy(&command)))?;
    Ok(std::process::ExitCode::SUCCESS)
}

/// Asks the person at the terminal for the words.
async fn compare(companion: &Client, question: Verify, shown: Verification, caller: &Caller) -> Ended {
    let prompt = format!("The three words that {} reads to you: ", plain::line(&shown.name));
    let typed = tokio::task::spawn_blocking(move || stdin::asked(&prompt)).await.map_err(io::Error::other)??;
    if typed.trim().is_empty() {
        caller
            .output
            .remark("Nothing entered. The words stay the same for 30 minutes: run it again when you are ready.");
        return Ok(std::process::ExitCode::SUCCESS);
    }
    let member = Some(shown.member);
    let outcome = companion.ask(Verify { member, heard: Some(typed), ..question }).await?;
    caller.output.answer(&outcome, told_outcome)
}

fn told_words(shown: &Verification) -> String {
    let name = plain::line(&shown.name);
    let width = page::width();
    let call = format!(
        "Call {name}, by voice or video, where you recognise each other. \
         Both run `pairwave verify`; each reads three words out and enters the three that the other reads."
    );
    format!("{}\nRead these to {name}:\n{}", page::paragraph(&call, width), page::to_copy(&shown.say.join("  ")))
}

fn told_outcome(outcome: &Verification) -> String {
    let name = plain::line(&outcome.name);
    let text = match outcome.verified {
        true => format!("{} {name} is who you think.", "Verified:".green().bold()),
        false => format!("The words are right: you have verified {name}. It is mutual once {name} has entered yours."),
    };
    page::paragraph(&text, page::width())
}
