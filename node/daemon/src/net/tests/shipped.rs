//! The relay that is shipped, in this process.

use std::path::Path as Folder;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::LetterId;
use relay_node::tokens::Tokens;
use relay_node::{Options, Relay};

use super::*;

async fn relay(folder: &Folder, listen: &[&str]) -> Relay {
    let listen = listen.iter().map(ToString::to_string).collect();
    Relay::spawn(Options { listen, ..Options::new(folder.to_owned()) }).await.unwrap()
}

fn over(relay: &Relay, way: &str) -> String {
    relay.listening().into_iter().find(|text| text.contains(way)).unwrap()
}

#[tokio::test]
async fn a_reservation_and_a_circuit_over_websocket_alone() {
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(&folder.path().join("relay"), &["/ip4/127.0.0.1/tcp/0/ws"]).await;
    let address = over(&relay, "/ws/");
    let (mut alice, mut bob) = (Node::start(1, config(&[TCP])).await, Node::start(2, config(&[TCP])).await);
    for node in [&mut alice, &mut bob] {
        node.wish(&[&address]);
        node.reserved(1).await;
    }
    alice.connect_through(vec![format!("{address}/p2p-circuit")], &mut bob).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_token_a_letter_and_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("relay");
    let relay = relay(&data, &[QUIC]).await;
    let (token, _) = Tokens::of(&data).create(None).unwrap();
    let address = over(&relay, "/quic-v1/");
    let peer = address.rsplit('/').next().unwrap().parse().unwrap();
    let at = address::transport_id(&peer);
    let mut alice = Node::start(1, config(&[QUIC])).await;
    alice.wish(&[&format!("{address}#{token}")]);
    alice.reserved(1).await;
    let status = alice.net.status().await.relays.remove(0);
    assert!(status.connected && status.reserved && status.why.is_none(), "{status:?}");

    let tag = BlindedTag([1; 32]);
    let letter = vec![7; limits::LETTERS[4]];
    let mail = |alice: &Node, id, request| alice.net.do_(NetCommand::Mail { id, relay: at.clone(), request });
    mail(&alice, 1, MailboxRequest::Deposit { at: tag, letter: letter.clone().into() });
    let stored = NetEvent::Mail { id: 1, answer: Some(MailboxAnswer::Stored) };
    alice.until(|event| *event == stored).await;
    mail(&alice, 2, MailboxRequest::Collect { at: vec![tag], besides: vec![LetterId([0; 16])] });
    let answer = alice.until(|event| matches!(event, NetEvent::Mail { id: 2, .. })).await;
    let NetEvent::Mail { answer: Some(MailboxAnswer::Letters { letters, more: false }), .. } = answer else {
        panic!("{answer:?}")
    };
    assert!(letters.len() == 1 && letters[0].letter == letter);

    let record = vec![3; 99];
    let look_up = |alice: &Node, id, request| alice.net.do_(NetCommand::Lookup { id, relay: at.clone(), request });
    look_up(&alice, 3, LookupRequest::Publish { at: tag, record: record.clone().into() });
    look_up(&alice, 4, LookupRequest::Find { at: vec![tag] });
    let published = NetEvent::Lookup { id: 3, answer: Some(LookupAnswer::Published) };
    let found = NetEvent::Lookup { id: 4, answer: Some(LookupAnswer::Found(vec![(tag, record.into())])) };
    alice.until(|event| *event == published).await;
    alice.until(|event| *event == found).await;
    relay.stop().await;
}
