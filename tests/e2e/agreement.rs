//! Comparing words, and agreeing that agents may talk as long as they like.

use serde_json::Value;

use crate::patience::until;
use crate::person::Person;

/// Takes a person's own rates away, before the companion starts.
pub fn unrated(person: &mut Person) {
    for limit in ["AGENT_PER_MINUTE", "PUSH_INTERVAL", "MAX_TURNS", "WAKES"] {
        person.environment.push((format!("PAIRWAVE_LIMITS_{limit}"), "0".to_owned()));
    }
}

/// Both compare words and agree on a charter that counts no hops worth mentioning.
pub async fn unbounded(alice: &Person, bob: &Person) {
    verify(alice, bob).await;
    let charter = alice.dir.join("charter.json");
    let text = r#"{ "title": "no bounds", "purpose": "as much as goes through", "max_hops": 100000 }"#;
    std::fs::write(&charter, text).expect("a file");
    alice.ask(&["charter", "propose", charter.to_str().expect("a path")]).await;
    until("bob can accept it", async || {
        let accepted = bob.run(&["charter", "accept"]).await;
        (accepted.code == 0).then_some(())
    })
    .await;
    until("alice knows that he did", async || (alice.ask(&["charter"]).await["state"] == "agreed").then_some(())).await;
}

/// Both compare words, as two people on the phone.
pub async fn verify(alice: &Person, bob: &Person) {
    let hers = words(alice, bob).await;
    let his = words(bob, alice).await;
    let heard = alice.ask(&["verify", &bob.name, "--heard", &his]).await;
    assert_eq!(heard["verified"], true, "{heard}");
    let heard = bob.ask(&["verify", &alice.name, "--heard", &hers]).await;
    assert_eq!(heard["verified"], true, "{heard}");
}

/// The three words that one is to read out to the other.
pub async fn words(reader: &Person, listener: &Person) -> String {
    let what = format!("{} has words for {}", reader.name, listener.name);
    until(&what, async || {
        let shown = reader.ask(&["verify", &listener.name]).await;
        let say: Vec<&str> = shown["say"].as_array()?.iter().filter_map(Value::as_str).collect();
        (say.len() == 3).then(|| say.join(" "))
    })
    .await
}
