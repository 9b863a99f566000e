use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pairwave_api::{Code, Export, ExportView};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::prose::count;

/// The whole transcript in one file: Markdown, JSON, or a page that needs nothing else
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave export
  pairwave export --format html --out transcript.html")]
pub struct Args {
    /// What kind of file
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// A file that does not exist yet [default: a new one in this home]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Md,
    Json,
    Html,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let out = args.out.as_deref().map(absolute).transpose()?;
    let export = Export { room: args.room.room, format: Some(args.format.name().to_owned()), out };
    let exported = caller.ask(export).await?;
    caller
        .output
        .answer(&exported, |ExportView { path, events }| format!("{path}\n{}\n", count(*events, "event", "events")))
}

fn absolute(path: &Path) -> Result<PathBuf, Stop> {
    std::path::absolute(path).map_err(|error| {
        let message = format!("{} is no file that can be made: {error}.", path.display());
        Stop::failed(Code::Usage, "no_file", message, "Name a file in a folder that exists.")
    })
}
