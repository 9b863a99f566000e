//! What most tests begin with: people who have met.

use serde_json::Value;

pub use crate::agreement::{verify, words};

use crate::agreement::{unbounded, unrated};
use crate::lab::Lab;
use crate::patience::until;
use crate::person::Person;

/// Alice opens a room, Bob joins it, both see each other.
pub async fn two(lab: &Lab) -> (Person, Person) {
    let (alice, bob) = (lab.person("alice").await, lab.person("bob").await);
    open(&alice).await;
    join(&alice, &bob).await;
    (alice, bob)
}

/// Two people whose agents may talk as much and as fast as they like: both agreed to that, and
/// neither rates its own.
pub async fn two_without_bounds(lab: &Lab) -> (Person, Person) {
    let (mut alice, mut bob) = (lab.person("alice").await, lab.person("bob").await);
    unrated(&mut alice);
    unrated(&mut bob);
    open(&alice).await;
    join(&alice, &bob).await;
    unbounded(&alice, &bob).await;
    (alice, bob)
}

/// Opens a room; gives its invite.
pub async fn open(founder: &Person) -> String {
    let opened = founder.ask(&["init", "--name", &founder.name, "--title", "lab", "--no-wire"]).await;
    opened["invite"].as_str().expect("an invite").to_owned()
}

/// A further invite.
pub async fn invite(by: &Person) -> String {
    by.ask(&["invite"]).await["invite"].as_str().expect("an invite").to_owned()
}

/// Lets the newcomer in through a new invite, and waits until both see each other.
pub async fn join(by: &Person, newcomer: &Person) {
    let invite = invite(by).await;
    let joined = newcomer.ask(&["join", &invite, "--name", &newcomer.name, "--no-wire"]).await;
    assert_eq!(joined["state"], "admitted", "{joined}");
    by.meets(newcomer).await;
    newcomer.meets(by).await;
}

/// Waits until all of them hold the same events, and gives the transcript that they share.
pub async fn agree(people: &[&Person]) -> Vec<Value> {
    until("all have the same events", async || {
        let mut first = None;
        for person in people {
            let room = person.room().await;
            let counted = (room["room"].clone(), room["events"].clone());
            if *first.get_or_insert(counted.clone()) != counted {
                return None;
            }
        }
        Some(())
    })
    .await;
    let shared = people[0].transcript().await;
    for other in &people[1..] {
        assert_eq!(in_order(&other.transcript().await), in_order(&shared), "{} reads another order", other.name);
    }
    shared
}

/// What must be the same for everybody.
pub fn in_order(transcript: &[Value]) -> Vec<(String, u64, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let row = |entry: &Value| {
        let depth = entry["depth"].as_u64().expect("a depth");
        (text(&entry["event"]), depth, text(&entry["member"]), text(&entry["kind"]))
    };
    transcript.iter().map(row).collect()
}
