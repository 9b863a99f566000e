//! Two who are never there at the same time: what one says while the other is away goes by letter.

use std::time::{Duration, Instant};

use pairwave_api::{Client, CompanionExt, DeliveryState, Read, Send};
use tokio::time::sleep;

use crate::person::{Person, at, stage, until};
use crate::relay::Relay;
use crate::speech::say;
use crate::table::Row;

const EVENTS: u64 = 2_000;
/// Of which each goes in a letter of its own.
const APART: u64 = 60;
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
    all_stored(&alice.person().await).await;
    let stored = said.elapsed().as_secs_f64();
    let read = handed_over(&mut alice, &mut bob).await;
    let taken = stored + read;
    alice.up().await;
    bob.down().await;
    sleep(GONE).await;
    say_apart(&alice).await;
    let apart = handed_over(&mut alice, &mut bob).await;
    vec![
        Row::judged(
            "2,000 events said to somebody who is away → at a relay's mailbox → all there, the sender gone",
            format!("{taken:.2} s ({stored:.2} s from the last word until all is stored, {read:.2} s from `up`)"),
            "≤ 2 s".into(),
            taken <= 2.0,
        ),
        Row::plain(
            "60 events that went in a letter each → all there, the sender gone",
            format!("{apart:.2} s from `up`"),
        ),
    ]
}

/// Without both keys nobody is written to.
async fn knows_letter_keys(person: &Person) -> bool {
    let keys = Read { kind: Some("letter_keys".into()), ..Read::default() };
    person.ask(keys).await.events.len() == 2
}

/// Says one thing after the other, each when the one before it is stored.
async fn say_apart(alice: &Person) {
    let client = alice.client("apart").await;
    for number in 0..APART {
        let chat = Send { kind: "chat".into(), text: format!("Letter {number}."), ..Send::default() };
        client.ask(chat).await.unwrap_or_else(|failure| panic!("{failure}"));
        all_stored(&client).await;
    }
}

/// Waits until what was said last is at a mailbox, and with it all before it.
async fn all_stored(client: &Client) {
    until(async || {
        let newest = client.ask(Read { limit: Some(1), ..Read::default() }).await.ok()?;
        let delivery = &newest.events.last()?.delivery;
        (!delivery.is_empty() && delivery.values().all(|state| *state >= DeliveryState::Stored)).then_some(())
    })
    .await;
}

/// The speaker goes and the reader comes; seconds from its `up` until it has everything.
async fn handed_over(speaker: &mut Person, reader: &mut Person) -> f64 {
    let events = speaker.room().await.events;
    speaker.down().await;
    let began = Instant::now();
    reader.up().await;
    reader.holds(&reader.person().await, events).await;
    began.elapsed().as_secs_f64()
}
