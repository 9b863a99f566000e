//! Several agents of one person, and what a host sees of the server.

use serde_json::json;

use crate::agent::said;
use crate::lab::Lab;
use crate::patience::until;
use crate::person::no_human_here;
use crate::story::two;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_finds_its_tools() {
    let lab = Lab::new().await;
    let alice = lab.person("alice").await;
    crate::story::open(&alice).await;
    let agent = alice.agent().await;
    let tools = agent.client.list_all_tools().await.expect("a list");
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    names.sort_unstable();
    for name in [
        "pair_apply",
        "pair_charter",
        "pair_inbox",
        "pair_read",
        "pair_request_action",
        "pair_room",
        "pair_send",
        "pair_status",
        "pair_verify",
        "pair_wait",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for tool in &tools {
        assert!(tool.output_schema.is_some() && tool.annotations.is_some(), "{} is described", tool.name);
    }
    let status = agent.ask("pair_status", json!({})).await;
    assert_eq!(status["name"], "alice", "{status}");
    let resources = agent.client.list_all_resources().await.expect("a list");
    assert!(!resources.is_empty(), "the transcript is a resource");
    assert!(!agent.client.list_all_prompts().await.expect("a list").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_windows_in_one_folder_both_hear_everything() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let (first, second) = (alice.agent().await, alice.agent().await);
    let me = async |agent: &crate::agent::Agent| {
        agent.ask("pair_status", json!({})).await["me"]["session"].as_str().expect("a session").to_owned()
    };
    let (one, two) = (me(&first).await, me(&second).await);
    assert_ne!(one, two, "each window is a session of its own");

    let said_by_bob: Vec<String> = (0..20).map(|number| format!("message {number}")).collect();
    for text in &said_by_bob {
        bob.ask(&["send", text]).await;
    }
    for window in [&first, &second] {
        let heard = window.hears("message 19").await;
        let texts: Vec<&str> = heard.iter().filter_map(said).collect();
        assert_eq!(texts, said_by_bob, "everything, once, in order");
        let rest = window.ask("pair_inbox", json!({})).await;
        assert!(!rest["items"].as_array().expect("items").iter().any(|item| said(item).is_some()), "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_addressed_to_one_session_disturbs_no_other() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let (first, second) = (alice.agent_in_session("window-1").await, alice.agent_in_session("window-2").await);
    let session = first.ask("pair_status", json!({})).await["me"]["session"].clone();
    second.ask("pair_status", json!({})).await;
    bob.agent().await.ask("pair_send", json!({ "kind": "chat", "text": "for one", "to": session })).await;
    bob.ask(&["send", "for all"]).await;
    let heard =
        |items: Vec<serde_json::Value>| -> Vec<String> { items.iter().filter_map(said).map(str::to_owned).collect() };
    assert_eq!(heard(first.hears("for all").await), ["for one", "for all"]);
    assert_eq!(heard(second.hears("for all").await), ["for all"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_starts_with_what_nobody_was_shown() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let first = alice.agent_in_session("yesterday").await;
    bob.ask(&["send", "seen"]).await;
    first.hears("seen").await;
    // It counts as shown once the host has it, and only then.
    until("bob is told that it was shown", async || {
        let said = bob.reads("seen").await;
        said["delivery"].as_object()?.values().all(|state| state == "shown").then_some(())
    })
    .await;
    drop(first);
    bob.ask(&["send", "unseen"]).await;
    alice.reads("unseen").await;
    let second = alice.agent_in_session("today").await;
    let texts: Vec<String> = second.hears("unseen").await.iter().filter_map(said).map(str::to_owned).collect();
    assert!(!texts.contains(&"seen".to_owned()), "{texts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_for_a_wait_that_was_given_up_waits_for_the_next_session() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let first = alice.agent_in_session("closed").await;
    first.gives_up("pair_wait", json!({ "timeout_s": 600 })).await;
    // Answered after the server has heard that it was given up.
    first.ask("pair_status", json!({})).await;
    bob.ask(&["send", "is anybody there?"]).await;
    alice.reads("is anybody there?").await;
    drop(first);
    let second = alice.agent_in_session("opened").await;
    second.hears("is anybody there?").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_outlives_its_companion() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let hers = alice.agent().await;
    hers.ask("pair_send", json!({ "kind": "chat", "text": "before" })).await;
    alice.kill().await;
    hers.ask("pair_send", json!({ "kind": "chat", "text": "after" })).await;
    bob.reads("after").await;
    assert_eq!(bob.texts("chat").await, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_inside_an_agent_host_is_the_agents() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (mut alice, bob) = two(&lab).await;
    alice.ask(&["send", "by hand"]).await;
    alice.environment.push(("CLAUDECODE".to_owned(), "1".to_owned()));
    alice.ask(&["send", "by an agent's shell"]).await;
    assert_eq!(bob.reads("by hand").await["origin"], "human");
    assert_eq!(bob.reads("by an agent's shell").await["origin"], "agent");
    for act in [&["remove", "bob"][..], &["leave"]] {
        alice.run(act).await.failure(3);
    }
}
