//! A report on a room: who took part, what was decided and asked for, how much happened on which day.

use std::collections::BTreeMap;

use pairwave_api::{Code, Entry, Failure, Report, ReportView};
use pairwave_core::id::RoomId;
use pairwave_core::log::{Log, Position};

use super::Answers;
use crate::caller::Caller;
use crate::markdown::{Page, inline};
use crate::refusals::unreadable;
use crate::store::Reader;
use crate::view::{QUOTED, Viewer, line, told};

/// Most characters of a report.
const REPORT: usize = 20_000;
/// Events that are read in one go; in between the node does other things.
const STEP: usize = 128;
/// Characters of each part.
const PART: usize = 5_000;
/// Most decisions and requests that are kept while the log is read.
const NAMED: usize = 60;
/// Most days that are shown.
const DAYS: usize = 90;

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
        let written = move |viewer: &Viewer<'_, _>| Ok(tally.written(viewer.title(), since));
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

/// What was counted of a transcript.
#[derive(Default)]
struct Tally {
    people: BTreeMap<String, Person>,
    decisions: Vec<String>,
    decided: usize,
    requests: Vec<String>,
    requested: usize,
    /// What became of requests.
    became: BTreeMap<String, u64>,
    days: BTreeMap<String, BTreeMap<String, u64>>,
    events: u64,
    void: u64,
}

#[derive(Default)]
struct Person {
    name: String,
    agents: u64,
    human: u64,
    kinds: BTreeMap<String, u64>,
}

impl Tally {
    fn take(&mut self, entry: Entry) {
        self.events += 1;
        if entry.void.is_some() {
            self.void += 1;
            return;
        }
        let person = self.people.entry(entry.member.clone()).or_default();
        person.name.clone_from(&entry.name);
        *(if entry.origin == "agent" { &mut person.agents } else { &mut person.human }) += 1;
        *person.kinds.entry(entry.kind.clone()).or_default() += 1;
        let day: String = entry.at.chars().take(10).collect();
        *self.days.entry(day).or_default().entry(entry.member.clone()).or_default() += 1;
        match &entry.kind[..] {
            "decision" => {
                self.decided += 1;
                let rationale = entry.rationale.as_deref().map(|why| format!(" Why: {}.", inline(why, 240)));
                let told = told(&line(entry));
                push(&mut self.decisions, format!("{told}.{}", rationale.unwrap_or_default()));
            }
            "action" => {
                self.requested += 1;
                let state = match entry.fields.get("state") {
                    Some(pairwave_api::Field::Text(state)) => state.clone(),
                    _ => "unknown".to_owned(),
                };
                *self.became.entry(state.clone()).or_default() += 1;
                let told = told(&line(entry));
                push(&mut self.requests, format!("{told} ({state})"));
            }
            _ => {}
        }
    }

    fn written(&self, title: &str, since: Option<jiff::Timestamp>) -> String {
        let mut page = Page::new(REPORT);
        page.heading(1, &format!("Report on the room {}", inline(title, 200)));
        let from = since.map_or_else(|| "From the beginning".to_owned(), |since| format!("Since {since}"));
        page.line(&format!("{from}: {} events, {} of them without effect. {QUOTED}", self.events, self.void));
        page.heading(2, "Participants");
        let people: Vec<String> = self.people.values().map(Person::told).collect();
        page.list(&people, people.len(), PART, "`pairwave read`");
        page.heading(2, "Decisions");
        newest(&mut page, &self.decisions, self.decided, "`pair_read` with `kind` decision");
        page.heading(2, "Requests");
        if !self.became.is_empty() {
            let became: Vec<String> = self.became.iter().map(|(state, count)| format!("{count} {state}")).collect();
            page.line(&format!("{}.\n", became.join(", ")));
        }
        newest(&mut page, &self.requests, self.requested, "`pairwave requests`");
        page.heading(2, "Activity by day");
        let days: Vec<String> = self.days.iter().rev().take(DAYS).map(|(day, by)| self.day(day, by)).collect();
        page.list(&days, self.days.len(), 4_000, "`pairwave report --since DAY`");
        page.finish()
    }

    fn day(&self, day: &str, by: &BTreeMap<String, u64>) -> String {
        let name = |member: &String| self.people.get(member).map_or("", |person| &person.name);
        let by_each: Vec<String> =
            by.iter().map(|(member, count)| format!("{} {count}", inline(name(member), 40))).collect();
        format!("{day}: {} ({})", by.values().sum::<u64>(), by_each.join(", "))
    }
}

impl Person {
    fn told(&self) -> String {
        let mut kinds: Vec<(&String, &u64)> = self.kinds.iter().collect();
        kinds.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(**count));
        let kinds = kinds.into_iter().take(8).map(|(kind, count)| format!("{count} {}", kind.replace('_', " ")));
        let kinds: Vec<String> = kinds.collect();
        format!(
            "{}: {} by the human, {} by agents ({})",
            inline(&self.name, 64),
            self.human,
            self.agents,
            kinds.join(", ")
        )
    }
}

/// The newest are kept.
fn push(list: &mut Vec<String>, item: String) {
    if list.len() == NAMED {
        list.remove(0);
    }
    list.push(item);
}

fn newest(page: &mut Page, items: &[String], all: usize, elsewhere: &str) {
    if all == 0 {
        return page.line("None.");
    }
    let newest_first: Vec<String> = items.iter().rev().cloned().collect();
    page.list(&newest_first, all, PART, elsewhere);
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

    #[test]
    fn a_report_counts_and_quotes_and_keeps_its_length() {
        let mut tally = Tally::default();
        for number in 0..5_000 {
            tally.take(Entry {
                kind: if number % 2 == 0 { "decision" } else { "chat" }.into(),
                member: "m".into(),
                name: "bob”\n# Heading".into(),
                origin: "agent".into(),
                at: format!("2026-11-{:02}T10:00:00Z", 1 + number % 28),
                text: "x\n# Obey\n".repeat(100),
                ..Entry::default()
            });
        }
        let report = tally.written("lab", None);
        assert!(report.chars().count() <= REPORT, "{}", report.chars().count());
        assert!(report.contains("0 by the human, 5000 by agents (2500 chat, 2500 decision)"), "{report}");
        assert!(report.contains("more: `pair_read` with `kind` decision"), "{report}");
        assert!(report.contains("- 2026-11-28: 178 ("), "{report}");
        let headings: Vec<&str> = report.lines().filter(|line| line.starts_with('#')).collect();
        let ours =
            ["# Report on the room “lab”", "## Participants", "## Decisions", "## Requests", "## Activity by day"];
        assert_eq!(headings, ours);
    }
}
