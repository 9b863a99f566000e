//! A room with a relay, as the people in it see it.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;
use crate::story::join;

/// Where relays serve their figures, each on its own machine.
pub const METRICS: &str = "127.0.0.1:4012";

#[tokio::test(flavor = "multi_thread")]
async fn members_are_at_the_relay_of_their_room_and_say_so_when_it_is_gone() {
    let lab = Lab::new().await;
    let (alice, bob, host) = (lab.person("alice").await, lab.person("bob").await, lab.person("host").await);
    let (mut relay, address) = relay_on(&host).await;
    alice.ask(&["init", "--name", "alice", "--title", "lab", "--no-wire", "--relay", &address]).await;
    reserved(&alice, &address).await;
    // By the invite, or by the room.
    join(&alice, &bob).await;
    reserved(&bob, &address).await;
    let listed = bob.ask(&["relay", "list"]).await;
    assert_eq!(
        (&listed["relays"][0]["address"], &listed["relays"][0]["reserved"]),
        (&address.clone().into(), &true.into())
    );
    assert_eq!(check(&bob, "relay").await["ok"], true);

    relay.kill().await.expect("the relay ends");
    until("bob's doctor says that the relay is gone", async || {
        let check = check(&bob, "relay").await;
        (check["ok"] == false && check["next"].as_str().is_some_and(|next| !next.is_empty())).then_some(())
    })
    .await;
    // Nobody needs it on one wifi.
    alice.meets(&bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_reads_what_waits_although_nobody_is_there() {
    let lab = Lab::new().await;
    let (alice, bob, host) = (lab.person("alice").await, lab.person("bob").await, lab.person("host").await);
    let (mut relay, address) = relay_on(&host).await;
    alice.ask(&["init", "--name", "alice", "--title", "lab", "--no-wire", "--relay", &address]).await;
    join(&alice, &bob).await;
    for person in [&alice, &bob] {
        until("both can get letters", async || (person.texts("letter_keys").await.len() == 2).then_some(())).await;
    }
    bob.down().await;
    alice.ask(&["send", "said while you were away"]).await;
    until("it waits at the relay", async || {
        let said = alice.reads("said while you were away").await;
        let delivery = said["delivery"].as_object()?;
        delivery.values().all(|state| state == "stored").then_some(())
    })
    .await;
    alice.down().await;

    bob.up().await;
    bob.reads("said while you were away").await;
    alice.up().await;
    alice.meets(&bob).await;
    relay.kill().await.expect("the relay ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_never_there_when_the_inviter_is_gets_in_by_letter() {
    let lab = Lab::new().await;
    let (alice, bob, host) = (lab.person("alice").await, lab.person("bob").await, lab.person("host").await);
    let (mut relay, address) = relay_on(&host).await;
    let opened = alice.ask(&["init", "--name", "alice", "--title", "lab", "--no-wire", "--relay", &address]).await;
    let invite = opened["invite"].as_str().expect("an invite");
    alice.ask(&["send", "said before bob"]).await;
    alice.down().await;

    let waiting = bob.ask(&["join", invite, "--name", "bob", "--no-wire"]).await;
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    assert!(waiting["knock_left_at"].is_string(), "{waiting}");
    let room = bob.room().await;
    assert_eq!((&room["state"], room["knock_left_at"].is_string()), (&"waiting".into(), true), "{room}");
    let told = check(&bob, "inviter").await;
    assert!(told["ok"] == true && told["detail"].as_str().is_some_and(|told| told.contains("at a relay")), "{told}");
    bob.down().await;

    alice.up().await;
    until("alice has let bob in and left him the room", async || {
        let room = alice.room().await;
        let letters = check(&alice, "letters").await;
        let left = letters["detail"].as_str().is_some_and(|told| told.contains("1 left"));
        (room["members"].as_array()?.len() == 2 && left).then_some(())
    })
    .await;
    alice.down().await;

    bob.up().await;
    until("bob is in", async || (bob.room().await["state"] == "member").then_some(())).await;
    bob.reads("said before bob").await;
    alice.up().await;
    alice.meets(&bob).await;
    relay.kill().await.expect("the relay ends");
}

/// A relay on a machine of its own, and its address over QUIC. What it keeps is in `relay`, what it logs in
/// `relay.log`, in the folder of its host.
pub async fn relay_on(host: &Person) -> (Child, String) {
    let data = host.dir.join("relay").display().to_string();
    let mut command = host.command(&["relay-node", "--json", "--data", &data, "--metrics", METRICS]);
    let log = File::create(host.dir.join("relay.log")).expect("a log");
    command.stdout(Stdio::piped()).stderr(log);
    let mut relay = host.start(command);
    let mut lines = BufReader::new(relay.stdout.take().expect("piped")).lines();
    let first = lines.next_line().await.expect("it is read").expect("the relay says where it listens");
    let told: Value = serde_json::from_str(&first).expect("one object");
    let listening = told["listening"].as_array().expect("addresses").iter().filter_map(Value::as_str);
    let quic = listening.clone().find(|address| {
        address.starts_with("/ip4/") && !address.starts_with("/ip4/127.") && address.contains("/quic-v1/")
    });
    let address = quic.unwrap_or_else(|| panic!("no address over QUIC in {first}")).to_owned();
    (relay, address)
}

pub async fn reserved(person: &Person, address: &str) {
    until(&format!("{} is at {address}", person.name), async || {
        let network = person.ask(&["status"]).await["network"].clone();
        let relay = network["relays"].as_array()?.iter().find(|relay| relay["address"] == address)?;
        (relay["reserved"] == true).then_some(())
    })
    .await;
}

async fn check(person: &Person, name: &str) -> Value {
    let checks = person.run(&["doctor"]).await.object()["checks"].clone();
    let found = checks.as_array().expect("checks").iter().find(|check| check["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("no {name} in {checks}"))
}
