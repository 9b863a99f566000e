//! The one writer of `docs/CONNECTIVITY.md`.

use std::fmt::Write;

use serde_json::Value;

use crate::crossed;
use crate::figures;
use crate::idle;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::plan::{Plan, Relays, Twist};
use crate::run::{Run, Task};
use crate::site::SITES;
use crate::stall;
use crate::theory::Reach;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CONNECTIVITY.md");

const ABOUT: &str = "\
Written by `cargo bench --profile dev --bench connectivity -- --write` and by nobody else: real companions and relays, each in
a network namespace of its own, behind routers of Linux' own translation. `tests/lab` says how each row comes about. Nothing
finds anybody by mDNS here but on the same wifi. Round trips take no time but where a row says so, and the cores are shared
by all who run: a second here says that something works, not how fast it is.";

const COLUMNS: &str = "\
**met**: seconds from `pairwave join` until both see each other; *answer* where the inviter had to dial. **then direct**:
seconds from having met until both see a direct path, at most 60. **words**: both companions end, start again, and say
something at once: seconds until both were heard. **direct**: seconds from the same moment until both see a direct path.
**words after loss**: the relay in use is killed; seconds until both were heard again.";

const IDLE: &str = "\
What goes over each machine's wire, headers of Ethernet included, some minutes after both have met: the link, the places at the
relays (with a token), and what else a network says.";

const STALL: &str = "\
Both say something twenty times a second: seconds from the call that says it until the other one's reader prints it, of the slowest
of 400 words. A relay is killed a second after they began, and they go on for nine more.";

pub fn write(text: &str) {
    std::fs::write(PATH, text).expect("docs/CONNECTIVITY.md can be written");
}

pub fn text(machine: &Machine, runs: &[Run]) -> String {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let mut text = format!("# Connectivity\n\n{ABOUT}\n\nRun on {machine}, {build} build.\n\n## Sites\n\n");
    for site in SITES {
        let _ = writeln!(text, "- **{site}**: {}", site.about());
    }
    let figures = figures::table(runs);
    let _ = write!(text, "\n## In short\n\n{}\n{figures}\n## Pairs\n\n{COLUMNS}\n", summary(runs));
    for (relays, title) in
        [(Relays::None, "No relay"), (Relays::One, "One relay"), (Relays::Two, "Two relays, one of which is killed")]
    {
        let rows = pairs(runs, |plan| plan.relays == relays && plan.twist == Twist::None);
        let _ = write!(text, "\n### {title}\n\n{}", table(&rows));
    }
    let unusual = pairs(runs, |plan| plan.twist != Twist::None);
    let _ = write!(text, "\n### Unusual networks\n\n{}\n{}", twists(&unusual), table(&unusual));
    let crossings: Vec<&Run> = runs.iter().filter(|run| matches!(run.task, Task::Crossing(_))).collect();
    let _ = write!(text, "\n## A thousand messages each way\n\n{}", crossed::table(&crossings));
    let idle: Vec<&Run> = runs.iter().filter(|run| matches!(run.task, Task::Idle(_))).collect();
    let _ = write!(text, "\n## With nothing to say\n\n{IDLE}\n\n{}", idle::table(&idle));
    let stall = runs.iter().filter(|run| run.task == Task::Stall).map(stall::table);
    let _ = write!(text, "\n## A relay dies beside a direct link\n\n{STALL}\n\n{}", stall.collect::<String>());
    let _ = write!(text, "\n## Raw rows\n\n```json\n{}```\n", raw(runs));
    text
}

/// One line for whoever watches.
pub fn told(task: Task, result: &Result<Value, String>) -> String {
    match result {
        Err(why) => format!("{}: {why}", task.name()),
        Ok(row) => format!("{}{row}", if row["ok"] == true { "" } else { "NOT AS EXPECTED " }),
    }
}

fn pairs(runs: &[Run], wanted: impl Fn(Plan) -> bool) -> Vec<(Plan, &Run)> {
    let plan = |run: &Run| if let Task::Pair(plan) = run.task { Some(plan) } else { None };
    runs.iter().filter_map(|run| Some((plan(run)?, run))).filter(|(plan, _)| wanted(*plan)).collect()
}

