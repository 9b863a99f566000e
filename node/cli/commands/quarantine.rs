use std::path::PathBuf;

use clap::Subcommand;
use pairwave_api::{
    ArtifactExported, ArtifactItem, ArtifactRemoved, ArtifactView, Code, ExportArtifact, ListArtifacts, QuarantineList,
    RemoveArtifact, ShowArtifact, WarningView,
};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::lookup;
use crate::output::{Ended, Stop};
use crate::prose::{page, plain};

/// What others shared, inert: list, show, export or remove it
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pairwave quarantine
  pairwave quarantine show k3zq
  pairwave quarantine export k3zq ~/review
  pairwave quarantine remove k3zq"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All code and patches of this room, and how far they have arrived
    #[command(after_help = "Example:\n  pairwave quarantine list --json")]
    List {
        #[command(flatten)]
        room: RoomArg,
    },
    /// What one of them holds, with what to beware of
    #[command(after_help = "Example:\n  pairwave quarantine show k3zq")]
    Show {
        /// The beginning of its id
        #[arg(value_name = "ID")]
        artifact: String,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Write one into a folder, as a file that nothing executes
    #[command(after_help = "Example:\n  pairwave quarantine export k3zq ~/review")]
    Export {
        /// The beginning of its id
        #[arg(value_name = "ID")]
        artifact: String,
        /// A folder that exists; no file in it is replaced
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        room: RoomArg,
    },
    /// Delete one from this machine, for good; others keep theirs
    #[command(after_help = "Example:\n  pairwave quarantine remove k3zq")]
    Remove {
        /// The beginning of its id
        #[arg(value_name = "ID")]
        artifact: String,
        #[command(flatten)]
        room: RoomArg,
    },
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    match args.action.unwrap_or(Action::List { room: args.room }) {
        Action::List { room } => {
            let list: QuarantineList = caller.ask(ListArtifacts { room: room.room }).await?;
            caller.output.answer(&list, told)
        }
        Action::Show { artifact, room } => match caller.ask(ShowArtifact { room: room.room, artifact }).await {
            Ok(shown) => caller.output.answer(&shown, told_whole),
            Err(stop) => lookup::ended(stop, caller.output),
        },
        Action::Export { artifact, dir, room } => {
            let dir = std::path::absolute(&dir).map_err(|error| {
                let message = format!("{} is no folder: {error}.", dir.display());
                Stop::failed(Code::Usage, "no_folder", message, "Name a folder that exists.")
            })?;
            let exported = caller.ask(ExportArtifact { room: room.room, artifact, dir }).await?;
            caller.output.answer(&exported, |ArtifactExported { path, .. }| format!("{path}\n"))
        }
        Action::Remove { artifact, room } => {
            let removed = caller.ask(RemoveArtifact { room: room.room, artifact }).await?;
            caller.output.answer(&removed, |ArtifactRemoved { id }| format!("{} is gone from here.\n", short(id)))
        }
    }
}

fn told(list: &QuarantineList) -> String {
    if list.items.is_empty() {
        return page::paragraph("Nobody has shared code or a patch in this room.", page::width());
    }
    list.items.iter().map(told_item).collect()
}

fn told_item(item: &ArtifactItem) -> String {
    let what = match (item.is_patch, &item.language) {
        (true, _) => "patch".to_owned(),
        (false, Some(language)) => plain::line(language),
        (false, None) => "code".to_owned(),
    };
    let state = match (item.state.as_str(), &item.waits) {
        ("complete", _) => String::new(),
        (_, Some(waits)) => format!(", {waits}"),
        ("fetching", None) => format!(", {} %", item.progress * 100 / item.size.max(1)),
        (state, None) => format!(", {state}"),
    };
    let (id, headline, from) = (short(&item.id), plain::line(&item.headline), plain::line(&item.from));
    let warned: String = item.warnings.iter().map(told_warning).collect();
    format!("{id}  {headline}\n      {what}, {} bytes, from {from}{state}\n{warned}", item.size)
}

fn told_warning(warning: &WarningView) -> String {
    let excerpt = match warning.excerpt.as_str() {
        "" => String::new(),
        excerpt => format!(" ({})", plain::line(excerpt)),
    };
    format!("      ! {}: {}{excerpt}\n", warning.risk, plain::line(&warning.reason))
}

fn told_whole(view: &ArtifactView) -> String {
    let mut told = told_item(&view.item);
    for path in &view.item.paths {
        told.push_str(&format!("      touches {}\n", plain::line(path)));
    }
    if let Some(error) = &view.diff_error {
        told.push_str(&format!("      ! this cannot be read as a patch: {}\n", plain::line(error)));
    }
    if let Some(content) = &view.content {
        told.push('\n');
        for line in content.lines() {
            told.push_str(&format!("| {}\n", plain::line(line)));
        }
        if view.cut {
            told.push_str("\nThere is more: `pairwave quarantine export ID DIR` writes all of it.\n");
        }
    }
    told
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> ArtifactItem {
        ArtifactItem {
            id: "k3zqabcdefgh".into(),
            headline: "a \u{1b}[31mparser".into(),
            from: "bob".into(),
            size: 200,
            progress: 50,
            state: "fetching".into(),
            is_patch: true,
            ..ArtifactItem::default()
        }
    }

    #[test]
    fn a_list_says_how_far_each_is_and_what_to_beware_of() {
        let waiting = ArtifactItem {
            state: "waiting".into(),
            waits: Some("waits for somebody who has it".into()),
            is_patch: false,
            ..item()
        };
        let warning = WarningView {
            rule: "leaves_project".into(),
            risk: "high".into(),
            reason: "It leaves the project".into(),
            excerpt: "../x".into(),
        };
        let warned = ArtifactItem { state: "complete".into(), warnings: vec![warning], ..item() };
        let said = told(&QuarantineList { items: vec![item(), waiting, warned] });
        assert!(said.contains("patch, 200 bytes, from bob, 25 %\n"), "{said}");
        assert!(said.contains("code, 200 bytes, from bob, waits for somebody"), "{said}");
        assert!(said.contains("! high: It leaves the project (../x)"), "{said}");
        assert!(!said.contains('\u{1b}'));
        assert!(told(&QuarantineList { items: Vec::new() }).contains("Nobody"));
    }

    #[test]
    fn what_is_shown_is_quoted_line_by_line() {
        let content = Some("one\ntwo\u{1b}[2J\n".to_owned());
        let view = ArtifactView { item: item(), content, cut: true, diff: None, diff_error: Some("line 3".into()) };
        let said = told_whole(&view);
        assert!(said.contains("| one\n| two") && said.contains("export") && said.contains("line 3"), "{said}");
        assert!(!said.contains('\u{1b}'));
    }
}
