//! The transcript.

use super::*;

#[tokio::test]
async fn the_transcript_is_read_in_pages_either_way() {
    let (_table, alice, _bob) = two().await;
    for number in 0..10 {
        alice.ask(say(&format!("m{number}"))).await.unwrap();
    }
    let all = alice.ask(Read { limit: Some(500), ..Read::default() }).await.unwrap();
    assert_eq!(all.next, None);
    let ids = |page: &Transcript| page.events.iter().map(|entry| entry.event.clone()).collect::<Vec<_>>();
    let (mut backwards, mut before) = (Vec::new(), None);
    loop {
        let page = alice.ask(Read { limit: Some(4), before, ..Read::default() }).await.unwrap();
        backwards.splice(0..0, ids(&page));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(backwards, ids(&all));
    let (mut onwards, mut after) = (vec![ids(&all)[0].clone()], Some(ids(&all)[0].clone()));
    while after.is_some() {
        let page = alice.ask(Read { limit: Some(4), after, ..Read::default() }).await.unwrap();
        onwards.extend(ids(&page));
        after = page.next;
    }
    assert_eq!(onwards, ids(&all));
    let depths: Vec<u64> = all.events.iter().map(|entry| entry.depth).collect();
    assert!(depths.is_sorted());
}

#[tokio::test]
async fn the_transcript_can_be_filtered() {
    let (_table, alice, bob) = two().await;
    alice.ask(say("Parser rewrite")).await.unwrap();
    bob.ask(say("the lexer")).await.unwrap();
    bob.until(Read { query: Some("REWRITE parser".into()), ..Read::default() }, |read| {
        (read.events.len() == 1 && read.events[0].text == "Parser rewrite").then_some(())
    })
    .await;
    let by_bob =
        bob.ask(Read { from: Some("bob".into()), kind: Some("chat".into()), ..Read::default() }).await.unwrap();
    assert_eq!(by_bob.events.iter().map(|entry| &entry.text[..]).collect::<Vec<_>>(), ["the lexer"]);
    assert!(by_bob.events[0].me && by_bob.events[0].delivery.len() == 1);
    let unknown = Read { kind: Some("gossip".into()), ..Read::default() };
    assert_eq!(refused(&bob, unknown).await.rule, "no_such_kind");
    let unknown = Read { from: Some("bobb".into()), ..Read::default() };
    assert_eq!(refused(&bob, unknown).await.next, "Did you mean \"bob\"?");
}

#[tokio::test]
async fn every_kind_that_the_transcript_shows_can_be_asked_for() {
    let (_table, alice, bob) = two_who_agreed().await;
    let of = |kind: &str| Read { kind: Some(kind.into()), ..Read::default() };
    for (kind, found) in [("charter_proposed", 1), ("floor_claimed", 1), ("action", 0), ("summary", 0)] {
        assert_eq!(alice.ask(of(kind)).await.unwrap().events.len(), found, "{kind}");
    }
    assert_eq!(refused(&bob, of("message")).await.rule, "no_such_kind");
}

#[tokio::test]
async fn a_page_fits_into_a_frame_whatever_its_entries_are_made_of() {
    let (_table, alice, _bob) = two().await;
    let control = "\u{1}".repeat(100 * 1024);
    let sources = vec!["\u{1}".repeat(1000); 64];
    for _ in 0..5 {
        alice.ask(Send { provenance: sources.clone(), ..say(&control) }).await.unwrap();
    }
    let written = |page: &Transcript| serde_json::to_vec(page).unwrap().len();
    let (mut seen, mut before) = (0, None);
    loop {
        let page = alice.ask(Read { before, kind: Some("chat".into()), ..Read::default() }).await.unwrap();
        assert!(written(&page) < (2 << 20) + 1000, "{}", written(&page));
        seen += page.events.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, 5);
}
