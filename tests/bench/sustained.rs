//! A hundred thousand events from A to B, as fast as they go: how many a second, whether the last
//! go as fast as the first, what they cost, and what is left in memory.

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

/// How things stood when so many thousands were durable at B.
struct Mark {
    at: Instant,
    /// Seconds that the companions of A and B had had a processor.
    busy: [f64; 2],
}

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (alice, bob) = two(stage.path()).await;
    let before = bob.room().await.events;
    let (marks, ()) = tokio::join!(watch(&alice, &bob, before), say(&alice, EVENTS));
    assert!(bob.room().await.events >= before + EVENTS);
    sleep(QUIET).await;
    let (at_alice, at_bob) = (alice.resident(), bob.resident());
    let (begin, end) = (&marks[0], &marks[marks.len() - 1]);
    let rate = EVENTS as f64 / (end.at - begin.at).as_secs_f64();
    let (first, last) = ends(&marks);
    let cost = |of: usize| {
        let [first, last] = [&marks[..=BLOCKS], &marks[marks.len() - 1 - BLOCKS..]].map(|marks| cost(marks, of));
        format!("{:.0} µs ({first:.0} for the first, {last:.0} for the last ten thousand)", cost(&marks, of))
    };
    vec![
        Row::judged("sustained events A → durable at B", format!("{rate:.0}/s"), "≥ 5,000/s".into(), rate >= 5_000.0),
        Row::judged(
            "rate of the last thousand of 100,000 against the first (medians of ten)",
            format!("{:.2} ({last:.0}/s after {first:.0}/s)", last / first),
            "≥ 0.9".into(),
            last / first >= 0.9,
        ),
        Row::plain("processor time of one of these events at A", cost(0)),
        Row::plain("processor time of one of these events at B", cost(1)),
        Row::judged(
            "companion resident after 100,000 events, at A / at B",
            format!("{at_alice:.0} / {at_bob:.0} MB"),
            "≤ 60 MB".into(),
            at_alice.max(at_bob) <= 60.0,
        ),
    ]
}

async fn watch(alice: &Person, bob: &Person, before: u64) -> Vec<Mark> {
    let client = bob.person().await;
    let mut marks = Vec::new();
    for block in 0..=EVENTS / BLOCK {
        bob.holds(&client, before + block * BLOCK).await;
        marks.push(Mark { at: Instant::now(), busy: [alice.processor_time(), bob.processor_time()] });
    }
    marks
}

/// Events a second at the beginning and at the end.
fn ends(marks: &[Mark]) -> (f64, f64) {
    let rates = marks.windows(2).map(|pair| BLOCK as f64 / (pair[1].at - pair[0].at).as_secs_f64());
    let rates: Vec<f64> = rates.collect();
    let of = |rates: &[f64]| Samples::new(rates.to_vec()).median();
    (of(&rates[..BLOCKS]), of(&rates[rates.len() - BLOCKS..]))
}

/// Microseconds of processor time that each event took between the first and the last of the marks.
fn cost(marks: &[Mark], of: usize) -> f64 {
    let events = (marks.len() - 1) as f64 * BLOCK as f64;
    (marks[marks.len() - 1].busy[of] - marks[0].busy[of]) / events * 1e6
}
