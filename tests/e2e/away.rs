//! Who was away gets everything.

use futures::StreamExt;
use serde_json::json;

use crate::lab::Lab;
use crate::person::{Person, no_human_here};
use crate::story::{agree, two, two_without_bounds};

/// More than others keep.
const MESSAGES: usize = 700;

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_was_away_gets_everything() {
    let lab = Lab::new().await;
    if no_human_here() {
        return;
    }
    let (alice, bob) = two_without_bounds(&lab).await;
    bob.down().await;
    let hers = alice.agent().await;
    let sending = (0..MESSAGES).map(|number| {
        let hers = &hers;
        async move { hers.ask("pair_send", json!({ "kind": "chat", "text": format!("message {number}") })).await }
    });
    let sent: Vec<_> = futures::stream::iter(sending).buffer_unordered(16).collect().await;
    assert_eq!(sent.len(), MESSAGES);
    let waiting = alice.sees(&bob).await.expect("a member");
    assert!(waiting["pending"].as_u64().is_some_and(|pending| pending >= MESSAGES as u64), "{waiting}");

    bob.up().await;
    agree(&[&alice, &bob]).await;
    let mut texts = bob.texts("chat").await;
    texts.sort_unstable();
    let mut expected: Vec<String> = (0..MESSAGES).map(|number| format!("message {number}")).collect();
    expected.sort_unstable();
    assert_eq!(texts, expected);
    crate::patience::until("nothing is pending", async || {
        alice.sees(&bob).await.filter(|member| member["pending"] == 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_was_pulled_costs_nothing() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    cable(&bob, "down").await;
    alice.ask(&["send", "said to alice's wall"]).await;
    bob.ask(&["send", "said to bob's wall"]).await;
    crate::patience::until("alice notices", async || alice.sees(&bob).await.filter(|member| member["online"] == false))
        .await;
    cable(&bob, "up").await;
    bob.reads("said to alice's wall").await;
    alice.reads("said to bob's wall").await;
    agree(&[&alice, &bob]).await;
}

/// An interface that is back with the address that it had.
#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_was_out_for_long_is_noticed_when_it_is_back() {
    let lab = Lab::new().await;
    let (alice, bob) = two(&lab).await;
    cable(&bob, "down").await;
    for (who, other) in [(&alice, &bob), (&bob, &alice)] {
        let gone = async || who.sees(other).await.filter(|member| member["online"] == false);
        crate::patience::until("the link is given up", gone).await;
    }
    let noticed = changes(&bob);
    cable(&bob, "up").await;
    crate::patience::until("the interface is seen", async || (changes(&bob) > noticed).then_some(())).await;
    bob.meets(&alice).await;
    agree(&[&alice, &bob]).await;
}

/// How often this companion tried everybody anew because its network was another one.
fn changes(person: &Person) -> usize {
    person.log().matches("the network has changed").count()
}

async fn cable(person: &Person, state: &str) {
    let mut command = person.program("ip");
    command.args(["link", "set", "eth0", state]);
    let set = person.finish(command).await;
    assert_eq!(set.code, 0, "{set:?}");
}
