//! A handoff is taken up again: with what has happened since, and what to hold against the project.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use pairwave_api::{Entry, Failure, Resume, ResumeView};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::{Log, LogError};

use super::Answers;
use super::handoff::unwritable;
use crate::caller::Caller;
use crate::handoffs::Basis;
use crate::markdown::{self, Page};
use crate::refusals::unreadable;
use crate::view::{DECISIONS, GO_ON, HANDOFF, QUOTED, Viewer, are_named, by_kind, line, told};
use pairwave_api::words::{count, second};

/// Characters of each part. The handoff gets what they leave.
mod part {
    pub const MATTERS: usize = 2_600;
    pub const TALK: usize = 700;
    pub const DECISIONS: usize = 2_400;
    pub const STATEMENTS: usize = 2_200;
}

/// Events that are looked at for what has happened since; in between steps the node does other things.
const LOOKED_AT: u64 = 10_000;
const STEP: usize = 128;
/// Lines that are kept of what matters, and of talk.
const MATTERS: usize = 40;
const TALK: usize = 5;

impl Answers {
    pub(super) async fn resume(&self, by: &Caller, ask: &Resume) -> Result<ResumeView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let path = self.handoffs.latest(&room).display().to_string();
        let (basis, markdown, first) = match self.handoffs.read(&room) {
            Some((basis, markdown)) => (basis, markdown, false),
            None => {
                let written = self.write_handoff(room, by.speaker).await?;
                let basis = self.handoffs.basis(&room).ok_or_else(|| unwritable(&io::ErrorKind::NotFound.into()))?;
                (basis, written.markdown, true)
            }
        };
        let since = self.since(room, basis.arrival).await?;
        let resumed = move |viewer: &Viewer<'_, _>| {
            resumed(viewer, &basis, &markdown, first, &since).map_err(|error| unreadable(&error))
        };
        let mut view = self.look(room, resumed).await?;
        view.path = path;
        Ok(view)
    }

    /// What arrived after, as far as it is looked at.
    async fn since(&self, room: RoomId, after: u64) -> Result<Since, Failure> {
        let mut since = Since::default();
        let mut at = after;
        loop {
            let look = move |viewer: &Viewer<'_, _>| arrived(viewer, at).map_err(|error| unreadable(&error));
            let (from, through, entries) = self.look(room, look).await?;
            since.skipped += from - at;
            entries.into_iter().for_each(|entry| since.take(entry));
            if through == at {
                return Ok(since);
            }
            at = through;
        }
    }
}

/// The next events after an arrival: those from where it is looked at, and through which.
fn arrived<L: Log>(viewer: &Viewer<'_, L>, after: u64) -> Result<(u64, u64, Vec<Entry>), LogError> {
    let room = viewer.room();
    let from = after.max(room.last_arrival().saturating_sub(LOOKED_AT));
    let arrivals = viewer.node().log().arrivals(&room.id(), from, STEP)?;
    let through = arrivals.last().map_or(after, |(arrival, _)| *arrival);
    let entries = arrivals.iter().filter_map(|(_, event)| viewer.entry(event).transpose());
    Ok((from, through, entries.collect::<Result<_, _>>()?))
}

/// What has happened, oldest first.
#[derive(Default)]
struct Since {
    events: u64,
    /// So many came before those.
    skipped: u64,
    kinds: BTreeMap<String, u64>,
    matters: VecDeque<String>,
    mattered: usize,
    talk: VecDeque<String>,
    talked: usize,
}

impl Since {
    fn take(&mut self, entry: Entry) {
        self.events += 1;
        let kind = &entry.kind[..];
        if entry.void.is_some() || is_no_news(kind) {
            return;
        }
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
        let (lines, most, count) = match is_talk(kind) {
            true => (&mut self.talk, TALK, &mut self.talked),
            false => (&mut self.matters, MATTERS, &mut self.mattered),
        };
        *count += 1;
        lines.push_back(told(&line(entry)));
        if lines.len() > most {
            lines.pop_front();
        }
    }

