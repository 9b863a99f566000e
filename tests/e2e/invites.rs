//! Invites that let nobody in, each with its own word for it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::story::{invite, join, open};

#[tokio::test(flavor = "multi_thread")]
async fn every_dead_invite_says_why() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let carol = lab.person("carol").await;
    let used_up = open(&alice).await;
    bob.ask(&["join", &used_up, "--name", "bob", "--no-wire"]).await;
    alice.meets(&bob).await;

    let refusals = [
        refused(&carol, &damaged(&used_up)).await,
        refused(&carol, "not-an-invite").await,
        refused(&carol, &used_up).await,
        refused(&carol, &expired(&alice).await).await,
        refused(&carol, &revoked(&alice).await).await,
    ];
    let rules: BTreeSet<&str> = refusals.iter().filter_map(|refusal| refusal["rule"].as_str()).collect();
    assert_eq!(rules.len(), refusals.len(), "each has a rule of its own: {refusals:?}");
    let messages: BTreeSet<&str> = refusals.iter().filter_map(|refusal| refusal["message"].as_str()).collect();
    assert_eq!(messages.len(), refusals.len(), "each has a message of its own: {refusals:?}");
    assert!(alice.sees(&carol).await.is_none());
    assert_eq!(carol.ask(&["rooms"]).await["rooms"].as_array().expect("rooms").len(), 0, "nothing is left behind");

    // None of it did any harm.
    join(&alice, &carol).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_survives_what_messengers_do_to_it() {
    let lab = Lab::new().await;
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    let invite = open(&alice).await;
    let (head, tail) = invite.split_at(invite.len() / 2);
    let joined = bob.ask(&["join", &format!("  \"{head}\n{tail}\" "), "--name", "bob", "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_in_as_many_as_it_says() {
    let lab = Lab::new().await;
    let alice = lab.person("alice").await;
    open(&alice).await;
    let made = alice.ask(&["invite", "--uses", "2"]).await;
    let invite = made["invite"].as_str().expect("an invite");
    for name in ["bob", "carol"] {
        let newcomer = lab.person(name).await;
        let joined = newcomer.ask(&["join", invite, "--name", name, "--no-wire"]).await;
        assert_eq!(joined["state"], "admitted", "{joined}");
    }
    refused(&lab.person("dave").await, invite).await;
    let listed = alice.ask(&["invite", "list"]).await;
    let ours = listed["invites"].as_array().expect("invites").iter().find(|listed| listed["id"] == made["id"]);
    assert_eq!(ours.expect("it is listed")["state"], "used_up");
}

/// What `join` says of an invite that lets nobody in.
async fn refused(newcomer: &Person, invite: &str) -> Value {
    let ran = newcomer.run(&["join", invite, "--name", &newcomer.name, "--no-wire"]).await;
    assert_ne!(ran.code, 0, "{ran:?}");
    ran.failure(ran.code)
}

/// One letter in the middle is another.
fn damaged(invite: &str) -> String {
    let middle = invite.len() / 2;
    let other = if &invite[middle..=middle] == "a" { "b" } else { "a" };
    format!("{}{other}{}", &invite[..middle], &invite[middle + 1..])
}

async fn expired(by: &Person) -> String {
    let made = by.ask(&["invite", "--expires", "1s"]).await;
    until("it has expired", async || {
        let listed = by.ask(&["invite", "list"]).await;
        let ours = listed["invites"].as_array()?.iter().find(|listed| listed["id"] == made["id"])?;
        (ours["state"] == "expired").then_some(())
    })
    .await;
    made["invite"].as_str().expect("an invite").to_owned()
}

async fn revoked(by: &Person) -> String {
    let text = invite(by).await;
    let listed = by.ask(&["invite", "list"]).await;
    let open = listed["invites"].as_array().expect("invites").iter().find(|listed| listed["state"] == "open");
    let id = open.expect("an open invite")["id"].as_str().expect("an id");
    by.ask(&["invite", "revoke", id]).await;
    text
}
