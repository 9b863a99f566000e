//! Code and patches, from an agent on one machine into the quarantine on the other.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::{Person, no_human_here};
use crate::story::two;

const PATCH: &str = "--- a/src/one.rs\n+++ b/src/one.rs\n@@ -1 +1 @@\n-a\n+b\n";

async fn arrived(person: &Person, artifact: &str) -> serde_json::Value {
    until(&format!("{} has {artifact}", person.name), async || {
        let list = person.ask(&["quarantine", "list"]).await;
        let items = list["items"].as_array().expect("items").clone();
        items.into_iter().find(|item| item["id"] == artifact && item["state"] == "complete")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_lies_in_the_quarantine_until_a_human_takes_it_out() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    // Bob has no agent: whatever its host starts would count as one.
    let hers = alice.agent().await;
    let patch = json!({ "headline": "a fix", "content": PATCH, "is_patch": true });
    let shared = hers.ask("pair_share_code", patch).await;
    let artifact = shared["artifact"].as_str().expect("an artifact").to_owned();
    assert_eq!(shared["event"], shared["artifact"]);

    let item = arrived(&bob, &artifact).await;
    assert_eq!((&item["from"], &item["paths"]), (&json!("alice"), &json!(["src/one.rs"])));
    let read = hers.ask("pair_read", json!({ "event": artifact })).await;
    let text = read["events"][0]["text"].as_str().expect("a text");
    assert!(text.contains("+b") && read["events"][0]["kind"] == "code", "{read}");

    if no_human_here() {
        return;
    }
    let export = ["quarantine", "export", &artifact, "."];
    let exported = bob.ask(&export).await;
    let path = std::path::PathBuf::from(exported["path"].as_str().expect("a path"));
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), PATCH);
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o111, 0);
    assert_eq!(bob.run(&export).await.failure(1)["rule"], "file_exists");
    bob.ask(&["quarantine", "remove", &artifact]).await;
    bob.kill().await;
    bob.up().await;
    assert_eq!(bob.ask(&["quarantine"]).await["items"][0]["state"], "removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn much_code_arrives_although_a_companion_is_killed() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let hers = alice.agent().await;
    let content: String = (0..150_000).map(|line| format!("line {line}\n")).collect();
    let shared = hers.ask("pair_share_code", json!({ "headline": "much", "content": content })).await;
    bob.kill().await;
    bob.up().await;
    let artifact = shared["artifact"].as_str().expect("an artifact");
    let item = arrived(&bob, artifact).await;
    assert_eq!(item["size"], content.len());
    let file = std::path::PathBuf::from(item["file"].as_str().expect("a file"));
    assert!(std::fs::read_to_string(file).expect("a file") == content);
}
