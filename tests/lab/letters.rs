//! Two people who are never there at the same time: what one says waits at a relay for the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use patchbay::Router;

use crate::crossing::say;
use crate::person::Person;
use crate::stage::Stage;
use crate::trouble::{self, SLEEPS};
use crate::watch::within;

/// How long letters may take to a relay, and from it.
const TRAVELS: Duration = Duration::from_secs(90);

/// What is otherwise than usual in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Calm,
    /// One of the relays is dead.
    RelayDead,
    /// The reader's companion stands still while it collects.
    Slept,
    /// The reader's machine is taken to another network while it collects.
    Switched,
}

const ROUNDS: [Round; 6] = [Round::Calm, Round::Calm, Round::RelayDead, Round::Calm, Round::Slept, Round::Switched];

impl Round {
    fn name(self) -> &'static str {
        match self {
            Self::Calm => "by letter",
            Self::RelayDead => "by letter, one relay dead",
            Self::Slept => "by letter, slept 10 s while collecting",
            Self::Switched => "by letter, network switched while collecting",
        }
    }
}

/// In turns: one speaks while the other is away, leaves, and the other comes and reads.
pub async fn exchange(stage: &mut Stage, elsewhere: &Router, messages: usize) -> Vec<Value> {
    let mut steps = Vec::new();
    let ready = within(TRAVELS, async || (can_get_letters(&stage.alice).await).then_some(())).await;
    if ready.is_none() {
        steps.push(json!({ "trouble": "nobody can get letters", "on_path": false }));
    }
    stage.bob.down().await;
    for (number, round) in ROUNDS.into_iter().enumerate() {
        match (round, stage.relays[0].runs()) {
            (Round::RelayDead, true) => stage.relays[0].kill().await,
            (Round::RelayDead, false) | (_, true) => {}
            (_, false) => stage.relays[0].revive().await,
        }
        let numbers = messages * number / ROUNDS.len()..messages * (number + 1) / ROUNDS.len();
        let Stage { alice, bob, routers: [hers, his], .. } = &*stage;
        steps.push(hand_over(alice, bob, round, [elsewhere, his], numbers.clone()).await);
        steps.push(hand_over(bob, alice, round, [elsewhere, hers], numbers).await);
    }
    stage.bob.up().await;
    steps
}

/// The speaker is up and the reader is away; afterwards it is the other way round.
async fn hand_over(
    speaker: &Person,
    reader: &Person,
    round: Round,
    [elsewhere, home]: [&Router; 2],
    numbers: std::ops::Range<usize>,
) -> Value {
    let agent = speaker.agent().await;
    say(&agent, &speaker.name, numbers.clone()).await;
    drop(agent);
    let said = speaker.room().await["events"].as_u64();
    let stored = within(TRAVELS, async || all_stored(speaker).await.then_some(())).await.is_some();
    speaker.down().await;
    reader.up().await;
    let began = Instant::now();
    let had = strike(round, reader, elsewhere).await;
    let got = within(TRAVELS, async || (reader.room().await["events"].as_u64() >= said).then_some(())).await;
    let took = got.map(|()| (began.elapsed().as_secs_f64() * 100.0).round() / 100.0);
    if round == Round::Switched {
        plug(reader, home).await;
    }
    json!({
        "trouble": format!("{}, from {}", round.name(), speaker.name), "on_path": got.is_some(),
        "all_stored": stored, "back_s": took, "said_each": numbers.len(), "letters": letters_told(reader).await,
        "missing_when_struck": had.and_then(|had| said?.checked_sub(had)),
    })
}

/// Strikes as soon as the reader is at a relay, which is when it begins to collect. Says how many events it
/// had by then.
async fn strike(round: Round, reader: &Person, elsewhere: &Router) -> Option<u64> {
    if !matches!(round, Round::Slept | Round::Switched) {
        return None;
    }
    within(TRAVELS, async || is_at_a_relay(reader).await.then_some(())).await?;
    let had = reader.room().await["events"].as_u64();
    match round {
        Round::Slept => trouble::stand_still(reader, SLEEPS).await,
        _ => plug(reader, elsewhere).await,
    }
    had
}

async fn is_at_a_relay(reader: &Person) -> bool {
    let status = reader.ask(&["status"]).await;
    let relays = status["network"]["relays"].as_array();
    relays.into_iter().flatten().any(|relay| relay["connected"] == true)
}

async fn plug(reader: &Person, router: &Router) {
    let eth0 = reader.machine.iface("eth0").expect("it has one");
    eth0.replug(router.id()).await.expect("another network");
}

/// Does the room hold the keys by which both get letters?
async fn can_get_letters(person: &Person) -> bool {
    let kinds = person.transcript().await.into_iter().filter(|entry| entry["kind"] == "letter_keys");
    kinds.count() >= 2
}

/// How the letters fared since somebody's companion started, in its own words.
async fn letters_told(person: &Person) -> Option<String> {
    let doctor = person.run(&["doctor"]).await.object();
    let told = doctor["checks"].as_array()?.iter().find(|check| check["name"] == "letters")?;
    told["detail"].as_str().map(str::to_owned)
}

/// Does nothing wait for a way out any more?
async fn all_stored(speaker: &Person) -> bool {
    let newest = speaker.run(&["read", "--limit", "1"]).await.lines();
    let delivery = newest.last().and_then(|entry| entry["delivery"].as_object());
    delivery.is_some_and(|to| !to.is_empty() && to.values().all(|state| state != "sent" && state != "queued"))
}
