//! Two people who are never there at the same time: what one says waits at a relay for the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::crossing::say;
use crate::person::Person;
use crate::stage::Stage;
use crate::watch::within;

const ROUNDS: usize = 4;
/// How long letters may take to a relay, and from it.
const TRAVELS: Duration = Duration::from_secs(90);

/// In turns: one speaks while the other is away, leaves, and the other comes and reads. In the third
/// round one of the relays is dead.
pub async fn exchange(stage: &mut Stage, messages: usize) -> Vec<Value> {
    let mut steps = Vec::new();
    let ready = within(TRAVELS, async || (can_get_letters(&stage.alice).await).then_some(())).await;
    if ready.is_none() {
        steps.push(json!({ "trouble": "nobody can get letters", "on_path": false }));
    }
    stage.bob.down().await;
    for round in 0..ROUNDS {
        if round == 2 {
            stage.relays[0].kill().await;
        }
        if round == 3 {
            stage.relays[0].revive().await;
        }
        let numbers = messages * round / ROUNDS..messages * (round + 1) / ROUNDS;
        steps.push(hand_over(&stage.alice, &stage.bob, round, numbers.clone()).await);
        steps.push(hand_over(&stage.bob, &stage.alice, round, numbers).await);
    }
    stage.bob.up().await;
    steps
}

/// The speaker is up and the reader is away; afterwards it is the other way round.
async fn hand_over(speaker: &Person, reader: &Person, round: usize, numbers: std::ops::Range<usize>) -> Value {
    let agent = speaker.agent().await;
    say(&agent, &speaker.name, numbers.clone()).await;
    drop(agent);
    let said = speaker.room().await["events"].as_u64();
    let stored = within(TRAVELS, async || all_stored(speaker).await.then_some(())).await.is_some();
    speaker.down().await;
    reader.up().await;
    let began = Instant::now();
    let got = within(TRAVELS, async || (reader.room().await["events"].as_u64() >= said).then_some(())).await;
    let took = got.map(|()| (began.elapsed().as_secs_f64() * 100.0).round() / 100.0);
    let trouble = if round == 2 { "by letter, one relay dead" } else { "by letter" };
    json!({
        "trouble": format!("{trouble}, from {}", speaker.name), "on_path": got.is_some(), "all_stored": stored,
        "back_s": took, "said_each": numbers.len(), "letters": letters_told(reader).await,
    })
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
