//! What stays of the work: the brain that both share, a summary, and a handoff that is taken up again.

use std::time::Instant;

use owo_colors::OwoColorize;
use serde_json::json;

use super::agent::Agent;
use super::narrator::Narrator;
use super::story::{text, unexpected, wait_for};
use crate::output::Stop;

const ENTRY: &str = "A tab counts as four columns";
const CONTENT: &str = "Spans count a tab as four columns, as the editor does. tests/spans.rs holds it.";
/// Neither its words nor its spelling are the entry's.
const QUERY: &str = "collumn of tabs";
const SUMMARY: &str = "Trailing commas parse, and spans are right after tabs.";

/// What one remembers, the other finds.
pub async fn remember(narrator: &Narrator, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("They remember")?;
    let begun = Instant::now();
    let entry = json!({ "headline": ENTRY, "content": CONTENT, "kind": "decision", "tags": ["spans"], "provenance": ["src/lexer.rs:2"] });
    let entry = his.call("pair_remember", entry).await?["event"].clone();
    let what = format!("{} puts it into the brain that both share:  {}", his.name.bold(), ENTRY.italic());
    narrator.step("bob", &what, Some(begun.elapsed()))?;
    let begun = Instant::now();
    let query = json!({ "query": QUERY });
    wait_for(|| hers.call("pair_recall", query.clone()), |found| found["entries"][0]["event"] == entry).await?;
    let what = format!("{} looks for “{QUERY}” and finds it, with file and line", hers.name.bold());
    narrator.step("alice", &what, Some(begun.elapsed()))
}

/// Both know where they stand, whatever happens next.
pub async fn hand_off(narrator: &Narrator, [hers, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("They write down where they stand")?;
    let begun = Instant::now();
    let summary = json!({ "text": SUMMARY, "decisions": [ENTRY], "open_questions": ["What of the formatter?"] });
    let summary = hers.call("pair_summarize", summary).await?;
    his.hear(&text(&summary["event"])).await?;
    narrator.step("alice", &format!("{} sums up:  {}", hers.name.bold(), SUMMARY.italic()), Some(begun.elapsed()))?;
    let begun = Instant::now();
    let written = his.call("pair_handoff", json!({})).await?;
    let handoff = text(&written["markdown"]);
    if !handoff.contains(SUMMARY) {
        return Err(unexpected("the handoff does not hold the summary", &written).into());
    }
    let what =
        format!("{} leaves a handoff: {} lines of Markdown on bob’s disk", his.name.bold(), handoff.lines().count());
    narrator.step("bob", &what, Some(begun.elapsed()))
}

/// Whoever comes back has it, and what was said since.
pub async fn resume(narrator: &Narrator, [_, his]: &[Agent; 2]) -> Result<(), Stop> {
    narrator.act("They go on")?;
    let begun = Instant::now();
    let resumed = his.call("pair_resume", json!({})).await?;
    if resumed["log_ok"] != true || resumed["written_at"].is_null() {
        return Err(unexpected("the handoff cannot be taken up again", &resumed).into());
    }
    let what = format!(
        "{} takes the handoff up: where they stood, and the {} events since; the log holds all that it rests on",
        his.name.bold(),
        resumed["since"]
    );
    narrator.step("bob", &what, Some(begun.elapsed()))
}
