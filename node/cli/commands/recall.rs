use pairwave_api::{Recall, Recalled, Recollection};

use crate::args::RoomArg;
use crate::caller::Caller;
use crate::output::Ended;
use crate::prose::{page, plain};

/// Look for what was remembered, the best first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pairwave recall parser recursion
  pairwave recall --tag auth --kind decision
  pairwave recall retry --transcript --artifacts --json")]
pub struct Args {
    /// Words in any language; their forms and typos are found, too [default: the newest]
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// Only what has this tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only fact, decision, snippet, link or insight
    #[arg(long)]
    kind: Option<String>,
    /// Most entries [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
    /// Messages and what was said of artifacts, too
    #[arg(long)]
    transcript: bool,
    /// What stands inside artifacts, too
    #[arg(long)]
    artifacts: bool,
    /// What was superseded, too
    #[arg(long)]
    superseded: bool,
    #[command(flatten)]
    room: RoomArg,
}

pub async fn run(args: Args, caller: &Caller) -> Ended {
    let Args { query, tags, kind, limit, transcript, artifacts, superseded, room } = args;
    let query = Some(query.join(" "));
    let ask = Recall { room: room.room, query, tags, kind, limit, transcript, artifacts, superseded };
    let recalled = caller.ask(ask).await?;
    caller.output.answer(&recalled, told)
}

fn told(recalled: &Recalled) -> String {
    if recalled.entries.is_empty() {
        return page::paragraph("Nothing is remembered that fits. Try other words, or fewer.", page::width());
    }
    recalled.entries.iter().map(told_entry).collect::<Vec<_>>().join("\n")
}

fn told_entry(entry: &Recollection) -> String {
    let (id, name) = (entry.event.get(..8).unwrap_or(&entry.event), plain::line(&entry.name));
    let headline = entry.headline.as_deref().map(plain::line).unwrap_or_default();
    let tags: String = entry.tags.iter().map(|tag| format!(" #{}", plain::line(tag))).collect();
    let lines = entry.lines.as_deref().map(|lines| format!(", lines {lines}")).unwrap_or_default();
    let mut told = format!("{id}  {headline}\n      {}{tags}, from {name}{lines}\n", plain::line(&entry.kind));
    if let Some(latest) = &entry.superseded_by {
        told.push_str(&format!("      superseded by {}\n", latest.get(..8).unwrap_or(latest)));
    }
    for line in plain::text(&entry.content).lines() {
        told.push_str(&format!("      | {line}\n"));
    }
    for from in &entry.provenance {
        told.push_str(&format!("      see {}\n", plain::line(from)));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_told_without_what_steers_a_terminal() {
        let entry = Recollection {
            event: "k3zqabcdefgh".into(),
            headline: Some("a \u{1b}[31mparser".into()),
            content: "one\ntwo\u{1b}[2J".into(),
            tags: vec!["x".into()],
            kind: "fact".into(),
            name: "bob".into(),
            superseded_by: Some("abcdefghijkl".into()),
            provenance: vec!["src/lib.rs:3".into()],
            ..Recollection::default()
        };
        let said = told(&Recalled { entries: vec![entry] });
        assert_eq!(
            said,
            "k3zqabcd  a parser\n      fact #x, from bob\n      superseded by abcdefgh\n      | one\n      | two\n      see src/lib.rs:3\n"
        );
        let inside = Recollection { kind: "code".into(), lines: Some("3-14".into()), ..Recollection::default() };
        assert!(told(&Recalled { entries: vec![inside] }).contains("code, from , lines 3-14"));
        assert!(told(&Recalled { entries: Vec::new() }).contains("Nothing"));
    }
}
