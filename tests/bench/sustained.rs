//! A hundred thousand events from A to B, as fast as they go: how many a second, whether the last
//! go as fast as the first, and what is left in memory.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::person::{Person, stage, two};
use crate::samples::Samples;
use crate::speech::say;
use crate::table::Row;

const EVENTS: u64 = 100_000;
const BLOCK: u64 = 1_000;
/// A thousand events take so little time that one sync more shows: the median of so many thousands
/// at either end is compared.
const BLOCKS: usize = 10;
/// Longer than a companion puts off what need not be saved at once.
const QUIET: Duration = Duration::from_secs(8);

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (alice, bob) = two(stage.path()).await;
    let before = bob.room().await.events;
    let began = Instant::now();
    let (thousands, ()) = tokio::join!(watch(&bob, before), say(&alice, EVENTS));
    let rate = EVENTS as f64 / (*thousands.last().expect("a time") - began).as_secs_f64();
    assert!(bob.room().await.events >= before + EVENTS);
    let (first, last) = ends(began, &thousands);
    sleep(QUIET).await;
    let (at_alice, at_bob) = (alice.resident(), bob.resident());
    vec![
        Row::judged("sustained events A → durable at B", format!("{rate:.0}/s"), "≥ 5,000/s".into(), rate >= 5_000.0),
        Row::judged(
            "rate of the last thousand of 100,000 against the first (medians of ten)",
            format!("{:.2} ({last:.0}/s after {first:.0}/s)", last / first),
            "≥ 0.9".into(),
            last / first >= 0.9,
        ),
        Row::judged(
            "companion resident after 100,000 events, at A / at B",
            format!("{at_alice:.0} / {at_bob:.0} MB"),
            "≤ 60 MB".into(),
            at_alice.max(at_bob) <= 60.0,
        ),
    ]
}

/// When each thousand was durable.
async fn watch(bob: &Person, before: u64) -> Vec<Instant> {
    let client = bob.client("watches").await;
    let mut times = Vec::new();
    for block in 1..=EVENTS / BLOCK {
        bob.holds(&client, before + block * BLOCK).await;
        times.push(Instant::now());
    }
    times
}

/// Events a second at the beginning and at the end.
fn ends(began: Instant, thousands: &[Instant]) -> (f64, f64) {
    let times: Vec<Instant> = [began].iter().chain(thousands).copied().collect();
    let rates: Vec<f64> = times.windows(2).map(|pair| BLOCK as f64 / (pair[1] - pair[0]).as_secs_f64()).collect();
    let of = |rates: &[f64]| Samples::new(rates.to_vec()).median();
    (of(&rates[..BLOCKS]), of(&rates[rates.len() - BLOCKS..]))
}
