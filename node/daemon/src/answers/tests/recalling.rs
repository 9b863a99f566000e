//! The brain, what brings an entry back, and recall inside what was shared.

use pairwave_core::command::Speaker;

use super::*;

fn entry(headline: &str, content: &str) -> Remember {
    Remember { headline: headline.into(), content: content.into(), ..Remember::default() }
}

fn recall(query: &str) -> Recall {
    Recall { query: Some(query.into()), ..Recall::default() }
}

async fn found(person: &Person, ask: Recall) -> Vec<Recollection> {
    person.ask(ask).await.unwrap().entries
}

#[tokio::test]
async fn a_superseded_entry_comes_back_in_one_step() {
    let alice = Person::new(&Table::default(), "alice").await;
    alice.opens().await;
    let first = Remember {
        tags: vec!["link".into()],
        provenance: vec!["src/link.rs:3".into()],
        ..entry("retries", "three times")
    };
    let old = alice.ask(first).await.unwrap().event;
    let restore = |entry: &str| Restore { entry: entry.into(), ..Restore::default() };
    assert_eq!(refused(&alice, restore(&old)).await.rule, "not_superseded");
    let new =
        alice.ask(Remember { supersedes: Some(old.clone()), ..entry("retries", "five times") }).await.unwrap().event;
    assert_eq!(found(&alice, recall("retries")).await[0].content, "five times");

    let back = alice.ask(restore(&old[..8])).await.unwrap().event;
    let counts = found(&alice, recall("retries")).await;
    assert_eq!((counts.len(), &counts[0].event, &counts[0].content[..]), (1, &back, "three times"));
    assert_eq!((&counts[0].tags[..], counts[0].supersedes.as_ref()), (&["link".to_owned()][..], Some(&new)));
    assert_eq!(counts[0].provenance, ["src/link.rs:3".to_owned(), format!("entry {old}")], "where it comes from");
    for entry in [&old, &back] {
        assert_eq!(refused(&alice, restore(entry)).await.rule, "not_superseded", "it is a copy already");
    }
    let again = alice.ask(restore(&new)).await.unwrap().event;
    assert_eq!(found(&alice, recall("retries")).await[0].event, again);
    let said = alice.ask(say("hello")).await.unwrap().event;
    assert_eq!(refused(&alice, restore(&said)).await.rule, "not_an_entry");
}

#[tokio::test]
async fn what_was_shared_is_found_by_its_lines_if_asked() {
    let alice = Person::new(&Table::default(), "alice").await;
    alice.opens().await;
    let filler = "fn nothing() {}\n".repeat(30);
    let content = format!("{filler}/// 接続は再試行される\nfn rétry_connection() {{}}\n{filler}");
    let share = Share { headline: "the link".into(), content, ..Share::default() };
    let artifact = alice.ask(share).await.unwrap().artifact;
    alice.until(ListArtifacts::default(), |list| (list.items[0].state == "complete").then_some(())).await;
    let inside = |query: &str| Recall { artifacts: true, ..recall(query) };
    assert!(found(&alice, recall("retry connection")).await.is_empty(), "not unless it is asked for");
    for query in ["retry connection", "再試行", "conection"] {
        let entries = found(&alice, inside(query)).await;
        assert_eq!(entries.len(), 1, "{query}: {entries:?}");
        assert_eq!((&entries[0].event, &entries[0].source[..]), (&artifact, "artifact"));
        assert_eq!(entries[0].lines.as_deref(), Some("25-36"));
        assert!(entries[0].content.contains("rétry_connection") && entries[0].content.len() < 1_200, "{entries:?}");
    }
    let both = Recall { transcript: true, ..inside("link connection") };
    assert_eq!(found(&alice, both).await.len(), 1, "once, although what was said of it fits, too");
    assert!(found(&alice, Recall { kind: Some("fact".into()), ..inside("connection") }).await.is_empty());

    let shell = alice.caller(Face::Cli, "s1").await;
    let shell = Caller { speaker: Speaker { origin: Origin::Agent, ..shell.speaker }, ..shell };
    assert_eq!(alice.ask_as(&shell, inside("retry")).await.unwrap_err().rule, "humans_only");
    let binary = Share { headline: "no text".into(), content: "connection \u{0}".into(), ..Share::default() };
    alice.ask(binary).await.unwrap();
    alice.ask(RemoveArtifact { artifact, room: None }).await.unwrap();
    let left = found(&alice, inside("retry")).await;
    assert!(left.is_empty(), "what was removed is not found: {left:?}");
}
