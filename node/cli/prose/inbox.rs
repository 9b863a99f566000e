//! What needs the reader.

use jiff::Timestamp;
use owo_colors::OwoColorize;
use pairwave_api::{InboxView, Item};

use super::{page, plain, short, transcript::Teller, when};

/// The items: what is new in full, the rest as one sentence each, with what to do about it.
pub fn told(inbox: &InboxView, now: Timestamp, width: usize) -> String {
    let mut teller = Teller::new(width);
    let mut out = String::new();
    for item in &inbox.items {
        match &item.entry {
            Some(entry) => out.push_str(&teller.tell(entry)),
            None => out.push_str(&page::paragraph(&sentence(item, now), width)),
        }
        if let Some(next) = next(item) {
            out.push_str(&page::indented(&next.dimmed().to_string(), "       ", width));
        }
    }
    if inbox.more {
        out.push_str("There is more: ask again.\n");
    }
    out
}

fn sentence(item: &Item, now: Timestamp) -> String {
    let from = plain::line(&item.from).bold().to_string();
    let headline = plain::line(&item.headline);
    let since = when::ago(&item.waiting_since, now);
    match item.kind.as_str() {
        "question" => format!("{from} asked {since} and waits: {headline}"),
        "open_question" => format!("You asked {since}, without an answer so far: {headline}"),
        "verification" => {
            format!("{from} wants to compare words with you, {since}. Call them, then `pairwave verify`.")
        }
        "permission" => format!("{from} asked {since} to have something done here: {headline}"),
        "task" => format!("Approved, asked for by {from} {since}, and not reported yet: {headline}"),
        "request" => format!("You asked {from} {since}, and it is not settled: {headline}"),
        _ => format!("{from}, {since}: {headline}"),
    }
}

/// What to do about it.
fn next(item: &Item) -> Option<String> {
    let id = short(&item.id);
    Some(match item.kind.as_str() {
        "question" => format!("Answer: `pairwave send --answers {id} \"…\"`"),
        "charter" => "Read it: `pairwave charter`; then `pairwave charter accept` or `decline`".into(),
        "permission" => {
            format!("See it all: `pairwave requests {id}`; then `pairwave approve {id}` or `pairwave deny {id}`")
        }
        "task" => "Approved: one of your agents takes it over with pair_apply".into(),
        "claim" => "See who has what: `pairwave git`".into(),
        "pull" => "Pull them, then say so: `pairwave git setup`".into(),
        "floor" => "Give it on: `pairwave floor yield`; keep it: `pairwave floor claim`".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_human_says_how_to_decide() {
        for (kind, command) in [
            ("permission", "`pairwave approve abcdefgh`"),
            ("charter", "`pairwave charter accept`"),
            ("task", "pair_apply"),
            ("floor", "`pairwave floor yield`"),
            ("pull", "`pairwave git setup`"),
            ("claim", "`pairwave git`"),
        ] {
            let item = Item {
                id: "abcdefghijklmnop".into(),
                kind: kind.into(),
                from: "bob".into(),
                headline: "clean up".into(),
                waiting_since: "2026-11-21T11:55:00Z".into(),
                entry: None,
            };
            let said = told(
                &InboxView { items: vec![item], ..InboxView::default() },
                "2026-11-21T12:00:00Z".parse().expect("a time"),
                120,
            );
            assert!(said.contains("clean up") && said.contains(command), "{said}");
        }
    }

    #[test]
    fn a_waiting_question_says_how_to_answer() {
        let item = Item {
            id: "abcdefghijklmnop".into(),
            kind: "question".into(),
            from: "bob".into(),
            headline: "Trailing\u{1b}[2J commas?".into(),
            waiting_since: "2026-11-21T11:55:00Z".into(),
            entry: None,
        };
        let inbox = InboxView { items: vec![item], more: true, ..InboxView::default() };
        let said = told(&inbox, "2026-11-21T12:00:00Z".parse().expect("a time"), 80);
        assert_eq!(
            anstream::adapter::strip_str(&said).to_string(),
            "bob asked 5 minutes ago and waits: Trailing commas?\n       \
             Answer: `pairwave send --answers abcdefgh \"…\"`\nThere is more: ask again.\n"
        );
    }
}
