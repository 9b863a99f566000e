//! What a report counts and keeps of a transcript while it goes by.

use std::collections::BTreeMap;

use pairwave_api::{Entry, Field};
use pairwave_core::actions::Request;
use pairwave_core::id::EventId;
use pairwave_core::log::Log;

use crate::markdown::inline;
use crate::view::{Viewer, by_kind, decision, is_a_companions, short, statement, time};
use pairwave_api::words::{count, minute, sentence};

/// Most that is kept of each sort.
const NAMED: usize = 60;
/// Most days that are shown.
const DAYS: usize = 90;
/// Letters of a line.
const LINE: usize = 240;

#[derive(Default)]
pub struct Tally {
    people: BTreeMap<String, Person>,
    /// Requests that somebody reported on.
    pub done: Newest<EventId>,
    decisions: Newest<(EventId, String)>,
    requests: Newest<EventId>,
    /// What became of requests.
    became: BTreeMap<String, u64>,
    days: BTreeMap<String, BTreeMap<String, u64>>,
    /// What people and their agents said.
    events: u64,
    void: u64,
    /// What companions did by themselves.
    companions: u64,
    /// When the last of them was said.
    last: Option<String>,
}

#[derive(Default)]
struct Person {
    name: String,
    agents: u64,
    human: u64,
    kinds: BTreeMap<String, u64>,
}

/// The newest of something, and how many there were.
pub struct Newest<T> {
    kept: Vec<T>,
    pub all: usize,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), all: 0 }
    }
}

impl<T> Newest<T> {
    fn push(&mut self, item: T) {
        if self.kept.len() == NAMED {
            self.kept.remove(0);
        }
        self.kept.push(item);
        self.all += 1;
    }

    /// The newest first.
    fn iter(&self) -> impl Iterator<Item = &T> {
        self.kept.iter().rev()
    }
}

impl Tally {
    pub fn take(&mut self, entry: Entry) {
        if entry.void.is_some() {
            self.void += 1;
            return;
        }
        // What a companion does by itself is nobody's work.
        if is_a_companions(&entry) {
            self.companions += 1;
        } else {
            self.count(&entry);
        }
        let Ok(id) = entry.event.parse::<EventId>() else { return };
        match &entry.kind[..] {
            "decision" => self.decisions.push((id, decision(entry))),
            "remembered" if text(&entry, "remembered_as") == Some("decision") => {
                self.decisions.push((id, statement(entry)));
            }
            "action" => {
                let state = text(&entry, "state").unwrap_or("unknown");
                *self.became.entry(state.to_owned()).or_default() += 1;
                self.requests.push(id);
            }
            "completed" => {
                let request = entry.request.as_ref().and_then(|request| request.parse().ok());
                request.into_iter().for_each(|request| self.done.push(request));
            }
            _ => {}
        }
    }

    fn count(&mut self, entry: &Entry) {
        self.events += 1;
        let person = self.people.entry(entry.member.clone()).or_default();
        person.name.clone_from(&entry.name);
        *(if entry.origin == "agent" { &mut person.agents } else { &mut person.human }) += 1;
        *person.kinds.entry(entry.kind.clone()).or_default() += 1;
        let day: String = entry.at.chars().take(10).collect();
        *self.days.entry(day).or_default().entry(entry.member.clone()).or_default() += 1;
        self.last = Some(entry.at.clone());
    }

    /// How much was said, as the days count it, and until when; then what they leave out.
    pub fn extent(&self) -> String {
        let events = count(self.events, "event", "events");
        let last = self.last.as_deref().map(|last| format!(", the last at {}", minute(last))).unwrap_or_default();
        let others = [(self.void, "without effect"), (self.companions, "of companions by themselves")];
        let others = others.iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!("{many} {what}"));
        let others = others.collect::<Vec<_>>().join(", ");
        let others = if others.is_empty() { others } else { format!("; not counted: {others}") };
        format!("{events}{last}{others}")
    }

    pub fn people(&self) -> Vec<String> {
        self.people.values().map(Person::told).collect()
    }

    /// What was done because somebody asked for it, and what came of it.
    pub fn tasks<L: Log>(&self, viewer: &Viewer<'_, L>) -> Vec<String> {
        let actions = &viewer.room().state().actions;
        let known = self.done.iter().filter_map(|id| actions.get(id).map(|request| (id, request)));
        known.map(|(id, request)| task(viewer, id, request)).collect()
    }

    /// The decisions that count, those of the brain among them, and how many there are.
    pub fn decisions<L: Log>(&self, viewer: &Viewer<'_, L>) -> (Vec<String>, usize) {
        let brain = &viewer.room().state().brain;
        let counting = self.decisions.iter().filter(|(id, _)| brain.superseded_by(id).is_none());
        let counting: Vec<String> = counting.map(|(_, told)| told.clone()).collect();
        let replaced = self.decisions.kept.len() - counting.len();
        (counting, self.decisions.all - replaced)
    }

    /// What was asked for and not done, and how much of that there is.
    pub fn requests<L: Log>(&self, viewer: &Viewer<'_, L>) -> (Vec<String>, usize) {
        let actions = &viewer.room().state().actions;
        let undone = self.requests.iter().filter_map(|id| actions.get(id).map(|request| (id, request)));
        let undone = undone.filter(|(_, request)| request.report.is_none());
        let lines = undone.map(|(id, request)| asked(viewer, id, request)).collect();
        let settled = ["done", "failed"].into_iter().filter_map(|state| self.became.get(state)).sum::<u64>();
        (lines, self.requests.all - usize::try_from(settled).unwrap_or(self.requests.all))
    }

    /// How many requests are in which state.
    pub fn became(&self) -> Option<String> {
        let became: Vec<String> = self.became.iter().map(|(state, count)| format!("{count} {state}")).collect();
        (!became.is_empty()).then(|| became.join(", "))
    }

    /// The newest days first.
    pub fn days(&self) -> Vec<String> {
        self.days.iter().rev().take(DAYS).map(|(day, by)| self.day(day, by)).collect()
    }

    pub fn count_days(&self) -> usize {
        self.days.len()
    }

    fn day(&self, day: &str, by: &BTreeMap<String, u64>) -> String {
        let name = |member: &String| self.people.get(member).map_or("", |person| &person.name);
        let by_each: Vec<String> =
            by.iter().map(|(member, count)| format!("{} {count}", inline(name(member), 40))).collect();
        let all = by.values().sum::<u64>();
        let events = count(all, "event", "events");
        format!("{day}: {events} ({})", by_each.join(", "))
    }
}

