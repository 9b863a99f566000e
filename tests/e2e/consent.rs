//! Charter, floor, hops and the two gates: two agents go from an open room to a patch that was applied,
//! and are stopped before each gate.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::{Person, no_human_here};
use crate::story::{join, open, verify};

/// Line ends and tabs of both sorts: what is applied is what was shown, to the byte.
const PATCH: &str = "--- a/src/lexer.rs\r\n+++ b/src/lexer.rs\n@@ -1,1 +1,1 @@\n-\told();\r\n+\tnew(\"\u{fc}\");\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_go_from_init_to_an_applied_patch() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = unhurried(&lab).await;
    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    assert_eq!(hers.rule("pair_send", finding("early")).await, "unverified");
    assert_eq!(hers.rule("pair_claim", json!({})).await, "unverified");
    compare_words(&hers, &his).await;
    assert_eq!(hers.rule("pair_send", finding("still early")).await, "no_charter");

    agree_on_a_charter(&hers, &his).await;
    assert_eq!(hers.rule("pair_request_action", patch()).await, "no_floor");
    let floor = hers.ask("pair_claim", json!({ "reason": "a patch" })).await;
    assert_eq!(floor["yours"], true, "{floor}");
    hers.ask("pair_send", finding("the lexer drops commas")).await;

    let request = hers.ask("pair_request_action", patch()).await["request"].as_str().expect("an id").to_owned();
    let asked = his.finds("the request", |item| item["kind"] == "permission" && item["id"] == request.as_str()).await;
    assert_eq!(asked["trust"], "peer", "{asked}");
    nobody_but_bobs_human_decides(&hers, &his, &request).await;

    let shown = bob.ask(&["requests", &request]).await;
    assert_eq!(shown["payload"], PATCH, "{shown}");
    let hash = shown["request"]["hash"].as_str().expect("a hash");
    let approved = bob.ask(&["approve", &request, "--hash", hash]).await;
    assert_eq!((&approved["id"], &approved["decision"]), (&json!(request), &json!("approve")), "{approved}");

    his.finds("the task", |item| item["kind"] == "task" && item["id"] == request.as_str()).await;
    let task = his.ask("pair_apply", json!({ "request": request })).await;
    assert_eq!(task["payload"], PATCH, "byte for byte");
    assert_eq!(his.rule("pair_apply", json!({ "request": request })).await, "handed_before");
    let report = json!({ "request": request, "ok": true, "detail": "applied cleanly, 1 file" });
    his.ask("pair_complete_action", report.clone()).await;
    assert_eq!(his.rule("pair_complete_action", report).await, "completed_before");

    let result = hers.finds("the result", |item| item["entry"]["kind"] == "completed").await;
    assert_eq!(result["id"], request.as_str(), "{result}");
    assert!(result["entry"]["text"].as_str().expect("a text").contains("applied cleanly, 1 file"), "{result}");
    for person in [&alice, &bob] {
        settles(person, &request, "done").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_denied_is_told_and_not_asked_again() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = unhurried(&lab).await;
    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    verify(&alice, &bob).await;
    agree_on_a_charter(&hers, &his).await;
    hers.ask("pair_claim", json!({})).await;
    let request = hers.ask("pair_request_action", patch()).await["request"].as_str().expect("an id").to_owned();
    his.finds("the request", |item| item["id"] == request.as_str()).await;
    bob.ask(&["deny", &request, "--reason", "not on this branch"]).await;
    let denied = hers.finds("the denial", |item| item["entry"]["kind"] == "denied").await;
    assert!(denied["entry"]["text"].as_str().expect("a text").contains("not on this branch"), "{denied}");
    let mut again = patch();
    again["summary"] = json!("please, only commas");
    assert_eq!(hers.rule("pair_request_action", again).await, "denied_before", "other words make no other patch");
    assert_eq!(his.rule("pair_apply", json!({ "request": request })).await, "not_approved");
    bob.run(&["approve", &request]).await.failure(3);
    settles(&alice, &request, "denied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_stop_after_so_many_hops_until_a_human_does_something() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = unhurried(&lab).await;
    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    for (number, agent) in [(1, &hers), (2, &his), (3, &hers)] {
        agent.ask("pair_send", chat(&format!("hop {number}"))).await;
        until("both sides counted it", async || {
            let counted = [hops(&hers).await, hops(&his).await];
            (counted == [number, number]).then_some(())
        })
        .await;
    }
    assert_eq!(his.rule("pair_send", chat("hop 4")).await, "hops_spent");
    bob.run_as_agent(&["send", "hop 4"]).await.failure(3);
    bob.ask(&["send", "go on"]).await;
    his.ask("pair_send", chat("hop 1 again")).await;
    alice.reads("hop 1 again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_hook_that_the_host_runs_speaks_for_its_human() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = unhurried(&lab).await;
    // This process is the host: what it runs itself is a hook, what bears the mark is its agent's.
    let his = bob.agent_in_session("marked").await;
    for number in 1..=3 {
        his.ask("pair_send", chat(&format!("hop {number}"))).await;
    }
    let ran = bob.run_as_agent(&["hook", "prompt"]).await;
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "", ""),
        "a hook says nothing, whatever comes of it"
    );
    assert_eq!(his.rule("pair_send", chat("hop 4")).await, "hops_spent");
    let ran = bob.run(&["hook", "prompt"]).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    his.ask("pair_send", chat("on behalf of a prompt")).await;
    alice.reads("on behalf of a prompt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charter_that_widens_takes_humans_and_then_lets_little_things_through() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = unhurried(&lab).await;
    let (hers, his) = (alice.agent_apart().await, bob.agent_apart().await);
    verify(&alice, &bob).await;
    std::fs::write(
        alice.dir.join("charter.toml"),
        "title = \"Parser\"\npurpose = \"Commas\"\nauto_approve = \"low\"\n",
    )
    .expect("a charter");
    let proposed = alice.ask(&["charter", "propose", "charter.toml"]).await;
    assert_eq!(proposed["state"], "proposed", "{proposed}");
    his.finds("the charter", |item| item["kind"] == "charter").await;
    assert_eq!(his.rule("pair_charter", json!({ "op": "accept" })).await, "humans_only");
    let agreed = bob.ask(&["charter", "accept", "--hash", proposed["hash"].as_str().expect("a hash")]).await;
    assert_eq!((&agreed["state"], &agreed["hash"]), (&json!("agreed"), &proposed["hash"]), "{agreed}");
    is_agreed(&hers).await;

    hers.ask("pair_claim", json!({})).await;
    let low = json!({ "action": "fetch_url", "risk": "low", "summary": "the RFC", "payload": "https://www.rfc-editor.org/rfc/rfc8949" });
    let low = hers.ask("pair_request_action", low).await["request"].clone();
    settles(&bob, low.as_str().expect("an id"), "approved").await;
    let high = json!({ "action": "run_command", "risk": "low", "summary": "look around", "payload": "ls" });
    let high = hers.ask("pair_request_action", high).await["request"].clone();
    his.finds("the other request", |item| item["kind"] == "permission" && item["id"] == high).await;
    let decision = json!({ "request": high, "decision": "approve" });
    assert_eq!(his.rule("pair_respond_permission", decision).await, "humans_only");
}

/// Two people whose agents may push as fast as a test does.
pub async fn unhurried(lab: &Lab) -> (Person, Person) {
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    for person in [&alice, &bob] {
        person.ask(&["config", "set", "limits.push_interval", "0"]).await;
    }
    open(&alice).await;
    join(&alice, &bob).await;
    (alice, bob)
}

/// Alice's agent proposes a charter that widens nothing, Bob's accepts it.
pub async fn agree_on_a_charter(hers: &Agent, his: &Agent) {
    let charter = json!({
        "op": "propose", "title": "Parser", "purpose": "Accept trailing commas", "scope": ["the lexer"], "must_nots": ["No releases"]
    });
    let proposed = hers.ask("pair_charter", charter).await;
    assert_eq!(proposed["state"], "proposed", "{proposed}");
    let asked = his.finds("the charter", |item| item["kind"] == "charter").await;
    assert!(asked["headline"].as_str().is_some_and(|headline| headline.contains("Parser")), "{asked}");
    let agreed = his.ask("pair_charter", json!({ "op": "accept", "hash": proposed["hash"] })).await;
    assert_eq!(agreed["state"], "agreed", "{agreed}");
    is_agreed(hers).await;
}

async fn is_agreed(agent: &Agent) {
    until("the charter is agreed on the other side, too", async || {
        (agent.ask("pair_charter", json!({ "op": "read" })).await["state"] == "agreed").then_some(())
    })
    .await;
}

/// The agents pass on what their humans say to each other on the phone.
async fn compare_words(hers: &Agent, his: &Agent) {
    let words = async |agent: &Agent, member: &str| {
        until("words to read out", async || {
            let shown = agent.ask("pair_verify", json!({ "member": member })).await;
            let say: Vec<&str> = shown["say"].as_array()?.iter().filter_map(Value::as_str).collect();
            (say.len() == 3).then(|| say.join(" "))
        })
        .await
    };
    let (from_alice, from_bob) = (words(hers, "bob").await, words(his, "alice").await);
    hers.ask("pair_verify", json!({ "member": "bob", "heard": from_bob })).await;
    his.ask("pair_verify", json!({ "member": "alice", "heard": from_alice })).await;
    for agent in [hers, his] {
        until("both are verified", async || {
            (agent.ask("pair_charter", json!({ "op": "read" })).await["verified"] == true).then_some(())
        })
        .await;
    }
}

async fn nobody_but_bobs_human_decides(hers: &Agent, his: &Agent, request: &str) {
    let decide = |decision: &str| json!({ "request": request, "decision": decision });
    assert_eq!(his.rule("pair_apply", json!({ "request": request })).await, "not_approved");
    assert_eq!(his.rule("pair_complete_action", json!({ "request": request, "ok": true })).await, "not_handed");
    assert_eq!(his.rule("pair_respond_permission", decide("approve")).await, "humans_only");
    for decision in ["approve", "deny"] {
        assert_eq!(hers.rule("pair_respond_permission", decide(decision)).await, "not_for_you");
    }
    for (tool, arguments) in [
        ("pair_apply", json!({ "request": request })),
        ("pair_complete_action", json!({ "request": request, "ok": true })),
    ] {
        assert_eq!(hers.rule(tool, arguments).await, "not_for_you", "{tool}");
    }
}

/// Waits until a request stands so for this person.
pub async fn settles(person: &Person, request: &str, state: &str) {
    until(&format!("{} sees {request} {state}", person.name), async || {
        let shown = person.ask(&["requests", request]).await;
        (shown["request"]["state"] == state).then_some(())
    })
    .await;
}

/// Messages of agents since a human did something, as this agent sees it.
pub async fn hops(agent: &Agent) -> u64 {
    let status = agent.ask("pair_status", json!({})).await;
    status["rooms"][0]["floor"]["hops"].as_u64().expect("a number")
}

pub fn chat(text: &str) -> Value {
    json!({ "kind": "chat", "text": text })
}

fn finding(text: &str) -> Value {
    json!({ "kind": "finding", "headline": text, "text": text })
}

fn patch() -> Value {
    json!({ "action": "apply_patch", "risk": "low", "summary": "accept commas", "payload": PATCH, "to": "bob" })
}
