//! Reservations, circuits and letters, against a relay in this process.

use libp2p::PeerId;
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};

use super::relay::{TOKEN, TestRelay};
use super::*;

impl Node {
    pub fn wish(&self, relays: &[&str]) {
        self.net.do_(NetCommand::Relays { relays: relays.iter().map(ToString::to_string).collect() });
    }

    /// Waits until others are told of circuits through so many relays.
    pub async fn reserved(&mut self, relays: usize) -> Vec<String> {
        loop {
            if let NetEvent::Listening { addresses } = self.next().await {
                let circuits: Vec<String> =
                    addresses.into_iter().filter(|text| text.contains("/p2p-circuit")).collect();
                let through: BTreeSet<PeerId> =
                    circuits.iter().map(|text| address::circuit(&text.parse().unwrap()).unwrap().0).collect();
                if through.len() == relays {
                    return circuits;
                }
            }
        }
    }

    pub async fn until(&mut self, wanted: impl Fn(&NetEvent) -> bool) -> NetEvent {
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Connects through a circuit alone.
    pub async fn connect_through(&mut self, circuits: Vec<String>, to: &mut Node) {
        self.net.do_(NetCommand::Dial { peer: Some(to.id()), addresses: circuits });
        let (me, other) = (self.id(), to.id());
        self.until(|event| matches!(event, NetEvent::Connected { peer, .. } if *peer == other)).await;
        to.until(|event| matches!(event, NetEvent::Connected { peer, .. } if *peer == me)).await;
    }
}

/// Two that have a reservation at this relay, the one with the lower id first.
async fn two_at(relay: &TestRelay, punching: bool) -> (Node, Node) {
    let config = || NetConfig { punching, ..config(&[QUIC]) };
    let (mut alice, mut bob) = (Node::start(1, config()).await, Node::start(2, config()).await);
    for node in [&mut alice, &mut bob] {
        node.wish(&[&relay.quic()]);
        assert_eq!(node.reserved(1).await, [format!("{}/p2p-circuit", relay.quic())]);
    }
    if alice.id() < bob.id() { (alice, bob) } else { (bob, alice) }
}

#[tokio::test]
async fn a_direct_way_is_found_over_a_circuit() {
    let relay = TestRelay::start(9).await;
    let (mut lower, mut higher) = two_at(&relay, true).await;
    // Whoever it does not want, it would tell nothing.
    higher.net.do_(NetCommand::Dial { peer: Some(lower.id()), addresses: Vec::new() });
    lower.connect_through(vec![format!("{}/p2p-circuit", relay.quic())], &mut higher).await;
    for node in [&lower, &higher] {
        let direct = timeout(LONG, async { while node.net.status().await.connections[0].path != Path::Lan {} });
        direct.await.unwrap();
    }
    let status = lower.net.status().await;
    assert!(status.punches.iter().all(|punch| punch.outcome.is_ok()), "{:?}", status.punches);
}

#[tokio::test]
async fn a_link_over_a_circuit_moves_to_a_direct_connection_and_the_circuit_ends() {
    let mut relay = TestRelay::start(9).await;
    let (mut lower, mut higher) = two_at(&relay, false).await;
    lower.connect_through(vec![format!("{}/p2p-circuit", relay.quic())], &mut higher).await;
    lower.open(LINK, &higher, Protocol::Room);
    lower.until(|event| *event == NetEvent::Opened { link: LINK }).await;
    lower.send(LINK, "by the circuit");
    higher.until(|event| matches!(event, NetEvent::Frame { bytes, .. } if bytes == b"by the circuit")).await;
    assert_eq!(lower.net.status().await.connections[0].path, Path::Relayed);
    lower.net.do_(NetCommand::Dial { peer: Some(higher.id()), addresses: higher.addresses.clone() });
    // Both sides are told; a new link takes the direct way, and the circuit goes with its last one.
    let (low, high) = (lower.id(), higher.id());
    lower.until(|event| *event == NetEvent::BetterPath { peer: high.clone() }).await;
    higher.until(|event| *event == NetEvent::BetterPath { peer: low.clone() }).await;
    // Whoever could not move it then is told again. What is said still goes by the circuit.
    lower.until(|event| *event == NetEvent::BetterPath { peer: high.clone() }).await;
    for node in [&lower, &higher] {
        let shown = &node.net.status().await.connections[0];
        assert_eq!(shown.path, Path::Relayed);
        assert!(shown.address.contains(&relay.peer.to_string()), "{shown:?}");
    }
    lower.open(LinkId(4), &higher, Protocol::Room);
    lower.until(|event| *event == NetEvent::Opened { link: LinkId(4) }).await;
    lower.send(LinkId(4), "directly");
    higher.until(|event| matches!(event, NetEvent::Frame { bytes, .. } if bytes == b"directly")).await;
    assert!(relay.ended.try_recv().is_err());
    lower.hangup(LINK);
    lower.until(|event| *event == NetEvent::Closed { link: LINK }).await;
    timeout(LONG, relay.ended.recv()).await.unwrap().unwrap();
    assert_eq!(lower.net.status().await.connections[0].path, Path::Lan);
}

#[tokio::test]
async fn a_call_is_repeated_while_a_direct_address_hangs() {
    let relay = TestRelay::start(9).await;
    let config = || NetConfig { punching: false, ..config(&[QUIC]) };
    let (mut alice, mut bob) = (Node::start(1, config()).await, Node::start(2, config()).await);
    alice.wish(&[&relay.quic()]);
    alice.reserved(1).await;
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let hangs = format!("/ip4/127.0.0.1/udp/{}/quic-v1", silent.local_addr().unwrap().port());
    let addresses = vec![hangs, format!("{}/p2p-circuit", relay.quic())];
    alice.net.do_(NetCommand::Dial { peer: Some(bob.id()), addresses });
    let refused = async { while alice.net.status().await.dials.is_empty() {} };
    timeout(LONG, refused).await.unwrap();
    bob.wish(&[&relay.quic()]);
    bob.reserved(1).await;
    alice.until(|event| matches!(event, NetEvent::Connected { peer, .. } if *peer == bob.id())).await;
    assert_eq!(alice.net.status().await.connections[0].path, Path::Relayed);
}

#[tokio::test]
async fn a_relay_that_dies_is_replaced_at_once() {
    let (first, second, third) = (TestRelay::start(7).await, TestRelay::start(8).await, TestRelay::start(9).await);
    let mut alice = Node::start(1, config(&[QUIC])).await;
    alice.wish(&[&first.quic(), &second.quic(), &third.quic(), "nonsense"]);
    let circuits = alice.reserved(2).await;
    let (dying, others): (Vec<_>, Vec<_>) =
        [first, second, third].into_iter().partition(|relay| circuits[0].contains(&relay.peer.to_string()));
    let dead = dying[0].peer.to_string();
    for relay in dying {
        relay.kill().await;
    }
    let all = |circuits: &[String]| {
        others.iter().all(|relay| circuits.iter().any(|one| one.contains(&relay.peer.to_string())))
    };
    loop {
        let circuits = alice.reserved(2).await;
        if all(&circuits) {
            assert!(!circuits.iter().any(|one| one.contains(&dead)));
            break;
        }
    }
    let status = alice.net.status().await.relays;
    assert_eq!(status.iter().filter(|relay| relay.reserved).count(), 2, "{status:?}");
}

#[tokio::test]
async fn a_relay_without_quic_is_reached_over_tcp() {
    let relay = TestRelay::start(9).await;
    let mut alice = Node::start(1, config(&[QUIC, TCP])).await;
    let texts = relay.texts();
    let tcp = texts.iter().find(|text| text.contains("/tcp/")).unwrap();
    let dead = format!("/ip4/127.0.0.1/udp/9/quic-v1/p2p/{}", relay.peer);
    alice.wish(&[&dead, tcp]);
    // Others are told both ways, for their network may let out what ours does not.
    assert_eq!(alice.reserved(1).await.len(), 2);
}

fn deposit() -> MailboxRequest {
    let letter = vec![7; limits::LETTERS[4]];
    MailboxRequest::Deposit { at: BlindedTag([1; 32]), letter: serde_bytes(letter) }
}

/// The letter's type, without naming its crate here.
fn serde_bytes<T: From<Vec<u8>>>(bytes: Vec<u8>) -> T {
    bytes.into()
}

#[tokio::test]
async fn requests_are_answered_in_turn_on_one_stream() {
    let relay = TestRelay::start(9).await;
    let mut alice = Node::start(1, config(&[QUIC])).await;
    let at = address::transport_id(&relay.peer);
    let ask = |alice: &Node, id, request| alice.net.do_(NetCommand::Mail { id, relay: at.clone(), request });
    ask(&alice, 1, deposit());
    alice.expect(NetEvent::Mail { id: 1, answer: None }).await;
    alice.wish(&[&relay.quic()]);
    alice.until(|event| *event == NetEvent::Relays { connected: vec![at.clone()] }).await;
    for id in 2..6 {
        ask(&alice, id, deposit());
    }
    for wanted in 2..6 {
        let answer = alice.until(|event| matches!(event, NetEvent::Mail { .. })).await;
        assert_eq!(answer, NetEvent::Mail { id: wanted, answer: Some(MailboxAnswer::Stored) });
    }
    let lookup = LookupRequest::Find { at: Vec::new() };
    alice.net.do_(NetCommand::Lookup { id: 6, relay: at.clone(), request: lookup });
    let none = NetEvent::Lookup { id: 6, answer: None };
    alice.until(|event| *event == none).await;
    relay.kill().await;
    alice.until(|event| *event == NetEvent::Relays { connected: Vec::new() }).await;
}

#[tokio::test]
async fn a_token_that_is_welcome_makes_a_new_connection_before_the_reservation() {
    let mut relay = TestRelay::start(9).await;
    let mut alice = Node::start(1, config(&[QUIC])).await;
    alice.wish(&[&format!("{}#{TOKEN}", relay.quic())]);
    alice.reserved(1).await;
    let me = address::peer_id(&alice.id()).unwrap();
    assert_eq!([relay.visits.try_recv(), relay.visits.try_recv()], [Ok(me), Ok(me)]);
    assert!(relay.visits.try_recv().is_err(), "and no third one");
    let status = alice.net.status().await.relays.remove(0);
    assert!(status.connected && status.reserved && status.why.is_none() && !status.address.contains('#'), "{status:?}");
}

#[tokio::test]
async fn a_token_that_is_not_welcome_leaves_a_strangers_reservation() {
    let mut relay = TestRelay::start(9).await;
    let mut alice = Node::start(1, config(&[QUIC])).await;
    alice.wish(&[&format!("{}#prt-bad", relay.quic())]);
    alice.reserved(1).await;
    assert!(relay.visits.try_recv().is_ok() && relay.visits.try_recv().is_err());
}
