//! What two companions send that have nothing to say: bytes on the wire of each machine, headers of
//! Ethernet included.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::cell;
use crate::outcome::Outcome;
use crate::person::Person;
use crate::plan::{Plan, Relays, Twist};
use crate::run::Run;
use crate::site::Site;
use crate::stage::Stage;
use crate::watch::both_see;

/// Bytes a second, sent and received, that a companion may cost for one member who is online.
pub const AT_MOST: f64 = 250.0;
/// Until nobody looks for a better path any more, for some minutes.
const SETTLES: Duration = Duration::from_secs(150);
const WATCHED: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// On one wifi, without a relay.
    Lan,
    /// Directly, with places at two relays of theirs.
    Direct,
    /// Through a circuit at one of two relays of theirs: one for strangers ends every two minutes, and each
    /// new one brings another search for a direct path.
    Relayed,
}

pub const ALL: [Idle; 3] = [Idle::Relayed, Idle::Direct, Idle::Lan];

/// What a network interface has counted.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    bytes: u64,
    packets: u64,
}

impl Idle {
    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Direct => "direct",
            Self::Relayed => "relayed",
        }
    }

    fn plan(self) -> Plan {
        match self {
            Self::Lan => Plan::new(Site::Home, Site::Home, Relays::None).with(Twist::SameRouter),
            Self::Direct => Plan::new(Site::Home, Site::Home, Relays::Two),
            Self::Relayed => Plan::new(Site::Home, Site::Symmetric, Relays::Two),
        }
    }

    pub fn row(self, rates: &[Value], paths: &[String], note: &str) -> Value {
        let on_path = !paths.is_empty() && paths.iter().all(|path| path == self.name());
        json!({
            "cell": format!("idle/{}", self.name()), "sites": self.plan().to_string(), "ok": on_path && rates.len() == 2,
            "paths": paths, "rates": rates, "note": note,
        })
    }
}

pub async fn run(idle: Idle, folder: &Path) -> Value {
    let plan = idle.plan();
    let mut stage = Stage::build(plan, folder).await;
    for relay in &mut stage.relays {
        relay.hand_out_a_token().await;
    }
    let mut outcome = Outcome::of(plan);
    if !cell::meet(plan, &stage, &mut outcome).await {
        return idle.row(&[], &[], &format!("they did not meet; {}", outcome.note));
    }
    sleep(SETTLES).await;
    let rates = tokio::join!(watch(&stage.alice), watch(&stage.bob));
    let seen = both_see(&stage.alice, &stage.bob).await;
    let paths = seen.map(|(hers, his)| vec![hers.path, his.path]).unwrap_or_default();
    idle.row(&[rates.0, rates.1], &paths, "")
}

/// Bytes and packets a second, in and out.
async fn watch(person: &Person) -> Value {
    let began = Instant::now();
    let before = counted(person).await;
    sleep(WATCHED).await;
    let after = counted(person).await;
    let seconds = began.elapsed().as_secs_f64();
    let rate = |before: u64, after: u64| ((after - before) as f64 / seconds * 10.0).round() / 10.0;
    let rates = |of: fn(&Counted) -> u64| {
        let [took, sent] = [0, 1].map(|way| rate(of(&before[way]), of(&after[way])));
        json!({ "in": took, "out": sent })
    };
    json!({
        "person": person.name, "bytes": rates(|counted| counted.bytes), "packets": rates(|counted| counted.packets),
    })
}

/// Received and sent.
async fn counted(person: &Person) -> [Counted; 2] {
    let mut command = person.program("cat");
    command.arg("/proc/net/dev");
    let table = person.finish(command).await.out;
    let line = table.lines().find_map(|line| line.trim().strip_prefix("eth0:")).expect("the machine has an eth0");
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    // As proc_net_dev(5) has it: eight columns of what was received, then those of what was sent.
    [0, 8].map(|at| Counted { bytes: numbers[at], packets: numbers[at + 1] })
}

pub fn table(runs: &[&Run]) -> String {
    let mut text = String::from(
        "| path | sites | bytes a second at the inviter, in + out | at the joiner | packets a second at both | |\n|---|---|---|---|---|---|\n",
    );
    for run in runs {
        let row = match &run.result {
            Err(why) => format!("| | | | {why}{}", if run.was_run() { " **no**" } else { "" }),
            Ok(row) => cells(row),
        };
        let _ = writeln!(text, "| {} {row} |", run.task.name().trim_start_matches("idle/"));
    }
    text
}

fn cells(row: &Value) -> String {
    let both = |person: usize| {
        let bytes = &row["rates"][person]["bytes"];
        format!("{} + {}", bytes["in"], bytes["out"])
    };
    let packets: f64 = [0, 1].into_iter().filter_map(|person| sum(&row["rates"][person]["packets"])).sum();
    let note = row["note"].as_str().unwrap_or_default();
    let verdict = if row["ok"] == true { String::new() } else { format!("**not as it should be** {note}") };
    format!("| {} | {} | {} | {packets:.1} | {verdict}", row["sites"].as_str().unwrap_or_default(), both(0), both(1))
}

/// The larger of what both sides sent and received, in bytes a second.
pub fn most(row: &Value) -> Option<f64> {
    let of = |person: usize| sum(&row["rates"][person]["bytes"]);
    Some(of(0)?.max(of(1)?))
}

fn sum(rates: &Value) -> Option<f64> {
    Some(rates["in"].as_f64()? + rates["out"].as_f64()?)
}
