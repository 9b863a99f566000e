//! How long an agent host waits for the first answer of its server.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::person::{Person, stage, two, until};
use crate::samples::Samples;
use crate::table::Row;

const RUNNING: usize = 30;
const NOT_RUNNING: usize = 10;

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (mut alice, _bob) = two(stage.path()).await;
    let mut running = Vec::new();
    for _ in 0..RUNNING {
        running.push(initialize(&alice).await);
    }
    let mut not_running = Vec::new();
    for _ in 0..NOT_RUNNING {
        alice.down().await;
        not_running.push(initialize(&alice).await);
    }
    let (running, not_running) = (Samples::of_millis(&running).median(), Samples::of_millis(&not_running).median());
    vec![Row::judged(
        "`pairwave mcp` → initialize reply, companion running / not running",
        format!("{running:.1} / {not_running:.1} ms"),
        "≤ 30 / ≤ 300 ms".into(),
        running <= 30.0 && not_running <= 300.0,
    )]
}

/// Starts a server and waits for its first answer; then until the companion can be asked through it.
async fn initialize(person: &Person) -> Duration {
    let mut command = person.command(&["mcp"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let began = Instant::now();
    let mut server = person.start(command);
    let mut asks = server.stdin.take().expect("piped");
    let mut answers = BufReader::new(server.stdout.take().expect("piped")).lines();
    let client = json!({ "name": "figures", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    asks.write_all(format!("{line}\n").as_bytes()).await.expect("it is read");
    let answer = answers.next_line().await.expect("an answer").expect("an answer");
    let taken = began.elapsed();
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["result"]["serverInfo"]["name"], "pairwave", "{answer}");
    until(async || person.is_up().await.then_some(())).await;
    drop(asks);
    server.wait().await.expect("its end is seen");
    taken
}
