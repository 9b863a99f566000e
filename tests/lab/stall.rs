//! Does a direct link notice that a relay dies? Both say something at a steady pace, with a relay being
//! killed and without; what the machine itself takes for it, which is shared, shows in both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::agent::Agent;
use crate::agreement;
use crate::cell;
use crate::outcome::Outcome;
use crate::person::Person;
use crate::plan::{Plan, Relays};
use crate::run::Run;
use crate::site::Site;
use crate::stage::Stage;
use crate::trouble;
use crate::watch::{Follow, both_see, within};

/// How much longer than without a kill something may be on its way, in seconds.
pub const AT_MOST: f64 = 0.2;
const RELAYS: usize = 2;
/// Two for each relay.
const ROUNDS: usize = 2 * RELAYS;
/// What each says in one go: ten seconds of it, so that nine follow a kill and every time-out of a
/// relay's connection falls among them.
const WORDS: usize = 200;
const PACE: Duration = Duration::from_millis(50);
/// Into the talk, until something happens.
const INTO: Duration = Duration::from_secs(1);
/// For this long everybody stands still once, to see that it is seen.
const PLANTED: Duration = Duration::from_millis(500);
/// How long is waited for a reader to start before it is called again, and how often.
const STARTS: Duration = Duration::from_secs(1);
const STARTS_AFTER: usize = 30;
/// More than anything takes that works.
const COMES: Duration = Duration::from_secs(60);

pub fn plan() -> Plan {
    Plan::new(Site::Home, Site::Home, Relays::Two)
}

pub async fn run(folder: &Path) -> Value {
    let mut stage = Stage::build(plan(), folder).await;
    let mut outcome = Outcome::of(plan());
    if !cell::meet(plan(), &stage, &mut outcome).await {
        return row(&[], None, &format!("they did not meet; {}", outcome.note));
    }
    agreement::unbounded(&stage.alice, &stage.bob).await;
    let agents = [stage.alice.agent().await, stage.bob.agent().await];
    let mut rounds = Vec::new();
    for number in 0..ROUNDS {
        rounds.push(round(number, &mut stage, &agents).await);
    }
    let [alice, bob] = [&stage.alice, &stage.bob];
    let planted = talk("planted", [alice, bob], &agents, trouble::stand_still(bob, PLANTED)).await;
    row(&rounds, planted, "")
}

/// The longest way of a word without a kill and with one, while both are direct.
async fn round(number: usize, stage: &mut Stage, agents: &[Agent; 2]) -> Value {
    let ready = within(COMES, async || (are_direct(stage).await && have_places(stage).await).then_some(())).await;
    let relay = number % RELAYS;
    let Stage { alice, bob, relays, .. } = stage;
    let people = [&*alice, &*bob];
    let calm = talk(&format!("calm {number}"), people, agents, async {}).await;
    let killed = talk(&format!("killed {number}"), people, agents, relays[relay].kill()).await;
    let stayed = are_direct(stage).await;
    stage.relays[relay].revive().await;
    json!({ "relay": relay, "calm_s": calm, "killed_s": killed, "direct": ready.is_some() && stayed })
}

/// Both speak, something happens among it; how long the slowest word was on its way.
async fn talk(
    about: &str,
    [alice, bob]: [&Person; 2],
    agents: &[Agent; 2],
    what: impl Future<Output = ()>,
) -> Option<f64> {
    let happens = async {
        sleep(INTO).await;
        what.await;
    };
    let (to_bob, to_alice) = (format!("alice {about}"), format!("bob {about}"));
    let (hers, his, ()) =
        tokio::join!(one_way(&to_bob, &agents[0], bob), one_way(&to_alice, &agents[1], alice), happens);
    let slowest = hers?.max(his?).as_secs_f64();
    Some((slowest * 1000.0).round() / 1000.0)
}

async fn one_way(about: &str, speaker: &Agent, listener: &Person) -> Option<Duration> {
    let mut follow = Follow::start(listener);
    listens(about, &mut follow, speaker).await?;
    let mut heard = BTreeMap::new();
    let listen = async {
        while heard.len() < WORDS {
            let text = follow.text().await?;
            if text.starts_with(about) {
                heard.insert(text, Instant::now());
            }
        }
        Some(())
    };
    let (said, all) = tokio::join!(say(about, speaker), timeout(COMES, listen));
    all.ok().flatten()?;
    let took: Option<Vec<Duration>> =
        said.into_iter().map(|(text, at)| Some(heard.get(&text)?.duration_since(at))).collect();
    took?.into_iter().max()
}

