//! Comparing words.

use super::*;

#[tokio::test]
async fn two_people_compare_words_and_only_their_own_half_is_shown() {
    let (_table, alice, bob) = two().await;
    let verify = |heard: Option<&[String]>| Verify { heard: heard.map(|words| words.join(" ")), ..Verify::default() };
    let hers = alice.ask(verify(None)).await.unwrap();
    let wish = bob.ask(wait()).await.unwrap();
    assert_eq!((&wish.items[0].kind[..], &wish.items[0].from[..]), ("verification", "alice"));
    assert!(bob.ask(Wait::default()).await.unwrap().timed_out, "told once");
    let his = bob.ask(verify(None)).await.unwrap();
    assert!(hers.say.len() == 3 && his.say.len() == 3 && hers.say != his.say);
    assert_eq!(alice.ask(verify(None)).await.unwrap().say, hers.say);
    let own = refused(&alice, say(&hers.say.join(" "))).await;
    assert_eq!(own.rule, "own_words");

    assert!(alice.ask(verify(Some(&his.say))).await.unwrap().verified);
    assert!(bob.ask(verify(Some(&hers.say))).await.unwrap().verified);
    let by_whom =
        |status: Status| status.rooms[0].members.iter().find(|member| !member.me).unwrap().verified_by.clone();
    assert_eq!(by_whom(alice.ask(ShowStatus::default()).await.unwrap()).as_deref(), Some("you"));
    assert!(bob.ask(Inbox::default()).await.unwrap().items.iter().all(|item| item.kind != "verification"));
}

#[tokio::test]
async fn wrong_words_are_refused_and_nobody_is_verified_who_is_away() {
    let (table, alice, bob) = two().await;
    alice.ask(Verify::default()).await.unwrap();
    let wrong = Verify { heard: Some("abandon abandon abandon".into()), ..Verify::default() };
    let failure = refused(&alice, wrong).await;
    assert_eq!((&failure.rule[..], failure.code), ("wrong_words", Code::Refused));
    table.leave(&bob);
    alice.until(Rooms {}, |list| (list.rooms[0].online == 0).then_some(())).await;
    assert_eq!(refused(&alice, Verify::default()).await.code, Code::PeerUnreachable);
}

#[tokio::test]
async fn a_wish_that_was_only_looked_at_is_told_again_until_it_is_marked() {
    let (_table, alice, bob) = two().await;
    alice.ask(Verify::default()).await.unwrap();
    let look = |timeout_s| Wait { timeout_s, peek: true, ..Wait::default() };
    let wish = bob.ask(look(600)).await.unwrap();
    assert_eq!((&wish.items[0].kind[..], wish.through), ("verification", None));
    assert_eq!(bob.ask(look(0)).await.unwrap(), wish);
    let mark = MarkRead { verifications: vec![wish.items[0].id.clone()], ..MarkRead::default() };
    bob.ask(mark).await.unwrap();
    assert!(bob.ask(look(0)).await.unwrap().timed_out);
}
