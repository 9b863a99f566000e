//! Two who both said a lot while they were apart.

use std::time::Instant;

use crate::person::{stage, two};
use crate::speech::say;
use crate::table::Row;

const EVENTS: u64 = 10_000;

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (mut alice, mut bob) = two(stage.path()).await;
    let before = alice.room().await.events;
    bob.down().await;
    say(&alice, EVENTS).await;
    alice.down().await;
    bob.up().await;
    say(&bob, EVENTS).await;
    let began = Instant::now();
    alice.up().await;
    let up = began.elapsed();
    let (at_alice, at_bob) = (alice.person().await, bob.person().await);
    let all = before + 2 * EVENTS;
    tokio::join!(alice.holds(&at_alice, all), bob.holds(&at_bob, all));
    let taken = began.elapsed().as_secs_f64();
    assert_eq!(alice.room().await.events, bob.room().await.events);
    vec![Row::judged(
        "two members apart with 10,000 events each → both have all",
        format!("{taken:.2} s from `up` ({:.2} s of it until its status)", up.as_secs_f64()),
        "≤ 3 s".into(),
        taken <= 3.0,
    )]
}
