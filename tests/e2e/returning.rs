//! Rooms that are taken up again from somebody else's log: after a week, and on a new machine.

use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::agent::Agent;
use crate::agreement::{unbounded, unrated, verify};
use crate::clocks::Clock;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::no_human_here;
use crate::rail::same_rail;
use crate::story::{join, open, two_without_bounds};

const EVENTS: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_a_week_is_told_what_mattered() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (mut alice, mut bob) = (lab.person("alice").await, lab.person("bob").await);
    let clocks = [Clock::of(&mut alice), Clock::of(&mut bob)];
    unrated(&mut alice);
    unrated(&mut bob);
    open(&alice).await;
    join(&alice, &bob).await;
    unbounded(&alice, &bob).await;
    let written = bob.agent_apart().await.ask("pair_handoff", json!({})).await["path"].clone();
    bob.down().await;
    clocks.iter().for_each(|clock| clock.jump("+7d"));

    let hers = alice.agent_apart().await;
    hers.ask("pair_claim", json!({})).await;
    let decision = json!({
        "kind": "decision", "text": "one pass", "rationale": "speed", "provenance": ["src/a.rs:1"]
    });
    hers.ask("pair_send", decision).await;
    hers.ask("pair_send", json!({ "kind": "question", "text": "shall we release?" })).await;
    let said = stream::iter(0..EVENTS)
        .map(|number| hers.ask("pair_send", json!({ "kind": "chat", "text": format!("hm {number}") })));
    said.buffer_unordered(64).collect::<Vec<_>>().await;

    bob.up().await;
    let his = bob.agent_apart().await;
    let resumed = until("bob has all of it", async || {
        let resumed = his.ask("pair_resume", json!({})).await;
        (resumed["since"].as_u64()? >= EVENTS as u64 + 2).then_some(resumed)
    })
    .await;
    assert_eq!((&resumed["path"], &resumed["log_ok"]), (&written, &json!(true)), "{resumed}");
    let markdown = resumed["markdown"].as_str().expect("Markdown");
    assert!(markdown.chars().count() <= 20_000, "{}", markdown.chars().count());
    for part in ["3000 chat", "decision: “one pass”", "question: “shall we release?”", "See “src/a.rs:1”."]
    {
        assert!(markdown.contains(part), "what was talked drives nothing out: {part} in {markdown}");
    }
    let status = his.ask("pair_status", json!({})).await;
    let (told, now) =
        (resumed["written_at"].as_str().expect("a time"), status["ledger"]["last_activity"].as_str().expect("a time"));
    assert_ne!(told[..10], now[..10], "a week lies between: {told}, {now}");
    assert!(status.to_string().chars().count() <= 12_000, "{status}");
    same_rail((&alice, &hers), (&bob, &his)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_takes_the_room_from_the_others_log() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = two_without_bounds(&lab).await;
    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    remembers(&his).await;
    alice.reads("three times").await;
    alice.ask(&["remove", "bob", "--reason", "his machine is gone"]).await;
    drop(his);
    bob.kill().await;

    let mut fresh = lab.person("fresh").await;
    unrated(&mut fresh);
    join(&alice, &fresh).await;
    verify(&alice, &fresh).await;
    until("he agrees again", async || (fresh.run(&["charter", "accept"]).await.code == 0).then_some(())).await;
    let his = fresh.agent_apart().await;
    let resumed = until("all of it is there", async || {
        let resumed = his.ask("pair_resume", json!({})).await;
        Some(resumed).filter(|resumed| resumed["markdown"].as_str().is_some_and(|page| page.contains("“one pass”")))
    })
    .await;
    assert_eq!(resumed["log_ok"], true, "{resumed}");
    let markdown = resumed["markdown"].as_str().expect("Markdown");
    for part in [
        "decision: “one pass”",
        "See “src/a.rs:1”.",
        "decision: “Retries”: “three times”. See “src/link.rs:12”.",
        "“no bounds”",
    ] {
        assert!(markdown.contains(part), "{part} in {markdown}");
    }
    let found = his.ask("pair_recall", json!({ "query": "retry" })).await;
    assert_eq!(found["entries"][0]["content"], "three times", "{found}");
    let handoff = his.ask("pair_handoff", json!({})).await;
    let path = std::path::PathBuf::from(handoff["path"].as_str().expect("a path"));
    assert_eq!(std::fs::read_to_string(path).expect("a file"), handoff["markdown"].as_str().expect("Markdown"));
    same_rail((&alice, &hers), (&fresh, &his)).await;
}

/// Decides something for both sides, and remembers something.
async fn remembers(his: &Agent) {
    his.ask("pair_claim", json!({})).await;
    let decision = json!({
        "kind": "decision", "text": "one pass", "rationale": "speed", "provenance": ["src/a.rs:1"]
    });
    his.ask("pair_send", decision).await;
    his.ask("pair_yield", json!({})).await;
    let entry = json!({
        "headline": "Retries", "content": "three times", "kind": "decision", "provenance": ["src/link.rs:12"]
    });
    his.ask("pair_remember", entry).await;
}
