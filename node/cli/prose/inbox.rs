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
        if item.kind == "question" {
            out.push_str(&page::indented(&how_to_answer(&item.id), "       ", width));
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
        _ => format!("{from}, {since}: {headline}"),
    }
}

fn how_to_answer(question: &str) -> String {
    format!("Answer: `pairwave send --answers {} \"…\"`", short(question)).dimmed().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
