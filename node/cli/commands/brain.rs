use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use pairwave_api::{BrainImported, Code, EventDone, ExportBrain, ImportBrain, Restore};
use serde::Serialize;

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::{Ended, Stop};
use crate::prose::{count, plain};
use crate::stdin;

/// What was remembered: bring an entry back, write all into a file, or take it in from one
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    after_help = "\
Examples:
  pairwave brain restore k3zqf7ab
  pairwave brain export brain.md
  pairwave brain import brain.md"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write every entry that counts into a file
    #[command(after_help = "Example:\n  pairwave brain export brain.md")]
    Export {
        /// A file that does not exist yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Remember every entry of a file that is not remembered yet
    #[command(after_help = "\
Example:
  pairwave brain import notes.md

Each heading of the second level (`## …`) begins an entry. Below it may stand:
  - kind: decision
  - tags: parser, design
  - provenance: src/lib.rs:10")]
    Import {
        /// Markdown; `-` reads it from stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Let an entry count again that another one stands in the place of
    #[command(after_help = "\
Example:
  pairwave brain restore k3zqf7ab

`pairwave recall --superseded` shows entries that were superseded.")]
    Restore {
        /// The entry's id, or the beginning of it
        #[arg(value_name = "ENTRY")]
        entry: String,
        #[command(flatten)]
        room: RoomArg,
    },
}

#[derive(Serialize)]
struct Exported {
    path: String,
    entries: u64,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.action {
        Action::Export { file, room } => {
            let (mut markdown, mut entries, mut next) = (String::new(), 0, None);
            loop {
                let part = caller.ask(ExportBrain { room: room.room.clone(), next }).await?;
                markdown.push_str(&part.markdown);
                (entries, next) = (entries + part.entries, part.next);
                if next.is_none() {
                    break;
                }
            }
            write(&file, &markdown)?;
            let exported = Exported { path: file.display().to_string(), entries };
            caller.output.answer(&exported, |Exported { path, entries }| format!("{entries} entries are in {path}.\n"))
        }
        Action::Import { file, room } => {
            let markdown = read(&file)?;
            let imported = caller.ask(ImportBrain { room: room.room, markdown }).await?;
            caller.output.answer(&imported, told)
        }
        Action::Restore { entry, room } => {
            let restored = caller.ask(Restore { room: room.room, entry }).await?;
            caller.output.answer(&restored, |EventDone { event }| format!("It counts again, as entry {event}.\n"))
        }
    }
}

fn told(imported: &BrainImported) -> String {
    let BrainImported { imported, skipped, refused } = imported;
    let entries = count(*imported, "entry", "entries");
    let mut told = format!("{entries} remembered, {skipped} there already.\n");
    for entry in refused {
        let [headline, message, next] = [&entry.headline, &entry.message, &entry.next].map(|text| plain::line(text));
        told.push_str(&format!("Not remembered: {headline}\n  {message}. {next}\n"));
    }
    told
}

fn write(file: &Path, markdown: &str) -> Result<(), Stop> {
    use std::io::Write;
    let open = fs::OpenOptions::new().write(true).create_new(true).open(file);
    open.and_then(|mut open| open.write_all(markdown.as_bytes())).map_err(|error| {
        let next = "Name a file that does not exist yet, in a folder in which you may write.";
        Stop::failed(Code::Failed, "not_exported", format!("{} cannot be written: {error}.", file.display()), next)
    })
}

fn read(file: &Path) -> Result<String, Stop> {
    if file.as_os_str() == "-" {
        return stdin::text();
    }
    fs::read_to_string(file).map_err(|error| {
        let message = format!("{} cannot be read: {error}.", file.display());
        Stop::failed(Code::Usage, "no_file", message, "Name a Markdown file that you can read.")
    })
}

#[cfg(test)]
mod tests {
    use pairwave_api::EntryRefused;

    use super::*;

    #[test]
    fn what_was_refused_is_told_with_its_next_step() {
        let refused =
            vec![EntryRefused { headline: "A".into(), message: "`tags` is empty".into(), next: "Fill it in.".into() }];
        let said = told(&BrainImported { imported: 2, skipped: 1, refused });
        assert!(said.starts_with("2 entries remembered, 1 there already.\n"), "{said}");
        assert!(said.contains("Not remembered: A\n  `tags` is empty. Fill it in."), "{said}");
    }
}
