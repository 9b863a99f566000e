//! Where a room stands: how much was said, whose turn it is, who takes part, and the newest summary.

use pairwave_api::words::{count, minute};
use pairwave_api::{LedgerView, Participant, amounts};
use pairwave_core::log::{Log, LogError};

use super::{Viewer, part};
use crate::markdown::{Page, inline};

impl<L: Log> Viewer<'_, L> {
    pub(super) fn standing_part(&self, page: &mut Page, ledger: &LedgerView) -> Result<(), LogError> {
        page.heading(2, "Where it stands");
        let last = ledger.last_activity.as_deref().map_or_else(|| "never".to_owned(), minute);
        page.line(&format!("{}. Last activity: {last}.", amounts(&ledger.counts).join(", ")));
        page.line(&match &ledger.floor.holder_name {
            Some(name) => format!("The floor is with {}.", inline(name, 64)),
            None => "Nobody has the floor.".to_owned(),
        });
        page.line(&format!(
            "All members are {}. Agents have spoken {} of {} times since a human did something.\n",
            if ledger.verified { "verified to each other" } else { "NOT verified to each other" },
            ledger.floor.hops,
            ledger.floor.max_hops
        ));
        let people: Vec<String> = ledger.participants.iter().map(person).collect();
        page.list(&people, people.len(), part::PARTICIPANTS, "`pair_status`");
        page.line("");
        self.summary_part(page)
    }
}

fn person(one: &Participant) -> String {
    let side = match (one.me, one.verified) {
        (true, _) => "this side",
        (false, true) => "verified",
        (false, false) => "NOT verified",
    };
    format!("{}: {}, {side}", inline(&one.name, 64), count(one.events, "event", "events"))
}
