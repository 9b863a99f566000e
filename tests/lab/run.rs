//! Cells side by side, each in a process, a user namespace and a network of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::Value;
use tokio::process::Command;

use crate::CELL;
use crate::crossing::{self, Crossing, MESSAGES};
use crate::idle::{self, Idle};
use crate::outcome::Outcome;
use crate::plan::{self, Plan};
use crate::{cell, document, stall};

/// What is measured on the way is kept here, on the disk that the project is built on.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// Set where the homes and logs of all cells are to stay.
const KEEP: &str = "PAIRWAVE_LAB_KEEP";
/// More than any cell takes that works.
const CELL_TAKES: Duration = Duration::from_secs(300);
const CROSSING_TAKES: Duration = Duration::from_secs(720);

/// One row, and what came of it.
pub struct Run {
    pub task: Task,
    pub result: Result<Value, String>,
    asked_for: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Pair(Plan),
    Crossing(Crossing),
    Idle(Idle),
    Stall,
}

impl Task {
    pub fn name(self) -> String {
        match self {
            Self::Pair(plan) => plan.to_string(),
            Self::Crossing(crossing) => format!("crossing/{}", crossing.name()),
            Self::Idle(idle) => format!("idle/{}", idle.name()),
            Self::Stall => "relay-killed-beside-a-direct-link".to_owned(),
        }
    }

    /// A program that it takes and that is not installed here.
    fn misses(self) -> Option<&'static str> {
        if let Self::Pair(plan) = self { plan.misses() } else { None }
    }
}

impl Run {
    pub fn was_run(&self) -> bool {
        self.asked_for
    }

    pub fn is_bad(&self) -> bool {
        self.asked_for && self.result.as_ref().map_or(true, |row| row["ok"] != true)
    }

    /// Why there is no row, or nothing.
    pub fn outcome(&self) -> Option<Outcome> {
        self.result.as_ref().ok().and_then(Outcome::from_json)
    }
}

/// Long ones first: they decide when the last one ends.
fn tasks() -> Vec<Task> {
    let crossings = crossing::ALL.into_iter().map(Task::Crossing);
    let idle = idle::ALL.into_iter().map(Task::Idle);
    crossings
        .chain(idle)
        .chain([Task::Stall])
        .chain(plan::all().into_iter().chain(plan::unusual()).map(Task::Pair))
        .collect()
}

pub async fn side_by_side(at_once: usize, wanted: impl Fn(&str) -> bool) -> Vec<Run> {
    let began = Instant::now();
    let (asked_for, others): (Vec<_>, Vec<_>) =
        tasks().into_iter().partition(|task| wanted(&task.name()) && task.misses().is_none());
    let (number, done) = (asked_for.len(), std::cell::Cell::new(0));
    let results = futures::stream::iter(asked_for).map(|task| async move { (task, in_a_process(task).await) });
    let mut runs: Vec<Run> = results
        .buffer_unordered(at_once)
        .inspect(|(task, result)| {
            done.set(done.get() + 1);
            let told = document::told(*task, result);
            eprintln!("{:4.0} s {}/{number} {told}", began.elapsed().as_secs_f64(), done.get());
        })
        .map(|(task, result)| Run { task, result, asked_for: true })
        .collect()
        .await;
    let why = |task: Task| {
        let missing = task.misses().map(|program| format!("{program} is missing"));
        missing.unwrap_or_else(|| "it was not asked for".to_owned())
    };
    let not_run = |task| Run { task, result: Err(format!("not run: {}", why(task))), asked_for: false };
    runs.extend(others.into_iter().map(not_run));
    let order = tasks();
    runs.sort_by_key(|run| order.iter().position(|task| *task == run.task));
    runs
}

/// What a process of its own makes of a task; its logs stay where something is not as it should be.
async fn in_a_process(task: Task) -> Result<Value, String> {
    let folder = folder(&task.name());
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let log = std::fs::File::create(folder.join("errors")).expect("a log");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(CELL, task.name()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
    let running = command.spawn().expect("this program starts");
    let output = tokio::time::timeout(CROSSING_TAKES + CELL_TAKES, running.wait_with_output()).await;
    let output = output.map_err(|_| "broken: it does not end".to_owned())?.map_err(|why| format!("broken: {why}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let row = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    let Some(row) = row else {
        let errors = std::fs::read_to_string(folder.join("errors")).unwrap_or_default();
        return Err(format!("broken: {}", panic_in(&errors)));
    };
    if row["ok"] == true && std::env::var_os(KEEP).is_none() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    Ok(row)
}

/// In the process that has a namespace: the row of one task.
pub async fn alone(name: &str) -> Value {
    let task = tasks().into_iter().find(|task| task.name() == name).expect("a cell of that name");
    let folder = folder(name);
    match task {
        Task::Pair(plan) => {
            let ran = tokio::time::timeout(CELL_TAKES, cell::run(plan, &folder)).await;
            let outcome = ran.unwrap_or_else(|_| {
                let mut outcome = Outcome::of(plan);
                outcome.say(format!("not at its end after {} s", CELL_TAKES.as_secs()));
                outcome
            });
            outcome.judge(plan).to_json()
        }
        Task::Crossing(crossing) => {
            let ran = tokio::time::timeout(CROSSING_TAKES, crossing::run(crossing, MESSAGES, &folder)).await;
            ran.unwrap_or_else(|_| crossing.unfinished(MESSAGES, CROSSING_TAKES))
        }
        Task::Idle(idle) => idle::run(idle, &folder).await,
        Task::Stall => stall::run(&folder).await,
    }
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(FOLDER).join("connectivity").join(name.replace('/', "-"))
}

/// The first panic in what a process said.
fn panic_in(errors: &str) -> String {
    let mut lines = errors.lines().skip_while(|line| !line.contains("panicked at"));
    let (at, why) = (lines.next().unwrap_or("it ended without a word"), lines.next().unwrap_or_default());
    format!("{} {why}", at.rsplit("panicked at ").next().unwrap_or(at)).chars().take(400).collect()
}
