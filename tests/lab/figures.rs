//! What the rows say of the figures that are asked for.

use std::fmt::Write;

use crate::outcome::Outcome;
use crate::plan::{Plan, Relays, Twist};
use crate::run::{Run, Task};
use crate::site::Site;
use crate::theory::Reach;

/// What was asked, what came of it in seconds, and what it is to be at most.
struct Figure {
    what: &'static str,
    seconds: Option<f64>,
    at_most: f64,
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
            seconds: home.as_ref().and_then(|outcome| outcome.first_words_after),
            at_most: 1.0,
        },
        Figure {
            what: "home to home: a direct path, after both are up",
            seconds: home.as_ref().and_then(|outcome| outcome.direct_after),
            at_most: 3.0,
        },
        Figure {
            what: "relayed, the relay in use is killed: words again each way, slowest pair",
            seconds: lost(&|reach| reach == Reach::Relayed),
            at_most: 8.0,
        },
        Figure {
            what: "one wifi, another address: words again each way",
            seconds: back(runs, "crossing/lan", "address changed"),
            at_most: 4.0,
        },
    ];
    let mut text = String::from("| figure | measured | to reach | reached |\n|---|---|---|---|\n");
    for Figure { what, seconds, at_most } in figures {
        let measured = seconds.map_or("no figure".to_owned(), |seconds| format!("{seconds:.2} s"));
        let reached = if seconds.is_some_and(|seconds| seconds <= at_most) { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {measured} | ≤ {at_most} s | {reached} |");
    }
    text
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
