//! Comparing words: two people can, an agent alone cannot.

use serde_json::json;

use crate::lab::Lab;
use crate::story::{two, verify, words};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_compare_words() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let first = words(&alice, &bob).await;
    assert_eq!(first, words(&alice, &bob).await, "the same words until they are entered");
    verify(&alice, &bob).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        crate::patience::until("both see it", async || {
            one.sees(other).await.filter(|member| member["verified"] == true)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_words_end_the_exchange() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let before = words(&alice, &bob).await;
    let refused = alice.run(&["verify", "bob", "--heard", "abandon abandon abandon"]).await.failure(3);
    assert_eq!(refused["rule"], "wrong_words", "{refused}");
    assert_eq!(alice.sees(&bob).await.expect("a member")["verified"], false);
    assert_ne!(words(&alice, &bob).await, before, "a wrong entry ends the exchange");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_verifies_who_is_away() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    bob.down().await;
    crate::patience::until("alice sees him gone", async || {
        alice.sees(&bob).await.filter(|member| member["online"] == false)
    })
    .await;
    alice.run(&["verify", "bob"]).await.failure(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_cannot_verify_a_peer_by_itself() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let hers = alice.agent().await;
    let (own, expected) = (words(&alice, &bob).await, words(&bob, &alice).await);

    // Whatever it asks, the half to be heard is in no answer.
    let shown = [
        hers.call("pair_verify", json!({ "member": "bob" })).await.expect("an answer"),
        hers.call("pair_status", json!({})).await.expect("an answer"),
        hers.call("pair_inbox", json!({})).await.expect("an answer"),
        hers.call("pair_read", json!({ "limit": 100 })).await.expect("an answer"),
    ];
    let everything = serde_json::to_string(&shown).expect("answers are JSON");
    assert!(everything.contains(own.split(' ').next().expect("a word")), "its own half is shown");
    let leaked = expected.split(' ').all(|word| everything.contains(word));
    assert!(!leaked, "the expected half {expected:?} is in {everything}");
    assert!(!alice.log().contains(&expected) && !alice.log().contains(&own), "no words in the log");

    // Nor may its own half travel over the channel to the other agent.
    let refusal = hers.refusal("pair_send", json!({ "kind": "chat", "text": format!("My words are {own}.") })).await;
    assert_eq!(refusal["rule"], "own_words", "{refusal}");
    // And a guess is a wrong entry.
    hers.refusal("pair_verify", json!({ "member": "bob", "heard": own })).await;
    assert_eq!(alice.sees(&bob).await.expect("a member")["verified"], false);
}
