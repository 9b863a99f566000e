//! What an agent asks at the start of its session, in a large room: status, recall and handoff.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use pairwave_api::{CompanionExt, Remember};
use serde_json::{Value, json};

use crate::agent::Agent;
use crate::person::{Person, stage, two};
use crate::samples::Samples;
use crate::speech::{TEXT, say};
use crate::table::Row;

const EVENTS: u64 = 20_000;
const ENTRIES: usize = 10_000;
const TIMES: usize = 100;
/// Requests that are under way at once.
const UNDER_WAY: usize = 64;
/// Most characters of a status and of a handoff.
const STATUS: usize = 12_000;
const HANDOFF: usize = 20_000;

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (alice, _bob) = two(stage.path()).await;
    say(&alice, EVENTS).await;
    remember(&alice).await;
    let agent = Agent::start(&alice).await;
    let (status, shown) = asked(&agent, "pair_status", json!({})).await;
    let (recall, _) = asked(&agent, "pair_recall", json!({ "query": "the parser of module 4711" })).await;
    let (handoff, written) = asked(&agent, "pair_handoff", json!({})).await;
    let (shown, written) = (shown.to_string().chars().count(), text(&written["markdown"]).chars().count());
    vec![
        judged("`pair_status` in a room of 30,000 events, median / p95", &status, 5.0, Some((shown, STATUS))),
        judged("`pair_recall` among 10,000 entries, median / p95", &recall, 10.0, None),
        Row::judged(
            "`pair_handoff` in a room of 30,000 events, median / p95",
            format!("{:.2} / {:.2} ms, {written} characters", handoff.median(), handoff.p95()),
            format!("≤ {HANDOFF} characters"),
            written <= HANDOFF,
        ),
    ]
}

fn judged(about: &str, taken: &Samples, target: f64, size: Option<(usize, usize)>) -> Row {
    let (median, p95) = (taken.median(), taken.p95());
    let (is, may) =
        size.map_or_else(Default::default, |(is, may)| (format!(", {is} characters"), format!(", ≤ {may} characters")));
    Row::judged(
        about,
        format!("{median:.2} / {p95:.2} ms{is}"),
        format!("median ≤ {target:.0} ms{may}"),
        median <= target && size.is_none_or(|(is, may)| is <= may),
    )
}

/// How long a tool takes to answer, once what it needs was made, and its last answer.
async fn asked(agent: &Agent, tool: &'static str, arguments: Value) -> (Samples, Value) {
    let mut answer = agent.ask(tool, arguments.clone()).await;
    let mut taken: Vec<Duration> = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        answer = agent.ask(tool, arguments.clone()).await;
        taken.push(began.elapsed());
    }
    (Samples::of_millis(&taken), answer)
}

async fn remember(person: &Person) {
    let client = Arc::new(person.client("remembers").await);
    let remembered = (0..ENTRIES).map(|number| {
        let client = client.clone();
        async move {
            let entry = Remember {
                headline: format!("The parser of module {number}"),
                content: format!("{TEXT} {number}"),
                tags: vec![format!("module-{}", number % 100)],
                provenance: vec![format!("src/module_{number}.rs:{}", number % 400)],
                ..Remember::default()
            };
            client.ask(entry).await.unwrap_or_else(|failure| panic!("{failure}"));
        }
    });
    stream::iter(remembered).buffer_unordered(UNDER_WAY).collect::<Vec<()>>().await;
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