fn summary(runs: &[Run]) -> String {
    let of = |what: &str, wanted: &dyn Fn(Plan) -> bool, good: &dyn Fn(&Outcome) -> bool| {
        let asked: Vec<_> = pairs(runs, wanted).into_iter().filter(|(_, run)| run.was_run()).collect();
        let fine = asked.iter().filter(|(_, run)| run.outcome().is_some_and(|outcome| good(&outcome))).count();
        let not_run = pairs(runs, wanted).len() - asked.len();
        let not_run = if not_run == 0 { String::new() } else { format!(" ({not_run} not run)") };
        format!("- {what}: {fine} of {}{not_run}\n", asked.len())
    };
    let helped = |plan: Plan| plan.relays != Relays::None;
    let talks = |outcome: &Outcome| outcome.first_words_after.is_some();
    let direct = |outcome: &Outcome| outcome.direct_after.is_some();
    [
        of("every pair talks with a relay", &|plan| helped(plan), &talks),
        of(
            "every pair that can be direct in theory is direct",
            &|plan| helped(plan) && plan.expected().is_direct(),
            &direct,
        ),
        of("of these, already after joining", &|plan| helped(plan) && plan.expected().is_direct(), &|outcome| {
            outcome.joined_direct_after.is_some()
        }),
        of(
            "every pair where one side is reachable talks without a relay",
            &|plan| !helped(plan) && plan.expected() != Reach::Apart,
            &talks,
        ),
        of("every pair goes on when a relay is killed", &|plan| plan.relays == Relays::Two, &|outcome| {
            outcome.words_after_loss.is_some()
        }),
        crossings(runs),
    ]
    .concat()
}

fn crossings(runs: &[Run]) -> String {
    let asked: Vec<&Run> = runs.iter().filter(|run| run.was_run() && matches!(run.task, Task::Crossing(_))).collect();
    let fine = asked.iter().filter(|run| !run.is_bad()).count();
    format!("- a thousand messages each way, as they should be: {fine} of {}\n", asked.len())
}

fn table(rows: &[(Plan, &Run)]) -> String {
    let mut text = String::from(
        "| who invites | who joins | in theory | came to | met | then direct | words | direct | words after loss | |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (plan, run) in rows {
        let cells = match (run.outcome(), &run.result) {
            (Some(outcome), _) => cells(&outcome),
            (None, Err(why)) => format!("{} | | | | | | {}", why, if run.was_run() { "**no**" } else { "" }),
            (None, Ok(row)) => format!("broken: {row} | | | | | | **no**"),
        };
        let twist = if plan.twist == Twist::None { String::new() } else { format!(", {}", plan.twist.name()) };
        let (first, second) = (plan.first, plan.second);
        let _ = writeln!(text, "| {first} | {second}{twist} | {} | {cells} |", plan.expected().name());
    }
    text
}

fn cells(outcome: &Outcome) -> String {
    let seconds = |seconds: Option<f64>| seconds.map(|seconds| format!("{seconds:.2} s")).unwrap_or_default();
    let by = if outcome.met && outcome.by == "answer" { ", answer" } else { "" };
    let came_to = if outcome.met { came_to(outcome) } else { "apart".to_owned() };
    let met = format!("{}{by}", seconds(outcome.met_after));
    let (words, direct) = (seconds(outcome.first_words_after), seconds(outcome.direct_after));
    let loss = seconds(outcome.words_after_loss);
    let note = outcome.note.replace('|', "/");
    let told = outcome.doctor.as_ref().map(|told| format!("doctor: {}", told.replace('|', "/"))).unwrap_or_default();
    let verdict = if outcome.ok { told } else { format!("**not as it should be** {note}") };
    let then = seconds(outcome.joined_direct_after);
    format!("{came_to} | {met} | {then} | {words} | {direct} | {loss} | {verdict}")
}

/// What is unusual about each.
fn twists(rows: &[(Plan, &Run)]) -> String {
    rows.iter().map(|(plan, _)| format!("- **{}**: {}\n", plan.twist.name(), plan.twist.about())).collect()
}

/// The path in the end, as both see it.
fn came_to(outcome: &Outcome) -> String {
    let mut ways: Vec<String> =
        outcome.paths.iter().zip(&outcome.transports).map(|(path, transport)| format!("{path} {transport}")).collect();
    ways.dedup();
    let ways = ways.join(" / ").replace("relayed circuit", "relayed");
    if ways.is_empty() { "met".to_owned() } else { ways }
}

fn raw(runs: &[Run]) -> String {
    let row = |run: &Run| match &run.result {
        Ok(row) => format!("{row}\n"),
        Err(why) => format!("{}\n", serde_json::json!({ "cell": run.task.name(), "note": why })),
    };
    runs.iter().map(row).collect()
}