    fn written(&self, page: &mut Page) {
        if self.events + self.skipped == 0 {
            return page.line("Nothing.");
        }
        let all = self.events + self.skipped;
        let events = count(all, "event", "events");
        let of = if are_named(&self.kinds) { format!(", among them {}", by_kind(&self.kinds)) } else { String::new() };
        page.line(&format!("{events}{of}. The newest first:\n"));
        if self.skipped > 0 {
            page.line(&format!("(The first {} were not looked at: `pair_read` has them.)\n", self.skipped));
        }
        let parts = [(&self.matters, self.mattered, part::MATTERS), (&self.talk, self.talked, part::TALK)];
        for (lines, all, budget) in parts {
            let newest: Vec<String> = lines.iter().rev().cloned().collect();
            page.list(&newest, all, budget, "`pair_read`");
        }
    }
}

/// What companions do, and what nobody has to know.
fn is_no_news(kind: &str) -> bool {
    matches!(kind, "letter_keys" | "prompted" | "foreign" | "rotated" | "handed")
}

/// What must not drive out what matters.
fn is_talk(kind: &str) -> bool {
    matches!(kind, "chat" | "status") || kind.starts_with("floor_")
}

/// A handoff with what has happened since.
fn resumed<L: Log>(
    viewer: &Viewer<'_, L>,
    basis: &Basis,
    handoff: &str,
    first: bool,
    since: &Since,
) -> Result<ResumeView, LogError> {
    let log_ok = holds(viewer, basis)?;
    let mut page = Page::new(HANDOFF);
    page.heading(1, "Going on where the room was left");
    page.line(QUOTED);
    page.line(&match first {
        true => format!("There was no handoff here: this one was made from the log, {}.", second(&basis.at)),
        false => format!("The handoff below was written {}.", second(&basis.at)),
    });
    page.line(match log_ok {
        true => "Everything that it rests on is in the log here.",
        false => "WARNING: the log here does not hold all that it rests on. Trust the log, and tell your human.",
    });
    page.heading(2, "What has happened since");
    since.written(&mut page);
    summed_up_since(viewer, &mut page, basis.arrival)?;
    page.heading(2, "Decisions to hold against the project");
    page.line("Look at the files and lines that each names. Where the project differs it has drifted: tell your human and the others.\n");
    viewer.decisions_part(&mut page, part::DECISIONS)?;
    page.heading(2, "Statements to hold against the project");
    viewer.statements_part(&mut page, part::STATEMENTS)?;
    let mut markdown = page.finish();
    markdown.push_str("\n---\n\n");
    let left = HANDOFF.saturating_sub(markdown.chars().count());
    let handoff = markdown::without(handoff, DECISIONS).replacen(GO_ON, "- Call `pair_inbox` for what waits.\n", 1);
    markdown.push_str(&markdown::cut(&handoff, left));
    let written_at = (!first).then(|| basis.at.clone());
    Ok(ResumeView { path: String::new(), markdown, written_at, since: since.events + since.skipped, log_ok })
}

/// A summary that came later than the handoff, in full.
fn summed_up_since<L: Log>(viewer: &Viewer<'_, L>, page: &mut Page, arrival: u64) -> Result<(), LogError> {
    let summary = viewer.room().state().ledger.summary();
    let Some((record, _)) = summary.map(|summary| viewer.event(&summary)).transpose()?.flatten() else { return Ok(()) };
    if record.arrival > arrival {
        page.line("");
        viewer.summary_part(page)?;
    }
    Ok(())
}

/// Is everything in the log that a handoff rests on?
fn holds<L: Log>(viewer: &Viewer<'_, L>, basis: &Basis) -> Result<bool, LogError> {
    for head in &basis.heads {
        let Ok(head) = head.parse::<EventId>() else { return Ok(false) };
        if viewer.event(&head)?.is_none() {
            return Ok(false);
        }
    }
    Ok(viewer.room().count() >= basis.events)
}
