//! Three days of two people's work, over MCP: both sides are shut down between them, one is killed, and
//! whoever comes back goes on where the room was left.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::agreement::{unbounded, unrated};
use crate::consent::settles;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::{Person, no_human_here};
use crate::rail::same_rail;
use crate::story::{join, open};

const PATCH: &str = "--- a/src/lexer.rs\n+++ b/src/lexer.rs\n@@ -1 +1 @@\n-old();\n+new();\n";

#[tokio::test(flavor = "multi_thread")]
async fn three_days_of_work_end_alike_on_both_sides() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (mut alice, mut bob) = (lab.person("alice").await, lab.person("bob").await);
    unrated(&mut alice);
    unrated(&mut bob);
    open(&alice).await;
    join(&alice, &bob).await;
    unbounded(&alice, &bob).await;

    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    let kept = the_first_day(&hers, &his).await;
    let first = same_rail((&alice, &hers), (&bob, &his)).await;
    assert_eq!(first["ledger"]["counts"]["open_questions"], 1, "{first}");
    for agent in [hers, his] {
        agent.ask("pair_handoff", json!({})).await;
    }
    for person in [&alice, &bob] {
        person.down().await;
        person.up().await;
    }
    alice.meets(&bob).await;

    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    let better = the_second_day((&alice, &hers), (&bob, &his), &kept).await;
    let second = same_rail((&alice, &hers), (&bob, &his)).await;
    assert_eq!(second["ledger"]["requests"]["done"], 1, "{second}");
    assert_eq!(second["git"]["commits"].as_array().map(Vec::len), Some(1), "{second}");
    his.ask("pair_handoff", json!({})).await;
    drop((hers, his));
    bob.kill().await;
    alice.down().await;

    alice.up().await;
    let hers = alice.agent_apart().await;
    alone(&hers).await;
    bob.up().await;
    bob.meets(&alice).await;
    let his = bob.agent_apart().await;
    the_third_day(&hers, &his, (&kept, &better)).await;
    let third = same_rail((&alice, &hers), (&bob, &his)).await;
    let report = third["report"].as_str().expect("a report");
    let task = "“bob” asked “alice”: “accept commas”. Done: “1 file”.";
    for part in ["“one lexer for all”", "1 done", task, "- Open: “what of the formatter?”"] {
        assert!(report.contains(part), "{part} in {report}");
    }
}

/// They ask, answer, decide, remember and say where they work. Gives an entry of the brain.
async fn the_first_day(hers: &Agent, his: &Agent) -> Value {
    let asked =
        his.ask("pair_send", json!({ "kind": "question", "text": "which lexer do we keep?" })).await["event"].clone();
    hers.finds("the question", |item| item["id"] == asked).await;
    hers.ask("pair_send", json!({ "kind": "answer", "answers": asked, "text": "yours" })).await;
    hers.ask("pair_send", json!({ "kind": "question", "text": "who writes the docs?" })).await;
    has_the_floor(hers).await;
    let decision = json!({
        "kind": "decision", "text": "one lexer for all", "rationale": "it is faster", "provenance": ["src/lexer.rs:1-40"]
    });
    hers.ask("pair_send", decision).await;
    let entry = json!({
        "headline": "Retries", "content": "three times", "kind": "decision", "provenance": ["src/link.rs:12"]
    });
    let kept = hers.ask("pair_remember", entry).await["event"].clone();
    works_on(hers, "lexer", "a1b2c3d").await;
    works_on(his, "docs", "a1b2c3d").await;
    hers.ask("pair_git", json!({ "op": "claim", "paths": ["src/lexer/**"], "note": "commas" })).await;
    let summary =
        json!({ "text": "the lexer is chosen, commas are next", "open_questions": ["what of the formatter?"] });
    hers.ask("pair_summarize", summary).await;
    hers.ask("pair_yield", json!({})).await;
    kept
}