impl Person {
    fn told(&self) -> String {
        let (name, kinds) = (inline(&self.name, 64), by_kind(&self.kinds));
        format!("{name}: {} by the human, {} by agents ({kinds})", self.human, self.agents)
    }
}

fn text<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    match entry.fields.get(name) {
        Some(Field::Text(text)) => Some(text),
        _ => None,
    }
}

fn task<L: Log>(viewer: &Viewer<'_, L>, id: &EventId, request: &Request) -> String {
    let report = request.report.as_ref();
    let became = became(report.is_some_and(|report| report.ok), report.and_then(|report| report.detail.as_deref()));
    format!("{} {became}", sentence(&request_line(viewer, id, request)))
}

fn became(ok: bool, detail: Option<&str>) -> String {
    let detail = detail.filter(|detail| !detail.trim().is_empty());
    let detail = detail.map(|detail| format!(": {}", inline(detail, LINE))).unwrap_or_default();
    sentence(&format!("{}{detail}", if ok { "Done" } else { "It failed" }))
}

fn asked<L: Log>(viewer: &Viewer<'_, L>, id: &EventId, request: &Request) -> String {
    let reason = request.denial.as_ref().and_then(|denial| denial.reason.as_deref());
    let reason = reason.map(|reason| format!(": {}", inline(reason, LINE))).unwrap_or_default();
    format!("{} ({}{reason})", request_line(viewer, id, request), request.state().name())
}

/// Who asked whom for what.
fn request_line<L: Log>(viewer: &Viewer<'_, L>, id: &EventId, request: &Request) -> String {
    let (at, id) = (minute(&time(request.asked)), short(&id.to_string()));
    let [by, to] = [&request.by, &request.to].map(|member| inline(&viewer.name(member), 64));
    format!("`{id}` {at}, {by} asked {to}: {}", inline(&request.summary, LINE))
}

#[cfg(test)]
mod tests {
    use pairwave_core::id::SessionId;

    use super::*;

    fn said(number: u8, kind: &str) -> Entry {
        Entry {
            event: EventId([number; 32]).to_string(),
            kind: kind.into(),
            member: "m".into(),
            name: "bob”\n# Heading".into(),
            origin: "agent".into(),
            at: format!("2026-11-{:02}T10:00:00.123Z", 1 + number % 28),
            text: "x\n# Obey\n".repeat(100),
            ..Entry::default()
        }
    }

    #[test]
    fn people_days_and_events_are_counted() {
        let mut tally = Tally::default();
        for number in 0..=255 {
            tally.take(said(number, if number % 2 == 0 { "decision" } else { "chat" }));
        }
        tally.take(Entry { void: Some("no floor".into()), ..said(1, "finding") });
        assert_eq!(
            tally.people(),
            ["“bob\" # Heading”: 0 by the human, 256 by agents (128 decisions, 128 chat messages)"]
        );
        assert_eq!(tally.extent(), "256 events, the last at 2026-11-04 10:00 UTC; not counted: 1 without effect");
        assert_eq!((tally.count_days(), &*tally.days()[0]), (28, "2026-11-28: 9 events (“bob\" # Heading” 9)"));
        assert_eq!((tally.decisions.kept.len(), tally.decisions.all), (NAMED, 128));
    }

    #[test]
    fn what_came_of_a_request_is_one_sentence() {
        assert_eq!(became(true, Some("214 tests pass.")), "Done: “214 tests pass.”");
        assert_eq!(became(false, Some("no such file")), "It failed: “no such file”.");
        assert_eq!(became(true, Some(" ")), "Done.");
    }

    #[test]
    fn what_a_companion_does_by_itself_is_nobodys_work() {
        let mut tally = Tally::default();
        let own = SessionId::COMPANION.to_string();
        tally.take(Entry { session: own, ..said(1, "admitted") });
        assert_eq!((tally.people(), tally.count_days()), (Vec::new(), 0));
        assert_eq!(tally.extent(), "0 events; not counted: 1 of companions by themselves");
    }
}
