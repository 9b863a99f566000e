//! What a room remembers: its ledger, handoffs, reports and exports. What a face may ask of them and see.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CharterView, FloorView, RoomRef, words};

/// Shows where a room stands. The same for everybody who has the same events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowLedger {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Writes down where a room stands, for whoever goes on with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Gives the newest handoff back, with what has happened since. Writes one where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
}

/// Reports on a room: who took part, what was decided and asked for, how much happened on which day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Only from then on, by the authors' clocks: a day (`2026-11-20`), a moment in RFC 3339, or how
    /// long ago (`36h`, `7d`).
    #[serde(default)]
    pub since: Option<String>,
}

/// Writes the whole transcript into a file. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// `md`, `json` or `html`; `md` if absent.
    #[serde(default)]
    pub format: Option<String>,
    /// The absolute path of a file that does not exist; a place beside the room's handoffs if absent.
    #[serde(default)]
    pub out: Option<PathBuf>,
}

/// The next part of what [`Export`] would write, for a face that keeps it elsewhere. Humans only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPart {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// `md`, `json` or `html`; `md` if absent.
    #[serde(default)]
    pub format: Option<String>,
    /// Where the part before ended.
    #[serde(default)]
    pub next: Option<String>,
}

/// Says on which days something was said in a room, by the authors' clocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Whose midnight parts the days: the name of a time zone (`Europe/Berlin`) or an offset (`+02:00`);
    /// UTC if absent.
    #[serde(default)]
    pub zone: Option<String>,
}

/// Begins or ends live mode: an agent promises to wait for the others instead of looking now and then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveMode {
    /// Which room; see [`RoomRef`].
    #[serde(default)]
    pub room: RoomRef,
    /// Begin, or end.
    pub on: bool,
    /// 20 if absent; never longer than the charter in force lets it be.
    #[serde(default)]
    pub max_minutes: Option<u32>,
}

/// Where a room stands. What members wrote in it is data. Lists begin with the newest and are cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerView {
    /// The newest summary that an agent gave.
    pub summary: Option<LedgerLine>,
    /// What that summary lists.
    #[serde(default)]
    pub summed_up: SummedUp,
    /// Questions that nobody has answered.
    pub open_questions: Vec<LedgerLine>,
    /// What was decided.
    pub decisions: Vec<LedgerLine>,
    /// What was found out, reviewed or handed over.
    pub headlines: Vec<LedgerLine>,
    /// Code and patches that were shared.
    pub artifacts: Vec<LedgerLine>,
    /// Requests that are not settled.
    pub open_requests: Vec<LedgerLine>,
    /// How many requests are in which state.
    pub requests: BTreeMap<String, u64>,
    /// All members, the founder first.
    pub participants: Vec<Participant>,
    /// What was agreed.
    pub charter: CharterView,
    /// Whose turn it is.
    pub floor: FloorView,
    /// All members are verified to each other.
    pub verified: bool,
    /// How much there is of what: `events`, `messages`, `questions`, `open_questions`, `answers`, `decisions`,
    /// `summaries`, `artifacts`, `requests`, `entries` (of the brain, superseded ones among them).
    pub counts: BTreeMap<String, u64>,
    /// When somebody did something last, by that author's clock.
    pub last_activity: Option<String>,
}

/// What a summary lists beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummedUp {
    /// What there is to know, a line each.
    pub headlines: Vec<String>,
    /// What was decided.
    pub decisions: Vec<String>,
    /// What is open.
    pub open_questions: Vec<String>,
}

/// The counts of a ledger in words, what tells most first.
pub fn amounts(counts: &BTreeMap<String, u64>) -> Vec<String> {
    let amount = |(name, one, many): &(&str, &str, &str)| {
        let count = counts.get(*name).filter(|count| **count > 0)?;
        Some(words::count(*count, one, many))
    };
    AMOUNTS.iter().filter_map(amount).collect()
}

/// What is counted, and what one and many of it are called.
const AMOUNTS: [(&str, &str, &str); 10] = [
    ("messages", "message", "messages"),
    ("questions", "question", "questions"),
    ("open_questions", "of them open", "of them open"),
    ("answers", "answer", "answers"),
    ("decisions", "decision", "decisions"),
    ("summaries", "summary", "summaries"),
    ("artifacts", "artifact", "artifacts"),
    ("requests", "request", "requests"),
    ("entries", "entry of the brain", "entries of the brain"),
    ("events", "event in all", "events in all"),
];

/// One line of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerLine {
    /// Id of the event.
    pub event: String,
    /// What it is: a kind of message, `code`, or the state of a request.
    pub kind: String,
    /// Name of its author.
    pub from: String,
    /// Did we say it.
    pub me: bool,
    /// What the author's clock said.
    pub at: String,
    /// Its headline, or the beginning of its text.
    pub text: String,
}

/// One who takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Id of the member.
    pub member: String,
    /// Its name.
    pub name: String,
    /// Is it ourselves.
    pub me: bool,
    /// Is the member verified to us, by ourselves or through others.
    pub verified: bool,
    /// Events that its people and agents made.
    pub events: u64,
    /// What its agents pushed since they last summed up.
    #[serde(default)]
    pub unsummed: u32,
    /// What it said last, the newest first.
    pub last: Vec<LedgerLine>,
}

/// A handoff as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandoffView {
    /// The file that always holds the newest one.
    pub path: String,
    /// What it holds: Markdown, at most 20,000 characters, in which others' words are quoted.
    pub markdown: String,
}

/// A handoff, and what has happened since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResumeView {
    /// The file that holds the handoff.
    pub path: String,
    /// All of it as Markdown, at most 20,000 characters, in which others' words are quoted.
    pub markdown: String,
    /// When the handoff was written; null if there was none, and it was written now.
    pub written_at: Option<String>,
    /// How many events have come since.
    pub since: u64,
    /// Everything that the handoff rests on is in the log.
    pub log_ok: bool,
}

/// A report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportView {
    /// Markdown, in which others' words are quoted.
    pub markdown: String,
}

/// A transcript was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportView {
    /// The file.
    pub path: String,
    /// How many events it holds.
    pub events: u64,
}

/// A part of a transcript. The parts, one behind the other, are the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedPart {
    /// Goes behind the part before.
    pub text: String,
    /// Ask for the next part with it; null at the end.
    pub next: Option<String>,
}

/// The days of a room on which something was said, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DaysView {
    /// At most 500.
    pub days: Vec<DayView>,
    /// How many days before those are left out.
    pub earlier: u64,
}

/// What was said on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DayView {
    /// `2026-11-20`.
    pub day: String,
    /// Id of what stands first of it in the room's order.
    pub event: String,
    /// How much there was of what: `events`, `messages`, `questions`, `decisions`, `artifacts`, `requests`,
    /// `remembered`. What there was none of is left out.
    pub counts: BTreeMap<String, u64>,
}

/// How live mode stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveModeView {
    /// Is it on.
    pub on: bool,
    /// When it ends at the latest; null while it is off.
    pub until: Option<String>,
    /// How news reaches the agent: `wait` (it calls pair_wait).
    pub push: String,
    /// How often others woke the agent in it.
    pub wakes: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_in_words_that_agree_with_them() {
        let counts = [("answers", 1), ("events", 61), ("questions", 3), ("open_questions", 2), ("requests", 0)];
        let counts = counts.map(|(name, count)| (name.to_owned(), count)).into();
        assert_eq!(amounts(&counts), ["3 questions", "2 of them open", "1 answer", "61 events in all"]);
    }
}