/// Both take the work up again; a patch passes both gates, and what was remembered is replaced. Gives
/// what stands in its place.
async fn the_second_day((alice, hers): (&Person, &Agent), (_, his): (&Person, &Agent), kept: &Value) -> Value {
    for agent in [hers, his] {
        let resumed = resumes(agent).await;
        for part in [
            "Everything that it rests on is in the log here.",
            "“one lexer for all”. Why: “it is faster”. See “src/lexer.rs:1-40”.",
            "decision: “Retries”: “three times”. See “src/link.rs:12”.",
            "“who writes the docs?”",
            "commas are next",
            "- Open: “what of the formatter?”",
            "“alice” is on “lexer” at “a1b2c3d”",
        ] {
            assert!(resumed.contains(part), "{part} in {resumed}");
        }
    }
    has_the_floor(his).await;
    let asked =
        json!({ "action": "apply_patch", "risk": "low", "summary": "accept commas", "payload": PATCH, "to": "alice" });
    let request = his.ask("pair_request_action", asked).await["request"].as_str().expect("an id").to_owned();
    hers.finds("the request", |item| item["kind"] == "permission" && item["id"] == request.as_str()).await;
    let read = hers.ask("pair_read", json!({ "event": request })).await;
    let judged = &read["request"];
    assert_eq!((&judged["paths"], &judged["claimed_risk"]), (&json!(["src/lexer.rs"]), &json!("low")), "{read}");
    assert_eq!((&judged["risk"], &read["events"][0]["fields"]["payload"]), (&json!("medium"), &json!(PATCH)), "{read}");
    assert_eq!(hers.rule("pair_apply", json!({ "request": request })).await, "not_approved");
    let shown = alice.ask(&["requests", &request]).await;
    alice.ask(&["approve", &request, "--hash", shown["request"]["hash"].as_str().expect("a hash")]).await;
    hers.finds("the task", |item| item["kind"] == "task" && item["id"] == request.as_str()).await;
    assert_eq!(hers.ask("pair_apply", json!({ "request": request })).await["payload"], PATCH);
    hers.ask("pair_complete_action", json!({ "request": request, "ok": true, "detail": "1 file" })).await;
    settles(alice, &request, "done").await;
    his.finds("the result", |item| item["entry"]["kind"] == "completed").await;
    let commit =
        json!({ "op": "commit", "sha": "d4e5f60718", "message": "Say what a comma is", "paths": ["docs/commas.md"] });
    his.ask("pair_git", commit).await;
    let entry = json!({ "headline": "Retries", "content": "five times", "kind": "decision", "supersedes": kept });
    let better = his.ask("pair_remember", entry).await["event"].clone();
    his.ask("pair_yield", json!({})).await;
    until("there is something to pull", async || {
        let git = hers.ask("pair_git", json!({ "op": "status" })).await;
        (git["git"]["pull"]["text"] == "pull: 1 new commit touches docs").then_some(())
    })
    .await;
    better
}

/// Bob's companion and host are dead.
async fn alone(hers: &Agent) {
    let resumed = resumes(hers).await;
    assert!(resumed.contains("“accept commas”"), "{resumed}");
    works_on(hers, "lexer", "d4e5f60718").await;
    hers.ask("pair_git", json!({ "op": "claim", "paths": ["src/parser/**"], "note": "the loop" })).await;
    has_the_floor(hers).await;
    let finding = json!({
        "kind": "context", "headline": "the parser loops on an empty list", "text": "since commas are accepted",
        "claim": "fact", "provenance": ["src/parser/list.rs:88"]
    });
    hers.ask("pair_send", finding).await;
    hers.ask("pair_yield", json!({})).await;
}

/// Bob is back, learns what he missed, and keeps off what is claimed.
async fn the_third_day(hers: &Agent, his: &Agent, (kept, better): (&Value, &Value)) {
    let resumed = until("bob has what he missed", async || {
        Some(resumes(his).await).filter(|resumed| resumed.contains("the parser loops on an empty list"))
    })
    .await;
    for part in [
        "Everything that it rests on is in the log here.",
        "context (fact): “the parser loops on an empty list”. See “src/parser/list.rs:88”.",
    ] {
        assert!(resumed.contains(part), "{part} in {resumed}");
    }
    let claim = json!({ "op": "claim", "paths": ["src/parser/list.rs"] });
    let refusal = his.refusal("pair_git", claim).await;
    assert!(refusal["message"].as_str().is_some_and(|text| text.contains("alice")), "{refusal}");
    let git = his.ask("pair_git", json!({ "op": "status" })).await["git"].clone();
    let claim =
        git["claims"].as_array().expect("claims").iter().find(|claim| claim["paths"] == json!(["src/parser/**"]));
    assert_eq!(claim.map(|claim| &claim["note"]), Some(&json!("the loop")), "{git}");
    let back = his.ask("pair_restore", json!({ "entry": kept })).await["event"].clone();
    let recalled = until("alice recalls what is back", async || {
        let found = hers.ask("pair_recall", json!({ "query": "retries" })).await["entries"][0].clone();
        (found["event"] == back).then_some(found)
    })
    .await;
    assert_eq!((&recalled["content"], &recalled["supersedes"]), (&json!("three times"), better));
    hers.ask("pair_git", json!({ "op": "release" })).await;
    let asked = his.finds("the question", |item| item["kind"] == "question").await["id"].clone();
    his.ask("pair_send", json!({ "kind": "answer", "answers": asked, "text": "I do" })).await;
    hers.finds("the answer", |item| item["entry"]["text"] == "I do").await;
}

async fn resumes(agent: &Agent) -> String {
    let resumed = agent.ask("pair_resume", json!({})).await;
    assert_eq!(resumed["log_ok"], true, "{resumed}");
    resumed["markdown"].as_str().expect("Markdown").to_owned()
}

async fn works_on(agent: &Agent, branch: &str, base: &str) {
    agent.ask("pair_git", json!({ "op": "setup", "repo": "parser.git", "branch": branch, "base_commit": base })).await;
}

async fn has_the_floor(agent: &Agent) {
    until("the floor is free", async || (agent.ask("pair_claim", json!({})).await["yours"] == true).then_some(()))
        .await;
}
