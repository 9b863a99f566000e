//! What a companion holds that has nothing to do.

use std::time::Duration;

use tokio::time::sleep;

use crate::person::{stage, two};
use crate::table::Row;

/// Until what a start needs is given back.
const QUIET: Duration = Duration::from_secs(10);

pub async fn run() -> Vec<Row> {
    let stage = stage();
    let (alice, bob) = two(stage.path()).await;
    sleep(QUIET).await;
    let resident = alice.resident().max(bob.resident());
    vec![Row::judged(
        "companion resident, idle (one room, linked)",
        format!("{resident:.1} MB"),
        "≤ 30 MB".into(),
        resident <= 30.0,
    )]
}
