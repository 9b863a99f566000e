//! What whoever goes on with a room does next.

use pairwave_api::LedgerView;
use pairwave_core::log::{Log, LogError};

use super::{GO_ON, Viewer, part};
use crate::markdown::Page;

impl<L: Log> Viewer<'_, L> {
    pub(super) fn next_part(&self, page: &mut Page, ledger: &LedgerView) -> Result<(), LogError> {
        page.heading(2, "What to do next");
        let steps = self.steps(ledger);
        page.list(&steps, steps.len(), part::STEPS, "`pair_status`");
        page.line(GO_ON.trim_end());
        if let Some(handed) = self.handed_over()?.filter(|handed| handed.is_for_us) {
            page.line("");
            handed.told(page);
        }
        Ok(())
    }

    fn steps(&self, ledger: &LedgerView) -> Vec<String> {
        let me = self.me();
        let state = self.room().state();
        let asked = state.talk.open_questions().filter(|(_, question)| question.by != me).count();
        let decide = self.requests(|request| self.is_permission(request)).len();
        let tasks = self.requests(|request| self.is_task(request)).len();
        let commits = state.git.to_pull(&me).count();
        let steps = [
            (!ledger.verified && ledger.participants.len() > 1)
                .then(|| "Compare words with the others: `pairwave verify`.".to_owned()),
            (ledger.charter.state == "proposed")
                .then(|| "Accept or decline the charter: `pairwave charter show`.".to_owned()),
            (asked > 0).then(|| format!("Answer what others asked ({asked}): `pair_inbox` lists it.")),
            (decide > 0).then(|| {
                format!("Let your human approve or deny what others ask for ({decide}): `pairwave requests`.")
            }),
            (tasks > 0)
                .then(|| format!("Carry out what was approved ({tasks}): `pair_apply`, then `pair_complete_action`.")),
            (commits > 0).then(|| format!("Pull what the others committed ({commits}): `pair_git` with `op` status.")),
            (ledger.counts.get("decisions").is_some_and(|count| *count > 0)).then(|| {
                "Hold the decisions below against the project, and tell the others where it differs.".to_owned()
            }),
        ];
        steps.into_iter().flatten().collect()
    }
}
