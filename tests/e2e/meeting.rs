//! Two people on one wifi find each other.

use serde_json::Value;

use crate::lab::Lab;
use crate::story::{agree, join, open, two};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_meet_by_mdns_alone() {
    let lab = Lab::new().await;
    let seen = meet_by_mdns(&lab, "/ip4/0.0.0.0/udp/4501/quic-v1,/ip4/0.0.0.0/tcp/4501").await;
    assert_eq!(seen["path"], "lan", "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_meet_by_mdns_where_there_is_no_ipv4() {
    let lab = Lab::of_ipv6().await;
    let seen = meet_by_mdns(&lab, "/ip6/::/udp/4501/quic-v1,/ip6/::/tcp/4501").await;
    assert!(seen["address"].as_str().is_some_and(|address| address.starts_with("/ip6/")), "{seen}");
}

/// How alice sees bob in the end. `elsewhere` is where she listens when the invite is used.
async fn meet_by_mdns(lab: &Lab, elsewhere: &str) -> Value {
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let invite = open(&alice).await;
    let before = listening(&alice).await;
    // Nothing answers at the invite's addresses any more.
    alice.ask(&["config", "set", "network.listen", elsewhere]).await;
    alice.down().await;
    alice.up().await;
    let after = listening(&alice).await;
    assert!(!before.is_empty() && before.iter().all(|address| !after.contains(address)), "{before:?} {after:?}");

    let joined = bob.ask(&["join", &invite, "--name", "bob", "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
    let seen = alice.meets(&bob).await;
    bob.meets(&alice).await;
    agree(&[&alice, &bob]).await;
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_meet_by_addresses_alone() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    for person in [&alice, &bob] {
        person.ask(&["config", "set", "network.mdns", "false"]).await;
    }
    open(&alice).await;
    join(&alice, &bob).await;
    for person in [&alice, &bob] {
        assert_eq!(person.ask(&["status"]).await["network"]["mdns"], false);
    }
    agree(&[&alice, &bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_reach_the_inviter_is_dialled_by_its_answer() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    for person in [&alice, &bob] {
        person.ask(&["config", "set", "network.mdns", "false"]).await;
    }
    let invite = open(&alice).await;
    // Nothing answers at the invite's addresses any more.
    alice.ask(&["config", "set", "network.listen", "/ip4/0.0.0.0/udp/4501/quic-v1"]).await;
    alice.down().await;
    alice.up().await;
    let waiting = bob.ask(&["join", &invite, "--name", "bob", "--no-wire"]).await;
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    let line = waiting["answer"].as_str().expect("a line to send back");
    assert!(!line.contains(invite.as_str()));

    alice.run(&["answer", &line[..line.len() - 5]]).await.failure(2);
    alice.run(&["answer", &invite]).await.failure(2);
    bob.run(&["answer", line]).await.failure(3);
    let answered = alice.ask(&["answer", line]).await;
    assert_eq!((&answered["member"], &answered["waiting"]), (&waiting["member"], &false.into()), "{answered}");
    bob.meets(&alice).await;
    agree(&[&alice, &bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_too_early_waits_and_is_let_in() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let invite = open(&alice).await;
    alice.down().await;
    let joined = bob.ask(&["join", &invite, "--name", "bob", "--no-wire"]).await;
    assert_eq!(joined["state"], "waiting", "{joined}");
    assert_eq!(bob.ask(&["rooms"]).await["rooms"][0]["state"], "waiting");
    // Waiting outlives the companion.
    bob.kill().await;
    bob.up().await;
    alice.up().await;
    alice.meets(&bob).await;
    bob.meets(&alice).await;
    agree(&[&alice, &bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn init_and_join_never_overwrite_a_room() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let room = alice.room().await["room"].clone();
    let again = alice.ask(&["init", "--name", "somebody", "--title", "another", "--no-wire"]).await;
    assert_eq!(again["room"], room);
    assert_eq!(again["title"], "lab");
    assert_eq!(alice.ask(&["rooms"]).await["rooms"].as_array().expect("rooms").len(), 1);

    // An invite to another room does not replace the room of a folder either.
    let carol = lab.person("carol").await;
    let other = open(&carol).await;
    let refused = bob.run(&["join", &other, "--no-wire"]).await;
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(bob.room().await["room"], room);
    assert_eq!(bob.ask(&["rooms"]).await["rooms"].as_array().expect("rooms").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_its_story_to_the_end() {
    let lab = Lab::new().await;
    let alice = lab.person("alice").await;
    let told = alice.run(&["demo", "--no-open"]).await;
    assert_eq!(told.code, 0, "{told:?}");
    let last = told.lines().pop().expect("a last line");
    assert!(last["dashboards"].is_array(), "{last}");
}

/// Where a companion listens: address and port.
async fn listening(person: &crate::person::Person) -> Vec<String> {
    let status = person.ask(&["status"]).await;
    let listed = status["network"]["listening"].as_array().expect("addresses");
    listed.iter().map(|address| address.as_str().expect("a text").to_owned()).collect()
}
