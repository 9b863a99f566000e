//! What is to be held against the project: decisions, statements and what was remembered, each with where
//! it comes from.

use std::cmp::Reverse;

use pairwave_api::{Entry, Field};
use pairwave_core::id::EventId;
use pairwave_core::log::{Log, LogError};

use super::{Viewer, line, nothing_or, short, told};
use crate::markdown::{Page, inline};

/// Places that are named of one thing.
const PLACES: usize = 6;
/// Letters of what an entry holds.
const CONTENT: usize = 240;

impl<L: Log> Viewer<'_, L> {
    /// The newest decisions with their reasons.
    pub fn decisions_part(&self, page: &mut Page, budget: usize) -> Result<(), LogError> {
        let ledger = &self.room().state().ledger;
        let mut items = Vec::new();
        for id in ledger.decisions().rev() {
            items.extend(self.entry(id)?.map(decision));
        }
        let all = usize::try_from(ledger.counts().decisions).unwrap_or(usize::MAX);
        nothing_or(page, &items, all, budget, "`pair_read` with `kind` decision");
        Ok(())
    }

    /// The newest of what somebody said or remembered to be so, where it can be checked.
    pub fn statements_part(&self, page: &mut Page, budget: usize) -> Result<(), LogError> {
        let mut statements = Vec::new();
        for id in self.room().state().ledger.headlines() {
            statements.extend(self.entry(id)?);
        }
        statements.extend(self.entries_that_count()?);
        statements.retain(|entry| entry.claim.is_some() || !entry.provenance.is_empty());
        statements.sort_by_cached_key(|entry| Reverse((entry.depth, entry.event.clone())));
        let items: Vec<String> = statements.into_iter().map(statement).collect();
        nothing_or(page, &items, items.len(), budget, "`pair_recall`, and `pair_read` with `kind` context");
        Ok(())
    }

    /// The newest entries of the brain.
    pub(super) fn brain_part(&self, page: &mut Page, budget: usize) -> Result<(), LogError> {
        let items: Vec<String> = self.entries_that_count()?.into_iter().map(statement).collect();
        let state = self.room().state();
        let all = state.ledger.counts().entries.saturating_sub(state.brain.superseded() as u64);
        nothing_or(page, &items, usize::try_from(all).unwrap_or(usize::MAX), budget, "`pair_recall`");
        Ok(())
    }

    /// The newest entries in whose place no other stands, the newest first.
    fn entries_that_count(&self) -> Result<Vec<Entry>, LogError> {
        let state = self.room().state();
        let counts = state.ledger.entries().rev().filter(|id| state.brain.superseded_by(id).is_none());
        counts.filter_map(|id| self.entry(id).transpose()).collect()
    }
}

/// A decision with its reason.
pub fn decision(entry: Entry) -> String {
    let rationale = entry.rationale.as_deref().map(|why| format!(" Why: {}.", inline(why, 240))).unwrap_or_default();
    let places = places(&entry.provenance);
    format!("{}.{rationale}{places}", told(&line(entry)))
}

/// What somebody says is so, and how sure that is; of an entry of the brain what it holds, too.
pub fn statement(entry: Entry) -> String {
    let places = places(&entry.provenance);
    let remembered = match entry.fields.get("remembered_as") {
        Some(Field::Text(kind)) => Some(kind.clone()),
        _ => None,
    };
    let holds = remembered.as_ref().filter(|_| entry.headline.as_deref() != Some(&entry.text));
    let holds = holds.map(|_| format!(": {}", inline(&entry.text, CONTENT))).unwrap_or_default();
    let sure = entry.claim.as_ref().map(|claim| format!(" ({claim})")).unwrap_or_default();
    let kind = format!("{}{sure}", remembered.as_ref().unwrap_or(&entry.kind));
    let line = pairwave_api::LedgerLine { kind, ..line(entry) };
    format!("{}{holds}.{places}", told(&line))
}

/// Files with lines, commits, links: what to look at. An entry that was brought back names the one whose
/// copy it is.
fn places(provenance: &[String]) -> String {
    let (copies, places): (Vec<&String>, Vec<&String>) = provenance.iter().partition(|place| copied(place).is_some());
    let named: Vec<String> = places.iter().take(PLACES).map(|place| inline(place, 120)).collect();
    let see = match places.len().saturating_sub(PLACES) {
        _ if named.is_empty() => String::new(),
        0 => format!(" See {}.", named.join(", ")),
        more => format!(" See {} and {more} more.", named.join(", ")),
    };
    let back = copies.last().and_then(|place| copied(place)).map(|id| format!(" Brought back from `{}`.", short(id)));
    see + &back.unwrap_or_default()
}

/// The entry that a copy was made of.
fn copied(place: &str) -> Option<&str> {
    place.strip_prefix("entry ").filter(|id| id.parse::<EventId>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_brought_back_says_so_in_words() {
        let id = EventId([7; 32]).to_string();
        let said = places(&["src/a.rs:1".into(), format!("entry {id}"), "entry of a log".into()]);
        assert_eq!(said, format!(" See “src/a.rs:1”, “entry of a log”. Brought back from `{}`.", short(&id)));
    }

    #[test]
    fn an_entry_shows_what_it_holds_and_a_finding_does_not_say_itself_twice() {
        let entry = |text: &str| Entry {
            event: "e1".into(),
            headline: Some("Retries".into()),
            text: text.into(),
            fields: [("remembered_as".to_owned(), Field::Text("fact".into()))].into(),
            ..Entry::default()
        };
        assert!(statement(entry("three times")).ends_with("fact: “Retries”: “three times”."));
        assert!(statement(entry("Retries")).ends_with("fact: “Retries”."));
        assert!(
            statement(Entry { fields: [].into(), kind: "finding".into(), ..entry("x") })
                .ends_with("finding: “Retries”.")
        );
    }
}
