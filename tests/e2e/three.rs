//! Three companions: any member carries another's events; a removed one carries nothing.

use crate::lab::Lab;
use crate::patience::until;
use crate::person::{Person, no_human_here};
use crate::story::{agree, join, two};

#[tokio::test(flavor = "multi_thread")]
async fn the_third_carries_between_two_who_never_meet() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    alice.ask(&["send", "from alice, before carol came"]).await;
    bob.reads("from alice, before carol came").await;
    alice.down().await;

    let carol = lab.person("carol").await;
    join(&bob, &carol).await;
    carol.reads("from alice, before carol came").await;
    carol.ask(&["send", "from carol, while alice was away"]).await;
    bob.reads("from carol, while alice was away").await;
    carol.down().await;

    alice.up().await;
    alice.reads("from carol, while alice was away").await;
    agree(&[&alice, &bob]).await;
    assert_eq!(alice.sees(&carol).await.expect("a member")["online"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_talk_at_once_and_read_the_same() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let carol = lab.person("carol").await;
    join(&alice, &carol).await;
    carol.meets(&bob).await;
    for number in 0..10 {
        let texts = ["a", "b", "c"].map(|name| format!("{name}{number}"));
        let say = async |person: &Person, text: &String| person.ask(&["send", text]).await;
        tokio::join!(say(&alice, &texts[0]), say(&bob, &texts[1]), say(&carol, &texts[2]));
    }
    let shared = agree(&[&alice, &bob, &carol]).await;
    assert_eq!(shared.iter().filter(|entry| entry["kind"] == "chat").count(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_told_and_says_nothing_more() {
    if no_human_here() {
        return;
    }
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    let carol = lab.person("carol").await;
    join(&alice, &carol).await;
    carol.meets(&bob).await;
    // Not by somebody who does not stand above.
    carol.run(&["remove", "bob"]).await.failure(3);
    alice.ask(&["remove", "bob", "--reason", "left the team"]).await;
    until("bob knows", async || (bob.ask(&["rooms"]).await["rooms"][0]["state"] == "removed").then_some(())).await;
    bob.run(&["send", "still here?"]).await.failure(3);

    alice.ask(&["send", "without bob"]).await;
    carol.reads("without bob").await;
    agree(&[&alice, &carol]).await;
    assert!(!bob.texts("chat").await.contains(&"without bob".to_owned()));
}
