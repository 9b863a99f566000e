//! A room is taken up again after its companion was killed.

use serde_json::json;

use crate::lab::Lab;
use crate::person::no_human_here;
use crate::story::open;

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_is_resumed_after_kill_9() {
    let lab = Lab::new().await;
    if no_human_here() {
        return;
    }
    let alice = lab.person("alice").await;
    open(&alice).await;
    alice.ask(&["send", "one parser for all"]).await;
    let path = alice.ask(&["handoff"]).await["path"].as_str().expect("a path").to_owned();
    alice.ask(&["send", "the lexer is done"]).await;
    alice.kill().await;
    alice.ask(&["up"]).await;
    let agent = alice.agent().await;
    let resumed = agent.ask("pair_resume", json!({})).await;
    assert_eq!(resumed["path"], path.as_str());
    assert_eq!(resumed["log_ok"], true, "{resumed}");
    let markdown = resumed["markdown"].as_str().expect("Markdown");
    assert!(markdown.contains("the lexer is done") && markdown.contains("one parser for all"), "{markdown}");
    assert!(markdown.chars().count() <= 20_000);
    let status = agent.ask("pair_status", json!({})).await;
    assert_eq!(status["ledger"]["counts"]["messages"], 2, "{status}");
    drop(agent);
    alice.ask(&["send", "and one more"]).await;
    alice.ask(&["down"]).await;
    let left = std::fs::read_to_string(&path).expect("a handoff");
    assert!(left.contains("and one more"), "a clean end writes one: {left}");
}
