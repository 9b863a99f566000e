use std::path::{Path, PathBuf};

use clap::Subcommand;
use pairwave_api::{AcceptCharter, CharterText, Code, DeclineCharter, ProposeCharter, ShowCharter};

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
    #[command(after_help = "Examples:\n  pairwave charter accept\n  pairwave charter accept --hash HASH")]
    Accept {
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
        Action::Accept { hash, room } => caller.ask(AcceptCharter { room: room.room, hash }).await?,
        Action::Decline { reason, hash, room } => caller.ask(DeclineCharter { room: room.room, hash, reason }).await?,
    };
    caller.output.answer(&answer, |answer| charter::told(answer, page::width()))
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
