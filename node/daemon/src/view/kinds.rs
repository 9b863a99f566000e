//! How many events of which kind, as a reader says it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use pairwave_api::words::count;

/// Kinds that are named; all others are counted together.
const NAMED: usize = 8;

/// `3 questions, 1 decision, 9 others`: the most first.
pub fn by_kind(kinds: &BTreeMap<String, u64>) -> String {
    let mut named: Vec<(u64, &str, &str)> = Vec::new();
    for (kind, one, many) in CALLED {
        named.extend(kinds.get(*kind).map(|count| (*count, *one, *many)));
    }
    named.sort_by_key(|(count, ..)| Reverse(*count));
    named.truncate(NAMED);
    let others = kinds.values().sum::<u64>() - named.iter().map(|(count, ..)| count).sum::<u64>();
    let others = (others > 0).then_some((others, "other", "others"));
    let amount = |(number, one, many)| count(number, one, many);
    named.into_iter().chain(others).map(amount).collect::<Vec<_>>().join(", ")
}

/// Is there any that has a name?
pub fn are_named(kinds: &BTreeMap<String, u64>) -> bool {
    CALLED.iter().any(|(kind, ..)| kinds.contains_key(*kind))
}

/// What one and many of a kind are called. What is not among them happens beside the work.
const CALLED: &[(&str, &str, &str)] = &[
    ("decision", "decision", "decisions"),
    ("finding", "finding", "findings"),
    ("question", "question", "questions"),
    ("answer", "answer", "answers"),
    ("summary", "summary", "summaries"),
    ("handoff", "handoff", "handoffs"),
    ("review", "review", "reviews"),
    ("context", "piece of context", "pieces of context"),
    ("code", "artifact", "artifacts"),
    ("action", "request", "requests"),
    ("approved", "approval", "approvals"),
    ("denied", "denial", "denials"),
    ("completed", "result of a request", "results of requests"),
    ("remembered", "entry of the brain", "entries of the brain"),
    ("committed", "announced commit", "announced commits"),
    ("charter_proposed", "proposed charter", "proposed charters"),
    ("status", "status message", "status messages"),
    ("chat", "chat message", "chat messages"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_come_first_and_the_rest_is_counted_together() {
        let kinds = [("chat", 3), ("question", 1), ("decision", 3), ("floor_claimed", 2), ("prompted", 7)];
        let kinds = kinds.map(|(kind, count)| (kind.to_owned(), count)).into();
        assert_eq!(by_kind(&kinds), "3 decisions, 3 chat messages, 1 question, 9 others");
        assert_eq!(by_kind(&[("genesis".to_owned(), 1)].into()), "1 other");
    }
}