/// Until something is heard there: a reader that has yet to start misses what is said.
async fn listens(about: &str, follow: &mut Follow, speaker: &Agent) -> Option<()> {
    for number in 0..STARTS_AFTER {
        // Nobody may say the same twice.
        let text = format!("can you hear me, {about}, {number}");
        speaker.ask("pair_send", json!({ "kind": "chat", "text": text })).await;
        if timeout(STARTS, follow.text()).await.ok().flatten().is_some() {
            return Some(());
        }
    }
    None
}

async fn say(about: &str, speaker: &Agent) -> BTreeMap<String, Instant> {
    let mut said = BTreeMap::new();
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..WORDS {
        pace.tick().await;
        let text = format!("{about} {number}");
        said.insert(text.clone(), Instant::now());
        speaker.ask("pair_send", json!({ "kind": "chat", "text": text })).await;
    }
    said
}

async fn are_direct(stage: &Stage) -> bool {
    both_see(&stage.alice, &stage.bob).await.is_some_and(|(hers, his)| hers.is_direct() && his.is_direct())
}

/// Has everybody a place at every relay?
async fn have_places(stage: &Stage) -> bool {
    let (hers, his) = tokio::join!(has_places(&stage.alice, stage), has_places(&stage.bob, stage));
    hers && his
}

async fn has_places(person: &Person, stage: &Stage) -> bool {
    let status = person.ask(&["status"]).await;
    let told = status["network"]["relays"].as_array().cloned().unwrap_or_default();
    let has = |peer: &str| {
        let is_there = |relay: &Value| relay["address"].as_str().is_some_and(|address| address.contains(peer));
        told.iter().any(|relay| relay["reserved"] == true && is_there(relay))
    };
    stage.relays.iter().all(|relay| has(&relay.peer))
}

/// As it should be if it was direct throughout and nothing was lost, and the planted stall was seen.
fn row(rounds: &[Value], planted: Option<f64>, note: &str) -> Value {
    let is_whole = |round: &Value| round["direct"] == true && round["calm_s"].is_f64() && round["killed_s"].is_f64();
    let seen = planted.is_some_and(|planted| planted >= 0.9 * PLANTED.as_secs_f64());
    json!({
        "cell": "relay-killed-beside-a-direct-link", "sites": plan().to_string(), "rounds": rounds, "planted_s": planted,
        "ok": rounds.len() == ROUNDS && rounds.iter().all(is_whole) && seen, "note": note,
    })
}

/// By how much the slowest word was later with a kill than without one, for the relay that is missed more.
/// Of each relay's rounds the best counts: what the machine is busy with otherwise hits some of them, a
/// link that stalls hits all.
pub fn extra(row: &Value) -> Option<f64> {
    let rounds = row["rounds"].as_array()?;
    let best = |relay: usize, key: &str| {
        let of = rounds.iter().filter(|round| round["relay"] == relay).filter_map(|round| round[key].as_f64());
        of.reduce(f64::min)
    };
    let later = (0..RELAYS).map(|relay| Some((best(relay, "killed_s")? - best(relay, "calm_s")?).max(0.0)));
    later.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
}

pub fn table(run: &Run) -> String {
    let row = match &run.result {
        Ok(row) => row,
        Err(why) => return format!("{why}\n"),
    };
    let seconds = |value: &Value| value.as_f64().map_or("**not all came**".to_owned(), |value| format!("{value:.3} s"));
    let mut text = String::from("| relay | the slowest word without a kill | with one | |\n|---|---|---|---|\n");
    for round in row["rounds"].as_array().into_iter().flatten() {
        let path = if round["direct"] == true { "" } else { "**not direct throughout**" };
        let (calm, killed) = (seconds(&round["calm_s"]), seconds(&round["killed_s"]));
        let _ = writeln!(text, "| {} | {calm} | {killed} | {path} |", round["relay"]);
    }
    let planted = seconds(&row["planted_s"]);
    let _ = writeln!(
        text,
        "| a companion stands still for {} s | | {planted} | {} |",
        PLANTED.as_secs_f64(),
        row["note"].as_str().unwrap_or_default()
    );
    text
}
