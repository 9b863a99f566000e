//! Mailbox and lookup.

use futures::{AsyncReadExt, AsyncWriteExt};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::limits;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{LetterId, MailboxAnswer, MailboxRequest, RelayRefusal, Waiting};
use relay_node::tokens::Tokens;

use crate::client::{self, Client, look, post};
use crate::world::World;

const ALICE: BlindedTag = BlindedTag([1; 32]);
const BOB: BlindedTag = BlindedTag([2; 32]);

fn deposit(at: BlindedTag, first: u8) -> MailboxRequest {
    let mut letter = vec![0; limits::LETTERS[0]];
    letter[0] = first;
    MailboxRequest::Deposit { at, letter: letter.into() }
}

fn collect(at: BlindedTag) -> MailboxRequest {
    MailboxRequest::Collect { at: vec![at], besides: Vec::new() }
}

fn waiting(answer: MailboxAnswer) -> Vec<Waiting> {
    let MailboxAnswer::Letters { letters, .. } = answer else { panic!("no letters: {answer:?}") };
    letters
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_over_a_restart_until_they_are_discarded() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let alice = Client::new();
    alice.dial(&relay).await.unwrap();
    let mut mailbox = alice.mailbox(&relay).await;
    for first in 0..3 {
        assert_eq!(post(&mut mailbox, &deposit(BOB, first)).await, MailboxAnswer::Stored);
    }
    let peer = world.relay.peer_id();
    let world = world.restart().await;
    assert_eq!(world.relay.peer_id(), peer, "it stays who it was");
    let relay = world.address("/tcp/");
    let bob = Client::new();
    bob.dial(&relay).await.unwrap();
    let mut mailbox = bob.mailbox(&relay).await;
    let letters = waiting(post(&mut mailbox, &collect(BOB)).await);
    assert_eq!(letters.iter().map(|waiting| waiting.letter[0]).collect::<Vec<_>>(), [0, 1, 2]);
    let under = |at| letters.iter().map(|waiting| (at, waiting.id)).collect();
    let under_another = MailboxRequest::Discard { letters: under(ALICE) };
    assert_eq!(post(&mut mailbox, &under_another).await, MailboxAnswer::Discarded);
    assert_eq!(waiting(post(&mut mailbox, &collect(BOB)).await).len(), 3, "only who knows the tag discards");
    assert_eq!(post(&mut mailbox, &MailboxRequest::Discard { letters: under(BOB) }).await, MailboxAnswer::Discarded);
    assert_eq!(waiting(post(&mut mailbox, &collect(BOB)).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_relay_says_so_and_strangers_fill_half_of_it() {
    let world = World::with(|options| options.limits.spool = 4 * limits::LETTERS[0] as u64).await;
    let relay = world.address("/quic-v1/");
    let alice = Client::new();
    alice.dial(&relay).await.unwrap();
    let mut mailbox = alice.mailbox(&relay).await;
    let full = MailboxAnswer::Refused(RelayRefusal::RelayFull);
    let (token, _) = Tokens::of(&world.data()).create(None).expect("a token");
    for place in [0, 2] {
        assert_eq!(post(&mut mailbox, &deposit(BOB, place)).await, MailboxAnswer::Stored);
        assert_eq!(post(&mut mailbox, &deposit(BOB, place + 1)).await, MailboxAnswer::Stored);
        assert_eq!(post(&mut mailbox, &deposit(BOB, 9)).await, full);
        let present = MailboxRequest::Present { token: token.clone() };
        assert_eq!(post(&mut mailbox, &present).await, MailboxAnswer::Welcome);
    }
    assert_eq!(waiting(post(&mut mailbox, &collect(BOB)).await).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_ends_the_stream() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let mallory = Client::new();
    mallory.dial(&relay).await.unwrap();
    let many = MailboxRequest::Discard { letters: vec![(ALICE, LetterId([0; 16])); limits::LETTER_IDS + 1] };
    let odd = MailboxRequest::Deposit { at: ALICE, letter: vec![0; 1000].into() };
    for wrong in [b"".to_vec(), b"\xff\xff\xff".to_vec(), many.encode(), odd.encode()] {
        let mut mailbox = mallory.mailbox(&relay).await;
        let answer = client::ask(&mut mailbox, &wrong).await.expect("an answer");
        assert_eq!(MailboxAnswer::decode(&answer), Ok(MailboxAnswer::Refused(RelayRefusal::Malformed)));
        assert_eq!(client::read(&mut mailbox).await, None, "it hangs up");
    }
    let mut lookup = mallory.lookup(&relay).await;
    let answer = client::ask(&mut lookup, b"?").await.expect("an answer");
    assert_eq!(LookupAnswer::decode(&answer), Ok(LookupAnswer::Refused(RelayRefusal::Malformed)));
    let mut mailbox = mallory.mailbox(&relay).await;
    mailbox.write_all(&[0xff; 4]).await.unwrap();
    mailbox.flush().await.unwrap();
    let answer = client::read(&mut mailbox).await.expect("an answer");
    assert_eq!(MailboxAnswer::decode(&answer), Ok(MailboxAnswer::Refused(RelayRefusal::Malformed)));
    let mut mailbox = mallory.mailbox(&relay).await;
    assert_eq!(waiting(post(&mut mailbox, &collect(ALICE)).await), [], "the connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_few_streams() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let mallory = Client::new();
    mallory.dial(&relay).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = mallory.mailbox(&relay).await;
        assert_eq!(waiting(post(&mut stream, &collect(ALICE)).await), []);
        streams.push(stream);
    }
    let mut ninth = mallory.mailbox(&relay).await;
    assert!(ninth.read(&mut [0]).await.is_ok_and(|read| read == 0) || client::read(&mut ninth).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn members_find_what_others_have_published() {
    let world = World::new().await;
    let relay = world.address("/quic-v1/");
    let (alice, bob) = (Client::new(), Client::new());
    for client in [&alice, &bob] {
        client.dial(&relay).await.unwrap();
    }
    let (mut alices, mut bobs) = (alice.lookup(&relay).await, bob.lookup(&relay).await);
    let publish = |record: &[u8]| LookupRequest::Publish { at: ALICE, record: record.to_vec().into() };
    assert_eq!(look(&mut alices, &publish(b"first")).await, LookupAnswer::Published);
    assert_eq!(look(&mut alices, &publish(b"sealed")).await, LookupAnswer::Published);
    let find = LookupRequest::Find { at: vec![BOB, ALICE] };
    let found = LookupAnswer::Found(vec![(ALICE, b"sealed".to_vec().into())]);
    assert_eq!(look(&mut bobs, &find).await, found);
}
