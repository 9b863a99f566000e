//! Two who are never there at the same time: what one says while the other is away goes by letter.

use std::time::{Duration, Instant};

use pairwave_api::{CompanionExt, DeliveryState, Read};
use tokio::time::sleep;

use crate::person::{Person, at, stage, until};
use crate::relay::Relay;
use crate::speech::say;
use crate::table::Row;

const EVENTS: u64 = 2_000;
/// Longer than a member has to be gone before it is written to.
const GONE: Duration = Duration::from_secs(8);

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let relay = Relay::start(stage.path()).await;
    let (mut alice, mut bob) = at(stage.path(), vec![relay.address.clone()]).await;
    for person in [&alice, &bob] {
        until(async || knows_letter_keys(person).await.then_some(())).await;
    }
    bob.down().await;
    sleep(GONE).await;
    say(&alice, EVENTS).await;
    let said = Instant::now();
    let client = alice.person().await;
    until(async || {
        let newest = client.ask(Read { limit: Some(1), ..Read::default() }).await.ok()?;
        let delivery = newest.events.last()?.delivery.clone();
        (!delivery.is_empty() && delivery.values().all(|state| *state >= DeliveryState::Stored)).then_some(())
    })
    .await;
    let stored = said.elapsed().as_secs_f64();
    let events = alice.room().await.events;
    alice.down().await;
    let began = Instant::now();
    bob.up().await;
    bob.holds(&bob.person().await, events).await;
    let read = began.elapsed().as_secs_f64();
    let taken = stored + read;
    vec![Row::judged(
        "2,000 events said to somebody who is away → at a relay's mailbox → all there, the sender gone",
        format!("{taken:.2} s ({stored:.2} s from the last word until all is stored, {read:.2} s from `up`)"),
        "≤ 2 s".into(),
        taken <= 2.0,
    )]
}

/// Without both keys nobody is written to.
async fn knows_letter_keys(person: &Person) -> bool {
    let keys = Read { kind: Some("letter_keys".into()), ..Read::default() };
    person.ask(keys).await.events.len() == 2
}
