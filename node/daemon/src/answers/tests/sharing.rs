//! Code and patches, from one person's agent to the other's quarantine.

use std::os::unix::fs::PermissionsExt;

use pairwave_core::command::Speaker;

use super::*;

const PATCH: &str = "--- a/src/one.rs\n+++ b/src/one.rs\n@@ -1 +1 @@\n-a\n+b\n";

fn patch() -> Share {
    Share { headline: "a fix".into(), content: PATCH.into(), is_patch: true, ..Share::default() }
}

async fn arrived(person: &Person, id: &str) -> ArtifactItem {
    let complete = |item: &ArtifactItem| item.id == id && item.state == "complete";
    person.until(ListArtifacts::default(), |list| list.items.into_iter().find(complete)).await
}

#[tokio::test]
async fn what_is_shared_lies_inert_on_the_other_side() {
    let (_table, alice, bob) = two().await;
    let shared = alice.ask(patch()).await.unwrap();
    assert_eq!((&shared.event, shared.size), (&shared.artifact, PATCH.len() as u64));
    let item = arrived(&bob, &shared.artifact).await;
    assert_eq!((&item.from[..], &item.headline[..], item.me, item.is_patch), ("alice", "a fix", false, true));
    assert_eq!((item.paths, item.progress), (vec!["src/one.rs".to_owned()], item.size));
    let file = std::path::PathBuf::from(item.file.unwrap());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), PATCH);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(arrived(&alice, &shared.artifact).await.me, "one's own are in the list too");
    let read = bob.ask(Read { event: Some(shared.event.clone()), ..Read::default() }).await.unwrap();
    let entry = &read.events[0];
    assert_eq!(
        (&entry.kind[..], entry.artifact.as_ref(), entry.is_patch),
        ("code", Some(&shared.artifact), Some(true))
    );
}

#[tokio::test]
async fn a_patch_is_shown_taken_apart() {
    let (_table, alice, bob) = two().await;
    let shared = alice.ask(patch()).await.unwrap();
    arrived(&bob, &shared.artifact).await;
    let show = ShowArtifact { artifact: shared.artifact[..8].into(), ..ShowArtifact::default() };
    let shown = bob.ask(show.clone()).await.unwrap();
    assert_eq!((shown.content.as_deref(), shown.cut), (Some(PATCH), false));
    let files = shown.diff.unwrap();
    let kinds: Vec<&str> = files[0].hunks[0].lines.iter().map(|line| &line.kind[..]).collect();
    assert_eq!((files.len(), files[0].change.as_str(), kinds), (1, "modified", vec!["removed", "added"]));
    let no_patch = Share { content: "fn main() {}".into(), ..patch() };
    let broken = alice.ask(no_patch).await.unwrap();
    arrived(&bob, &broken.artifact).await;
    let shown = bob.ask(ShowArtifact { artifact: broken.artifact, ..ShowArtifact::default() }).await.unwrap();
    assert!(shown.diff.is_none() && shown.diff_error.is_some());
    let agent = bob.caller(Face::Cli, "s1").await;
    let agent = Caller { speaker: Speaker { origin: Origin::Agent, ..agent.speaker }, ..agent };
    let refused = bob.ask_as(&agent, show).await.unwrap_err();
    assert_eq!(refused.rule, "humans_only", "nothing marks it there as another's words");
}

#[tokio::test]
async fn the_human_exports_and_removes() {
    let (_table, alice, bob) = two().await;
    let shared = alice.ask(patch()).await.unwrap();
    let file = arrived(&bob, &shared.artifact).await.file.unwrap();
    let artifact = shared.artifact;
    let export = ExportArtifact { artifact: artifact.clone(), dir: bob.dir.clone(), room: None };
    let remove = RemoveArtifact { artifact: artifact.clone(), room: None };
    let agent = bob.caller(Face::Mcp, "s1").await;
    assert_eq!(bob.ask_as(&agent, export.clone()).await.unwrap_err().rule, "humans_only");
    assert_eq!(bob.ask_as(&agent, remove.clone()).await.unwrap_err().rule, "humans_only");
    let exported = bob.ask(export.clone()).await.unwrap();
    assert_eq!(std::fs::read_to_string(&exported.path).unwrap(), PATCH);
    assert_eq!(bob.ask(export.clone()).await.unwrap_err().rule, "file_exists");
    bob.ask(remove.clone()).await.unwrap();
    assert!(!Path::new(&file).exists());
    let list = bob.ask(ListArtifacts::default()).await.unwrap();
    assert_eq!((&list.items[0].state[..], list.items[0].file.as_ref()), ("removed", None));
    assert_eq!(bob.ask(export).await.unwrap_err().rule, "artifact_incomplete");
    assert_eq!(bob.ask(remove).await.unwrap_err().rule, "no_such_artifact");
    assert_eq!(arrived(&alice, &artifact).await.state, "complete", "others keep theirs");
}
