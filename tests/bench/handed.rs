//! From one agent's tool call to the other agent's hands, durable on both sides in between.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::agent::Agent;
use crate::person::{stage, two};
use crate::raw::Raw;
use crate::samples::Samples;
use crate::table::Row;

const MESSAGES: usize = 300;
/// The first ones warm up.
const WARM_UP: usize = 20;
/// Long enough for a wait to reach the companion.
const SETTLE: Duration = Duration::from_millis(15);
/// What may come on top of the syncs, in milliseconds.
const ON_TOP: f64 = 1.5;

pub async fn run(raw: Raw) -> Vec<Row> {
    let stage = stage();
    let (alice, bob) = two(stage.path()).await;
    let (speaks, hears) = (Agent::start(&alice).await, Agent::start(&bob).await);
    let (mut handed, mut answered) = (Vec::new(), Vec::new());
    for message in 0..WARM_UP + MESSAGES {
        let (at_bob, at_alice) = one(&speaks, &hears, message).await;
        if message >= WARM_UP {
            handed.push(at_bob);
            answered.push(at_alice);
        }
    }
    let (handed, answered) = (Samples::of_millis(&handed), Samples::of_millis(&answered));
    let target = 2.0 * raw.sync.0 + ON_TOP;
    let (median, p95) = (handed.median(), handed.p95());
    let syncs = format!("{:.1} syncs", median / raw.sync.0);
    vec![
        Row::judged(
            "tool call at A → handed to B's agent, durable on both sides, median / p95",
            format!("{median:.2} / {p95:.2} ms ({syncs})"),
            format!("{target:.2} / {:.2} ms (2 fsyncs + {ON_TOP} ms / twice that)", 2.0 * target),
            median <= target && p95 <= 2.0 * target,
        ),
        Row::plain(
            "tool call at A → its answer, durable at A, median / p95",
            format!("{:.2} / {:.2} ms", answered.median(), answered.p95()),
        ),
    ]
}

/// One message: how long until it was handed over, and until its sender was answered.
async fn one(speaks: &Agent, hears: &Agent, number: usize) -> (Duration, Duration) {
    let text = format!("Done; test {number} passes.");
    let send = async {
        sleep(SETTLE).await;
        let began = Instant::now();
        speaks.ask("pair_send", json!({ "kind": "chat", "text": &text })).await;
        (began, began.elapsed())
    };
    let (handed_at, (began, answered)) = tokio::join!(handed(hears, &text), send);
    (handed_at - began, answered)
}

/// When this text was in the hands of an agent; what else waits for it comes first.
async fn handed(hears: &Agent, text: &str) -> Instant {
    loop {
        let inbox = hears.ask("pair_wait", json!({ "timeout_s": 60 })).await;
        let items = inbox["items"].as_array().expect("items");
        assert!(!items.is_empty(), "{text:?} is not handed over: {inbox}");
        if items.iter().any(|item| item["entry"]["text"] == text) {
            return Instant::now();
        }
    }
}
