//! What a token gives.

use std::time::Duration;

use futures::AsyncReadExt;
use libp2p::identity::Keypair;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest, RelayRefusal};
use relay_node::CircuitLimits;
use relay_node::tokens::Tokens;

use crate::circuits::{BUFFERED, carry};
use crate::client::{Client, peer_of, post};
use crate::world::World;

async fn present(client: &Client, relay: &str, token: &str) -> MailboxAnswer {
    client.dial(relay).await.expect("a connection");
    let mut mailbox = client.mailbox(relay).await;
    let answer = post(&mut mailbox, &MailboxRequest::Present { token: token.into() }).await;
    client.hang_up(peer_of(relay)).await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_gives_circuits_to_work_through_also_to_strangers() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let (token, _) = Tokens::of(&world.data()).create(None).expect("a token");
    let (alice, mut bob) = (Client::new(), Client::new());
    assert_eq!(present(&alice, &relay, &token).await, MailboxAnswer::Welcome);
    let reserved = alice.reserve(&relay).await.expect("a reservation");
    assert_eq!(reserved.bytes, Some(CircuitLimits::HOLDERS.bytes));
    let reserved = bob.reserve(&relay).await.expect("a reservation");
    assert_eq!(reserved.bytes, Some(CircuitLimits::STRANGERS.bytes));

    alice.call(&relay, &bob).await.expect("a circuit to a stranger");
    let bytes = 8 * CircuitLimits::STRANGERS.bytes;
    assert_eq!(carry(alice.talk(&bob).await, &mut bob, bytes).await, bytes, "who opens it decides");

    let mut alice = alice;
    let carol = Client::new();
    carol.call(&relay, &alice).await.expect("a stranger's circuit to a holder");
    let carried = carry(carol.talk(&alice).await, &mut alice, bytes).await;
    assert!(carried < CircuitLimits::STRANGERS.bytes + BUFFERED, "{carried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_gives_nothing_any_more() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let tokens = Tokens::of(&world.data());
    let (token, kept) = tokens.create(Some("alice".into())).expect("a token");
    let key = Keypair::generate_ed25519();
    let alice = Client::with(key.clone());
    assert_eq!(present(&alice, &relay, &token).await, MailboxAnswer::Welcome);
    drop(alice);
    tokens.revoke(kept.id()).expect("it is there");
    // Who shows a token has the relay look at the list.
    let bob = Client::new();
    let unknown = MailboxAnswer::Refused(RelayRefusal::UnknownToken);
    assert_eq!(present(&bob, &relay, &token).await, unknown);
    let alice = Client::with(key);
    let reserved = alice.reserve(&relay).await.expect("a reservation");
    assert_eq!(reserved.bytes, Some(CircuitLimits::STRANGERS.bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_a_revoked_token_is_disconnected() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let tokens = Tokens::of(&world.data());
    let (token, revoked) = tokens.create(Some("alice".into())).expect("a token");
    let (alice, bob) = (Client::new(), Client::new());
    assert_eq!(present(&alice, &relay, &token).await, MailboxAnswer::Welcome);
    alice.dial(&relay).await.expect("a connection");
    bob.dial(&relay).await.expect("a connection");
    let (mut of_alice, mut of_bob) = (alice.mailbox(&relay).await, bob.mailbox(&relay).await);
    tokens.revoke(revoked.id()).expect("it is there");
    let end = tokio::time::timeout(Duration::from_secs(30), of_alice.read(&mut [0])).await.expect("an end");
    assert!(matches!(end, Err(_) | Ok(0)), "{end:?}");
    let unknown = MailboxAnswer::Refused(RelayRefusal::UnknownToken);
    assert_eq!(post(&mut of_bob, &MailboxRequest::Present { token }).await, unknown, "the others stay");
}
