use jiff::Timestamp;
use pairwave_api::{EventDone, FindingList, FindingView, Findings, Override};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain, short, when};

/// Let one finding of the secret scan pass, or list what was held back
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave override
  pairwave override k3zq

It lets this one text pass, here, from now on; say it again then. The secret itself is written down nowhere.")]
pub struct Args {
    /// The finding, as the refusal named it: its id, or the beginning of it
    id: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let room = args.room.room;
    match args.id {
        None => {
            let list = caller.ask(Findings { room }).await?;
            caller.output.answer(&list, |list| told_list(list, Timestamp::now(), page::width()))
        }
        Some(id) => {
            let done = caller.ask(Override { room, id }).await?;
            caller.output.answer(&done, told)
        }
    }
}

fn told(_: &EventDone) -> String {
    page::paragraph("That one may pass from now on. Say it again; the room sees that you let it pass.", page::width())
}

fn told_list(list: &FindingList, now: Timestamp, width: usize) -> String {
    if list.findings.is_empty() {
        return page::paragraph("Nothing was held back since the companion started.", width);
    }
    let mut out: String = list.findings.iter().map(|finding| told_finding(finding, now, width)).collect();
    out.push_str(&page::paragraph("If one is no secret: `pairwave override ID`, then say it again.", width));
    out
}

fn told_finding(finding: &FindingView, now: Timestamp, width: usize) -> String {
    let head = format!(
        "{}  {} in `{}`, {} ({}, {})",
        short(&finding.id),
        plain::line(&finding.what),
        plain::line(&finding.field),
        when::ago(&finding.at, now),
        plain::line(&finding.session_name),
        plain::line(&finding.rule)
    );
    format!("{}{}", page::paragraph(&head, width), page::indented(&plain::text(&finding.excerpt), "    ", width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_back_names_what_to_override() {
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        let finding = FindingView {
            id: "abcdefghijkl".into(),
            rule: "github-pat".into(),
            what: "a GitHub token".into(),
            field: "text".into(),
            excerpt: "token = ghp_…".into(),
            session_name: "winter-bay".into(),
            at: "2026-11-21T11:59:00Z".into(),
        };
        let said = told_list(&FindingList { findings: vec![finding] }, now, 100);
        assert!(
            said.starts_with(
                "abcdefgh  a GitHub token in `text`, 1 minute ago (winter-bay, github-pat)\n    token = ghp_…\n"
            ),
            "{said}"
        );
        assert!(told_list(&FindingList::default(), now, 100).contains("Nothing was held back"));
    }
}
