//! A report on a room: who took part, what was done, decided and asked for, how much happened on which day.

mod tally;

use pairwave_api::{Code, Entry, Failure, Report, ReportView};
use pairwave_core::id::RoomId;
use pairwave_core::log::{Log, LogError, Position};

use super::Answers;
use crate::caller::Caller;
use crate::markdown::{Page, inline};
use crate::refusals::unreadable;
use crate::store::Reader;
use crate::view::{QUOTED, Viewer, nothing_or};
use pairwave_api::words::minute;

use self::tally::Tally;

/// Most characters of a report.
const REPORT: usize = 20_000;
/// Events that are read in one go; in between the node does other things.
const STEP: usize = 128;
/// Characters of each part; together they leave room for what stands around them.
mod part {
    pub const PARTICIPANTS: usize = 2_500;
    pub const TASKS: usize = 3_500;
    pub const DECISIONS: usize = 4_000;
    pub const REQUESTS: usize = 3_000;
    pub const DAYS: usize = 3_500;
}

impl Answers {
    pub(super) async fn report(&self, by: &Caller, ask: &Report) -> Result<ReportView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let since = ask.since.as_deref().map(|since| moment(since, jiff::Timestamp::now())).transpose()?;
        let mut tally = Tally::default();
        let mut after = None;
        loop {
            let (entries, last) = self.entries_after(room, after).await?;
            if last.is_none() {
                break;
            }
            after = last;
            let counted = |entry: &Entry| since.is_none_or(|since| entry.at.parse().is_ok_and(|at| since <= at));
            entries.into_iter().filter(counted).for_each(|entry| tally.take(entry));
        }
        let written = move |viewer: &Viewer<'_, _>| written(viewer, &tally, since).map_err(|error| unreadable(&error));
        Ok(ReportView { markdown: self.look(room, written).await? })
    }

    /// The next events in the room's order, and where they end; `None` if there are no more.
    pub(super) async fn entries_after(
        &self,
        room: RoomId,
        after: Option<Position>,
    ) -> Result<(Vec<Entry>, Option<Position>), Failure> {
        let read = move |viewer: &Viewer<'_, Reader>| {
            let positions = viewer.node().log().ascending(&room, after, STEP).map_err(|error| unreadable(&error))?;
            let entries = positions.iter().filter_map(|position| viewer.entry(&position.id).transpose());
            let entries = entries.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
            Ok((entries, positions.last().copied()))
        };
        self.look(room, read).await
    }
}

fn written<L: Log>(viewer: &Viewer<'_, L>, tally: &Tally, since: Option<jiff::Timestamp>) -> Result<String, LogError> {
    let mut page = Page::new(REPORT);
    page.heading(1, &format!("Report on the room {}", inline(viewer.title(), 200)));
    let from =
        since.map_or_else(|| "From the beginning".to_owned(), |since| format!("Since {}", minute(&since.to_string())));
    page.line(&format!("{from}: {}. Times are what the authors' clocks said. {QUOTED}", tally.extent()));
    page.heading(2, "Participants");
    let people = tally.people();
    nothing_or(&mut page, &people, people.len(), part::PARTICIPANTS, "`pairwave read`");
    page.heading(2, "Summary");
    match viewer.room().state().ledger.summary() {
        Some(_) => viewer.summary_part(&mut page)?,
        None => page.line("None."),
    }
    page.heading(2, "Tasks");
    let tasks = tally.tasks(viewer);
    nothing_or(&mut page, &tasks, tally.done.all, part::TASKS, "`pairwave requests --all`");
    page.heading(2, "Decisions");
    let (decisions, all) = tally.decisions(viewer);
    nothing_or(&mut page, &decisions, all, part::DECISIONS, "`pair_read` with `kind` decision, and `pair_recall`");
    page.heading(2, "Requests");
    let (requests, all) = tally.requests(viewer);
    match tally.became() {
        Some(became) => {
            page.line(&format!("{became}."));
            if all > 0 {
                page.line("");
            }
            page.list(&requests, all, part::REQUESTS, "`pairwave requests --all`");
        }
        None => page.line("None."),
    }
    page.heading(2, "Activity by day");
    let days = tally.days();
    nothing_or(&mut page, &days, tally.count_days(), part::DAYS, "`pairwave report --since DAY`");
    Ok(page.finish())
}

/// A day, a moment, or how long before `now`.
fn moment(text: &str, now: jiff::Timestamp) -> Result<jiff::Timestamp, Failure> {
    let text = text.trim();
    let ago = || {
        let (number, unit) = text.split_at(text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at))?);
        let number: i64 = number.parse().ok().filter(|number| (0..=100_000).contains(number))?;
        let hours = match unit {
            "h" => number,
            "d" => number * 24,
            _ => return None,
        };
        now.checked_sub(jiff::SignedDuration::from_hours(hours)).ok()
    };
    let day =
        || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|day| day.timestamp());
    let moment = text.parse().ok().or_else(day).or_else(ago);
    moment.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let next = "Write a day like 2026-11-20, a moment like 2026-11-20T10:00:00Z, or how long ago: 36h, 7d.";
        Failure::new(Code::Usage, "no_moment", format!("{shown:?} is no moment"), next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_how_long_ago() {
        let now: jiff::Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let at = |text| moment(text, now).unwrap().to_string();
        assert_eq!(at("2026-11-19"), "2026-11-19T00:00:00Z");
        assert_eq!(at("2026-11-19T08:00:00Z"), "2026-11-19T08:00:00Z");
        assert_eq!(at("36h"), "2026-11-18T22:00:00Z");
        assert_eq!(at("7d"), "2026-11-13T10:00:00Z");
        for wrong in ["", "soon", "d", "-3d", "3€", "99999999999999999999d"] {
            assert_eq!(moment(wrong, now).unwrap_err().rule, "no_moment", "{wrong:?}");
        }
    }
}
