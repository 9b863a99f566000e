//! Who can reach whom: two people at every pair of sites, with no relay, one and two, and what they say
//! to each other while their network is pulled about.
//!
//! `cargo bench --profile dev --bench connectivity` runs everything and prints the tables; `-- home/` runs
//! the cells with that in their names, `--at-once=8` so many side by side; `-- --write` writes
//! `docs/CONNECTIVITY.md` too.

#[allow(dead_code, reason = "a person of the end-to-end tests can do more than meet")]
#[path = "../e2e/agent.rs"]
mod agent;
#[path = "../e2e/agreement.rs"]
mod agreement;
mod cell;
mod crossed;
mod crossing;
mod document;
mod figures;
mod idle;
mod lending;
mod letters;
#[path = "../bench/machine.rs"]
mod machine;
mod outcome;
#[allow(dead_code, reason = "a person of the end-to-end tests can do more than meet")]
#[path = "../e2e/patience.rs"]
mod patience;
#[allow(dead_code, reason = "a person of the end-to-end tests can do more than meet")]
#[path = "../e2e/person.rs"]
mod person;
mod plan;
mod portal;
mod proxy;
mod relay;
mod run;
mod site;
mod slow;
mod stage;
mod stall;
mod theory;
mod trouble;
mod watch;

use std::process::ExitCode;

use crate::machine::Machine;
use crate::run::Run;

/// Names the cell that a process of ours runs alone.
const CELL: &str = "PAIRWAVE_LAB_CELL";
/// More cells than cores: most of the time a cell waits for a time-out of somebody.
const SIDE_BY_SIDE: usize = 6;

/// A process with threads cannot enter a user namespace.
#[allow(unsafe_code, reason = "runs before main, in the only thread there is")]
#[ctor::ctor(unsafe)]
fn enter_a_user_namespace() {
    if std::env::var_os(CELL).is_some() {
        unsafe { patchbay::init_userns_for_ctor() }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if let Ok(name) = std::env::var(CELL) {
        let row = run::alone(&name).await;
        println!("{row}");
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (options, parts): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|argument| argument.starts_with('-'));
    let at_once = options.iter().find_map(|option| option.strip_prefix("--at-once=")?.parse().ok());
    let known = |option: &str| option == "--write" || (option.starts_with("--at-once=") && at_once.is_some());
    if let Some(unknown) = options.iter().find(|option| !known(option)) {
        eprintln!("There is no {unknown}; there are --write, --at-once=NUMBER, and parts of the names of cells.");
        return ExitCode::from(2);
    }
    let machine = Machine::look();
    let runs = run::side_by_side(at_once.unwrap_or(SIDE_BY_SIDE), |name| {
        parts.is_empty() || parts.iter().any(|part| name.contains(part))
    });
    let runs: Vec<Run> = runs.await;
    let text = document::text(&machine, &runs);
    println!("{text}");
    if options.iter().any(|option| option == "--write") {
        document::write(&text);
    }
    let broken = runs.iter().filter(|run| run.is_bad()).count();
    eprintln!("{broken} of {} are not as they should be", runs.iter().filter(|run| run.was_run()).count());
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
