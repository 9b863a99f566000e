//! What the rows say of the figures that are asked for.

use std::fmt::Write;

use crate::idle::{self, Idle};
use crate::outcome::Outcome;
use crate::plan::{Plan, Relays, Twist};
use crate::run::{Run, Task};
use crate::site::Site;
use crate::stall;
use crate::theory::Reach;

/// What was asked, what came of it, and what it is to be at most.
struct Figure {
    what: &'static str,
    measured: Option<f64>,
    at_most: f64,
    unit: &'static str,
}

pub fn table(runs: &[Run]) -> String {
    let home = Plan::new(Site::Home, Site::Home, Relays::One);
    let home = outcomes(runs, |plan| plan == home).pop();
    let lost = |reach: &dyn Fn(Reach) -> bool| {
        let of =
            outcomes(runs, |plan| plan.relays == Relays::Two && plan.twist == Twist::None && reach(plan.expected()));
        of.iter().filter_map(|outcome| outcome.words_after_loss).reduce(f64::max)
    };
    let figures = [
        Figure {
            what: "home to home: first words each way, after both are up",
            measured: home.as_ref().and_then(|outcome| outcome.first_words_after),
            at_most: 1.0,
            unit: "s",
        },
        Figure {
            what: "home to home: a direct path, after both are up",
            measured: home.as_ref().and_then(|outcome| outcome.direct_after),
            at_most: 3.0,
            unit: "s",
        },
        Figure {
            what: "relayed, the relay in use is killed: words again each way, slowest pair",
            measured: lost(&|reach| reach == Reach::Relayed),
            at_most: 8.0,
            unit: "s",
        },
        Figure {
            what: "direct, a relay is killed: longer than without, for the slowest word",
            measured: stall(runs),
            at_most: stall::AT_MOST,
            unit: "s",
        },
        Figure {
            what: "one wifi, another address: words again each way",
            measured: back(runs, "crossing/lan", "address changed"),
            at_most: 4.0,
            unit: "s",
        },
        idle_figure(runs, "nothing to say, one wifi: in and out", Idle::Lan),
        idle_figure(runs, "nothing to say, direct, two relays: in and out", Idle::Direct),
        idle_figure(runs, "nothing to say, relayed, two relays: in and out", Idle::Relayed),
    ];
    let mut text = String::from("| figure | measured | to reach | reached |\n|---|---|---|---|\n");
    for Figure { what, measured, at_most, unit } in figures {
        let told = measured.map_or("no figure".to_owned(), |measured| format!("{measured:.2} {unit}"));
        let reached = if measured.is_some_and(|measured| measured <= at_most) { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {told} | ≤ {at_most} {unit} | {reached} |");
    }
    text
}

/// Of whoever sends and receives more.
fn idle_figure(runs: &[Run], what: &'static str, idle: Idle) -> Figure {
    let run = runs.iter().find(|run| run.task == Task::Idle(idle) && !run.is_bad());
    let measured = run.and_then(|run| idle::most(run.result.as_ref().ok()?));
    Figure { what, measured, at_most: idle::AT_MOST, unit: "bytes/s" }
}

fn stall(runs: &[Run]) -> Option<f64> {
    let run = runs.iter().find(|run| run.task == Task::Stall && !run.is_bad())?;
    stall::extra(run.result.as_ref().ok()?)
}

fn outcomes(runs: &[Run], wanted: impl Fn(Plan) -> bool) -> Vec<Outcome> {
    let of = runs.iter().filter(|run| matches!(run.task, Task::Pair(plan) if wanted(plan)));
    of.filter_map(Run::outcome).collect()
}

/// How long a trouble of a crossing was felt.
fn back(runs: &[Run], crossing: &str, trouble: &str) -> Option<f64> {
    let run = runs.iter().find(|run| run.task.name() == crossing)?;
    let steps = run.result.as_ref().ok()?["steps"].as_array()?;
    steps.iter().find(|step| step["trouble"] == trouble)?["back_s"].as_f64()
}
