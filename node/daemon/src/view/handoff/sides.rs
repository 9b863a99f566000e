//! What each side was doing: what it summed up, pushed and said last.

use pairwave_core::id::EventId;
use pairwave_core::ledger::Part;
use pairwave_core::log::{Log, LogError};

use super::{Viewer, line, nothing_or, told};
use crate::markdown::Page;

impl<L: Log> Viewer<'_, L> {
    /// One line of each side after the other, so that none takes all the room, and what was handed over to
    /// others. The newest summary of all, and what was handed over to us, stand elsewhere.
    pub(super) fn sides_part(&self, page: &mut Page, budget: usize) -> Result<(), LogError> {
        let ledger = &self.room().state().ledger;
        let sides: Vec<Vec<EventId>> =
            self.members().iter().filter_map(|member| ledger.part(member)).map(did).collect();
        let longest = sides.iter().map(Vec::len).max().unwrap_or(0);
        let by_turns = (0..longest).flat_map(|turn| sides.iter().filter_map(move |side| side.get(turn)));
        let handed = self.handed_over()?;
        let mut items = Vec::new();
        for id in by_turns.filter(|id| ledger.summary() != Some(**id)) {
            let entry = self.entry(id)?.filter(|entry| !handed.as_ref().is_some_and(|handed| handed.is(&entry.event)));
            items.extend(entry.map(|entry| told(&line(entry))));
        }
        if let Some(handed) = handed.filter(|handed| !handed.is_for_us) {
            handed.told(page);
            page.line("");
        }
        nothing_or(page, &items, items.len(), budget, "`pair_read`");
        Ok(())
    }
}

/// What a side did, what tells most of it first.
fn did(part: &Part) -> Vec<EventId> {
    let mut did: Vec<EventId> = Vec::new();
    for id in part.summary.iter().chain(part.pushed.iter().rev()).chain(part.last.iter().rev()) {
        if !did.contains(id) {
            did.push(*id);
        }
    }
    did
}
