//! What people and agents say arrives once, is answered, and is never larger than it may be.

use serde_json::json;

use crate::agent::said;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::inside_an_agent_host;
use crate::story::{agree, two};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_wakes_the_other_agent_and_is_answered() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let (hers, his) = (alice.agent().await, bob.agent().await);

    let listening = his.hears("Which port does the parser listen on?");
    let asking = hers.ask("pair_send", json!({ "kind": "question", "text": "Which port does the parser listen on?" }));
    let (heard, asked) = tokio::join!(listening, asking);
    let question = asked["event"].as_str().expect("an event");
    assert!(heard.iter().any(|item| item["id"] == question || item["entry"]["event"] == question), "{heard:?}");

    let answered = his.ask("pair_send", json!({ "kind": "answer", "text": "4011.", "answers": question })).await;
    let heard = hers.hears("4011.").await;
    assert!(heard.iter().any(|item| item["entry"]["answers"] == question), "{heard:?}");
    let asked = hers.ask("pair_read", json!({ "event": question })).await;
    assert_eq!(asked["events"][0]["answered_by"], json!([answered["event"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_seen_to_arrive() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let (hers, his) = (alice.agent().await, bob.agent().await);
    let said = hers.ask("pair_send", json!({ "kind": "chat", "text": "hello" })).await;
    let him = bob.room().await["me"]["member"].as_str().expect("a member").to_owned();
    his.hears("hello").await;
    until("alice sees that bob was shown it", async || {
        let read = hers.ask("pair_read", json!({ "event": said["event"] })).await;
        (read["events"][0]["delivery"][&him] == "shown").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_talks() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let nothing = bob.run(&["wait", "--timeout", "1s"]).await;
    assert_eq!(nothing.code, 5, "{nothing:?}");

    let (heard, sent) = tokio::join!(bob.run(&["wait", "--timeout", "60s"]), alice.ask(&["send", "good morning"]));
    assert!(sent["event"].is_string(), "{sent}");
    let items = heard.done()["items"].clone();
    assert!(items.as_array().expect("items").iter().any(|item| said(item) == Some("good morning")), "{items}");

    let read = bob.reads("good morning").await;
    let by_hand = if inside_an_agent_host() { "agent" } else { "human" };
    assert_eq!((&read["event"], &read["name"], &read["origin"]), (&sent["event"], &json!("alice"), &json!(by_hand)));
    alice.ask(&["send", "look at this", "--kind", "status", "--headline", "a bug"]).await;
    let inbox = bob.reads("look at this").await;
    assert_eq!(inbox["headline"], "a bug");
    agree(&[&alice, &bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_field_is_refused_by_its_name() {
    let lab = Lab::new().await;
    let (alice, _bob) = two(&lab).await;
    let hers = alice.agent().await;
    let refusal = hers.refusal("pair_send", json!({ "kind": "decision", "text": "we take CBOR" })).await;
    assert!(refusal["message"].as_str().is_some_and(|message| message.contains("rationale")), "{refusal}");
    let refused = alice.run(&["send", "x", "--kind", "finding"]).await.failure(3);
    assert!(refused["message"].as_str().is_some_and(|message| message.contains("headline")), "{refused}");
    let told = alice.finish(alice.command(&["send", "x", "--kind", "finding"])).await;
    assert!(told.code == 3 && told.out.is_empty() && told.err.contains("headline"), "in prose: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_is_refused_before_it_is_signed() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let hers = alice.agent().await;
    let events = agree(&[&alice, &bob]).await.len();
    let text = "x".repeat(300 * 1024);
    let refusal = hers.refusal("pair_send", json!({ "kind": "chat", "text": text })).await;
    let message = refusal["message"].as_str().expect("a message");
    let numbers: Vec<usize> = message.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    assert!(numbers.iter().any(|size| *size >= text.len()), "says the size: {message}");
    assert!(numbers.contains(&(192 * 1024)) || numbers.contains(&(256 * 1024)), "says the limit: {message}");
    assert_eq!(agree(&[&alice, &bob]).await.len(), events, "nothing was signed");
    hers.ask("pair_send", json!({ "kind": "chat", "text": "y".repeat(150 * 1024) })).await;
    assert_eq!(agree(&[&alice, &bob]).await.len(), events + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_a_key_is_said_once() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let hers = alice.agent().await;
    let message = json!({ "kind": "chat", "text": "once", "key": "attempt-1" });
    let first = hers.ask("pair_send", message.clone()).await;
    alice.kill().await;
    let second = hers.ask("pair_send", message).await;
    assert_eq!(first["event"], second["event"]);
    bob.reads("once").await;
    agree(&[&alice, &bob]).await;
    assert_eq!(bob.texts("chat").await, ["once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_control_characters_do_not_reach_a_terminal() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let text = "red \u{1b}[31malert\u{1b}[0m \u{202e}gnp.exe";
    let sent = alice.ask(&["send", text]).await;
    until("bob has it", async || {
        let transcript = bob.transcript().await;
        transcript.iter().any(|entry| entry["event"] == sent["event"]).then_some(())
    })
    .await;
    let shown = bob.finish(bob.command(&["read"])).await;
    assert!(shown.out.contains("alert"), "{shown:?}");
    assert!(!shown.out.contains("\u{1b}[31m") && !shown.out.contains('\u{202e}'), "{shown:?}");
}
