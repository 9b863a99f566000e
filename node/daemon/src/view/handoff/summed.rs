//! What agents say in many words for whoever goes on: the newest summary, and the newest handoff, with
//! all that they list.

use pairwave_api::words::minute;
use pairwave_api::{Entry, Field};
use pairwave_core::event::Body;
use pairwave_core::log::{Log, LogError};
use pairwave_core::talk::Kind;

use super::{Viewer, short};
use crate::markdown::{Page, block, inline};

/// Characters of the text, of each list, and of one line of it.
const TEXT: usize = 800;
const LIST: usize = 350;
const LINE: usize = 200;

/// The newest handoff that was said in the room.
pub struct HandedOver {
    entry: Entry,
    /// Is it ours to go on with?
    pub is_for_us: bool,
}

impl<L: Log> Viewer<'_, L> {
    /// The newest summary, if there is one.
    pub fn summary_part(&self, page: &mut Page) -> Result<(), LogError> {
        let summary = self.room().state().ledger.summary();
        let Some(entry) = summary.map(|summary| self.entry(&summary)).transpose()?.flatten() else { return Ok(()) };
        let (at, name, id) = (minute(&entry.at), inline(&entry.name, 64), short(&entry.event));
        page.line(&format!("The newest summary, {at} by {name} (`{id}`):\n"));
        page.line(&block(&entry.text, TEXT));
        let lists = [("decisions", "Decided"), ("open_questions", "Open"), ("headlines", "To know")];
        listed(page, &entry, &lists);
        Ok(())
    }

    pub fn handed_over(&self) -> Result<Option<HandedOver>, LogError> {
        for id in self.room().state().ledger.headlines().rev() {
            let Some((record, event)) = self.event(id)? else { continue };
            let Body::Message(message) = &event.body else { continue };
            if message.kind == Kind::Handoff {
                let is_to_us = message.to.is_none_or(|to| to.member == self.me());
                let is_for_us = event.author != self.me() && is_to_us;
                return Ok(Some(HandedOver { entry: self.entry_of(&record, &event)?, is_for_us }));
            }
        }
        Ok(None)
    }
}

impl HandedOver {
    pub fn is(&self, event: &str) -> bool {
        self.entry.event == event
    }

    pub fn told(&self, page: &mut Page) {
        let entry = &self.entry;
        let who = if entry.me { "You".to_owned() } else { inline(&entry.name, 64) };
        let to = entry.to.as_deref().map_or_else(|| "the others".to_owned(), |to| inline(to, 140));
        let to = if self.is_for_us { String::new() } else { format!(" to {to}") };
        let (at, id) = (minute(&entry.at), short(&entry.event));
        let what = inline(entry.headline.as_ref().unwrap_or(&entry.text), LINE);
        page.line(&format!("{who} handed over{to}, {at} (`{id}`): {what}. Left to do:\n"));
        page.line(&block(&lines(entry, "remaining_work").join("; "), TEXT));
        let lists = [("work_completed", "Done"), ("decisions_made", "Decided"), ("files_modified", "Changed")];
        listed(page, entry, &lists);
    }
}

/// What an event lists, each sort within a length of its own.
fn listed(page: &mut Page, entry: &Entry, sorts: &[(&str, &str)]) {
    if sorts.iter().any(|(name, _)| !lines(entry, name).is_empty()) {
        page.line("");
    }
    for (name, title) in sorts {
        let items: Vec<String> =
            lines(entry, name).iter().map(|line| format!("{title}: {}", inline(line, LINE))).collect();
        page.list(&items, items.len(), LIST, "`pair_read` with `event` has them");
    }
}

/// A field as lines.
fn lines(entry: &Entry, name: &str) -> Vec<String> {
    match entry.fields.get(name) {
        Some(Field::Text(text)) => vec![text.clone()],
        Some(Field::List(list)) => list.clone(),
        None => Vec::new(),
    }
}
