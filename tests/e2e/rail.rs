//! What everybody in a room must see alike: where it stands, as both agents are shown it.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::patience::until;
use crate::person::Person;

/// What is a reader's own affair, wherever it stands.
const ONES_OWN: [&str; 7] = ["trust", "me", "mine", "for_me", "yours", "verified", "to_pull"];

/// Waits until both agents are shown the same, and gives it.
pub async fn same_rail(alice: (&Person, &Agent), bob: (&Person, &Agent)) -> Value {
    let shown = async || (rail(alice).await, rail(bob).await);
    let alike = until("both sides stand alike", async || {
        let (hers, his) = shown().await;
        if hers != his {
            println!("hers: {hers}\nhis: {his}");
        }
        (hers == his).then_some(hers)
    });
    alike.await
}

/// Ledger, brain with all that was superseded, requests, git and report.
pub async fn rail((person, agent): (&Person, &Agent)) -> Value {
    let status = agent.ask("pair_status", json!({})).await;
    let brain = agent.ask("pair_recall", json!({ "superseded": true, "limit": 100 })).await;
    let decisions = agent.ask("pair_read", json!({ "kind": "decision", "limit": 100 })).await;
    let git = agent.ask("pair_git", json!({ "op": "status" })).await["git"].clone();
    let report = agent.ask("pair_report", json!({})).await["markdown"].clone();
    let requests = person.ask(&["requests", "--all"]).await["requests"].clone();
    let texts = |list: &Value, fields: &[&str]| {
        let one = |entry: &Value| fields.iter().map(|field| entry[*field].clone()).collect::<Value>();
        let mut all: Vec<Value> = list.as_array().expect("a list").iter().map(one).collect();
        all.sort_by_key(Value::to_string);
        Value::from(all)
    };
    let mut rail = json!({
        "ledger": status["ledger"],
        "brain": texts(&brain["entries"], &["event", "kind", "headline", "content", "supersedes", "superseded_by", "provenance"]),
        "decisions": texts(&decisions["events"], &["event", "text"]),
        "requests": texts(&requests, &["id", "state", "hash", "approved_by", "detail"]),
        "git": { "sides": git["sides"], "claims": git["claims"], "commits": git["commits"], "conflicts": git["conflicts"] },
        "report": report,
    });
    without_ones_own(&mut rail);
    rail
}

fn without_ones_own(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            ONES_OWN.iter().for_each(|name| drop(fields.remove(*name)));
            fields.values_mut().for_each(without_ones_own);
        }
        Value::Array(list) => list.iter_mut().for_each(without_ones_own),
        _ => {}
    }
}
