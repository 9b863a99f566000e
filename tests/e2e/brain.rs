//! What one agent remembers, the other one recalls, and a human takes along.

use serde_json::json;

use crate::lab::Lab;
use crate::patience::until;
use crate::person::no_human_here;
use crate::story::{open, two_without_bounds};

fn import_of(file: &std::path::Path) -> [&str; 3] {
    ["brain", "import", file.to_str().expect("a path")]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_remembers_the_other_recalls() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = two_without_bounds(&lab).await;
    let (hers, his) = (alice.agent().await, bob.agent().await);
    let entries = [
        ("Retries", "The connection is retried three times", "decision"),
        ("接続", "データベースの接続は再試行される", "fact"),
        ("قاعدة البيانات", "تُعاد محاولة الاتصال", "fact"),
    ];
    for (headline, content, kind) in entries {
        let entry = json!({
            "headline": headline, "content": content, "kind": kind, "tags": ["link"], "provenance": ["src/link.rs:1-9"]
        });
        hers.ask("pair_remember", entry).await;
    }
    let recalled = async |query: &str| his.ask("pair_recall", json!({ "query": query })).await;
    for (query, content) in
        [("conection retry", entries[0].1), ("データベース", entries[1].1), ("البيانات", entries[2].1)]
    {
        let found = until(&format!("bob recalls {query}"), async || {
            let found = recalled(query).await["entries"][0].clone();
            (found["content"] == content).then_some(found)
        })
        .await;
        assert_eq!(
            (&found["trust"], &found["name"], &found["tags"]),
            (&json!("peer"), &json!("alice"), &json!(["link"]))
        );
    }

    hers.ask("pair_claim", json!({})).await;
    let content = format!("{}pub fn backoff_schedule() {{}}\n", "// nothing\n".repeat(30));
    hers.ask("pair_share_code", json!({ "headline": "waiting", "content": content })).await;
    let of_a_file = recalled("src/link.rs").await["entries"].as_array().expect("entries").len();
    assert_eq!(of_a_file, 3, "what is known of a file");
    let inside = until("bob recalls what stands inside the code", async || {
        let found =
            his.ask("pair_recall", json!({ "query": "backoff", "artifacts": true })).await["entries"][0].clone();
        (found["source"] == "artifact").then_some(found)
    })
    .await;
    assert_eq!((&inside["trust"], &inside["lines"]), (&json!("peer"), &json!("25-31")), "{inside}");
    assert!(inside["content"].as_str().is_some_and(|lines| lines.contains("backoff_schedule")), "{inside}");

    let old = recalled("retries").await["entries"][0]["event"].clone();
    let better = json!({ "headline": "Retries", "content": "Five times", "kind": "decision", "supersedes": old });
    let new = his.ask("pair_remember", better).await["event"].clone();
    assert_eq!(recalled("retries").await["entries"][0]["event"], new);
    let history = his.ask("pair_recall", json!({ "query": "retries", "superseded": true })).await;
    assert!(
        history["entries"].as_array().expect("entries").iter().any(|entry| entry["superseded_by"] == new),
        "{history}"
    );
    let read = his.ask("pair_read", json!({ "event": old })).await;
    assert_eq!((&read["events"][0]["text"], &read["events"][0]["kind"]), (&json!(entries[0].1), &json!("remembered")));
    // Put together here, so that no scan finds this file.
    let token: String = (0..36_u32).map(|n| char::from(b"Zq7Kd2Xw9RbT4mPv"[(n * n + n / 3) as usize % 16])).collect();
    let secret = json!({ "headline": "a key", "content": format!("use ghp_{token} for it") });
    assert_eq!(his.rule("pair_remember", secret).await, "secret_found");

    bob.kill().await;
    bob.up().await;
    let entries = bob.ask(&["recall", "retries", "--kind", "decision"]).await;
    assert_eq!(entries["entries"][0]["event"], new, "the index is made anew");
    let back = bob.ask(&["brain", "restore", old.as_str().expect("an id")]).await["event"].clone();
    let restored = bob.ask(&["recall", "retries", "--kind", "decision"]).await["entries"][0].clone();
    assert_eq!((&restored["event"], &restored["content"]), (&back, &json!("The connection is retried three times")));
    let file = bob.dir.join("brain.md");
    let exported = bob.ask(&["brain", "export", file.to_str().expect("a path")]).await;
    assert_eq!(exported["entries"], 3);

    let mallory = lab.person("mallory").await;
    open(&mallory).await;
    let import = import_of(&file);
    let imported = mallory.ask(&import).await;
    assert_eq!((&imported["imported"], &imported["skipped"]), (&json!(3), &json!(0)), "{imported}");
    assert_eq!(mallory.ask(&import).await["skipped"], 3);
    assert_eq!(mallory.ask(&["recall", "再試行"]).await["entries"][0]["headline"], "接続");

    let edited = std::fs::read_to_string(&file).expect("what was exported").replace("three times", "nine times");
    std::fs::write(&file, edited).expect("the file");
    let imported = bob.ask(&import_of(&file)).await;
    assert_eq!((&imported["imported"], &imported["skipped"]), (&json!(1), &json!(2)), "{imported}");
    let entries = bob.ask(&["recall", "retries", "--kind", "decision"]).await["entries"].clone();
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "what was changed takes its place: {entries}");
    assert_eq!(entries[0]["content"], "The connection is retried nine times");
}
