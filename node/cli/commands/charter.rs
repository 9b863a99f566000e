use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use pairwave_api::{
    AcceptCharter, CharterAnswer, CharterText, Code, CompanionExt, DeclineCharter, ProposeCharter, ShowCharter,
};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::prose::{charter, page};
use crate::stdin;

/// What the members agree to do together: show, propose, accept or decline it
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave charter
  pairwave charter propose charter.toml
  pairwave charter accept"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Where the charter stands
    #[command(after_help = "Example:\n  pairwave charter show --json")]
    Show {
        #[command(flatten)]
        room: RoomArg,
    },
    /// Propose a charter, or an amendment of the one there is
    #[command(after_help = "\
Examples:
  pairwave charter propose charter.toml
  echo '{\"title\": \"Parser\", \"purpose\": \"Trailing commas\"}' | pairwave charter propose -

The file is TOML or JSON:
  title = \"Parser rewrite\"
  purpose = \"Accept trailing commas everywhere\"
  scope = [\"node/parser\", \"its tests\"]
  out_of_scope = [\"the printer\"]
  must_nots = [\"No new dependencies\"]
  response_contract = [\"Answer with file and line\"]
  auto_approve = \"none\"    # or low, or all but high risk: humans only
  max_hops = 3             # messages of agents without a human between
  live_minutes = 20")]
    Propose {
        /// Its text in TOML or JSON; `-` reads it from stdin
        file: PathBuf,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Accept the newest one
    #[command(after_help = "\
Examples:
  pairwave charter accept
  pairwave charter accept --hash HASH

In a terminal it shows the charter and asks; what is accepted is what was shown.")]
    Accept {
        /// Accept without asking; in a terminal it is still shown
        #[arg(long)]
        yes: bool,
        /// What you read: refused if another one is in question by now
        #[arg(long)]
        hash: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Decline the newest one: the one before is in force again
    #[command(after_help = "Example:\n  pairwave charter decline --reason \"leave the printer out\"")]
    Decline {
        /// Why, for the others to read
        #[arg(long)]
        reason: Option<String>,
        /// What you read: refused if another one is in question by now
        #[arg(long)]
        hash: Option<String>,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let answer = match args.action.unwrap_or(Action::Show { room: args.room }) {
        Action::Show { room } => caller.ask(ShowCharter { room: room.room }).await?,
        Action::Propose { file, room } => caller.ask(ProposeCharter { room: room.room, charter: read(&file)? }).await?,
        Action::Accept { yes, hash, room } => match accept(AcceptCharter { room: room.room, hash }, yes, caller).await?
        {
            Some(answer) => answer,
            None => return Ok(ExitCode::SUCCESS),
        },
        Action::Decline { reason, hash, room } => caller.ask(DeclineCharter { room: room.room, hash, reason }).await?,
    };
    caller.output.answer(&answer, |answer| charter::told(answer, page::width()))
}

/// Accepts what is named by its hash, or what stands there now; `None` if the person does not want that.
async fn accept(mut accept: AcceptCharter, yes: bool, caller: &Caller) -> Result<Option<CharterAnswer>, Stop> {
    let companion = caller.companion().await?;
    if accept.hash.is_none() {
        let stands = companion.ask(ShowCharter { room: accept.room.clone() }).await?;
        let watched = io::stdin().is_terminal() && io::stdout().is_terminal() && !caller.output.json();
        if watched && stands.state == "proposed" {
            caller.output.prose(&charter::told(&stands, page::width()))?;
            if !yes && !agreed().await? {
                caller.output.remark("Nothing was accepted. `pairwave charter decline` tells the others no.");
                return Ok(None);
            }
        }
        accept.hash = stands.hash;
    }
    Ok(Some(companion.ask(accept).await?))
}

async fn agreed() -> Result<bool, Stop> {
    let asked = tokio::task::spawn_blocking(|| stdin::asked("Accept this charter? [y/N] "));
    let typed = asked.await.map_err(io::Error::other)??;
    Ok(["y", "yes"].contains(&typed.trim().to_lowercase().as_str()))
}

fn read(file: &Path) -> Result<CharterText, Stop> {
    let text = if file == Path::new("-") {
        stdin::text()?
    } else {
        std::fs::read_to_string(file).map_err(|error| {
            let message = format!("The charter {} could not be read: {error}.", file.display());
            Stop::failed(Code::Usage, "charter_file", message, "Name a file in TOML or JSON, or `-` for stdin.")
        })?
    };
    parsed(&text)
}

/// No TOML begins with a brace.
fn parsed(text: &str) -> Result<CharterText, Stop> {
    let parsed = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml_edit::de::from_str(text).map_err(|error| error.message().to_owned())
    };
    parsed.map_err(|why| {
        let next = "`pairwave charter propose --help` shows what can stand in it; title and purpose must.";
        Stop::failed(Code::Usage, "charter_file", format!("This is no charter: {why}."), next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charter_is_read_as_toml_or_json() {
        let toml = "title = \"Parser\"\npurpose = \"Commas\"\nscope = [\"node\"]\nmax_hops = 5\n";
        let json = "\n {\"title\": \"Parser\", \"purpose\": \"Commas\", \"scope\": [\"node\"], \"max_hops\": 5}";
        let expected = CharterText {
            title: "Parser".into(),
            purpose: "Commas".into(),
            scope: vec!["node".into()],
            max_hops: Some(5),
            ..CharterText::default()
        };
        for text in [toml, json] {
            assert_eq!(parsed(text).expect("a charter"), expected);
        }
    }

    #[test]
    fn what_is_no_charter_says_why() {
        for (text, named) in [
            ("title = \"x\"", "purpose"),
            ("title = \"x\"\npurpose = \"y\"\nmust_not = []", "must_not"),
            ("{\"title\": 1}", "string"),
            ("", "title"),
        ] {
            let Err(Stop::Failed(failure)) = parsed(text) else { panic!("{text}") };
            assert_eq!((failure.code, failure.rule.as_str()), (Code::Usage, "charter_file"));
            assert!(failure.message.contains(named), "{}", failure.message);
        }
    }
}
