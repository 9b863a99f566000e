mod proxied;
mod relay;
mod relayed;
mod shipped;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{SwarmBuilder, identify};
use pairwave_wire::{limits, protocol};
use tokio::time::timeout;

use super::*;

/// Only keeps a broken test from hanging.
const LONG: Duration = Duration::from_secs(30);
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

/// A network on loopback, and what it told.
struct Node {
    net: Net,
    events: mpsc::Receiver<NetEvent>,
    addresses: Vec<String>,
}

fn config(listen: &[&str]) -> NetConfig {
    let listen = listen.iter().map(|text| text.parse().unwrap()).collect();
    NetConfig { listen, mdns: false, mapping: false, leasing: false, ..NetConfig::default() }
}

fn patient(change: impl FnOnce(&mut Patience)) -> NetConfig {
    let mut config = config(&[QUIC, TCP]);
    change(&mut config.patience);
    config
}

impl Node {
    async fn start(seed: u8, config: NetConfig) -> Self {
        Self::start_with_room(seed, config, 64).await
    }

    async fn start_with_room(seed: u8, config: NetConfig, room: usize) -> Self {
        let listeners = config.listen.len();
        let (sender, events) = mpsc::channel(room);
        let net = spawn(TransportKey::from_seed([seed; 32]), config, sender).unwrap();
        let mut node = Self { net, events, addresses: Vec::new() };
        while node.addresses.len() < listeners {
            if let NetEvent::Listening { addresses } = node.next().await {
                node.addresses = addresses;
            }
        }
        node
    }

    fn id(&self) -> TransportId {
        self.net.transport_id()
    }

    async fn next(&mut self) -> NetEvent {
        timeout(LONG, self.events.recv()).await.expect("an event").expect("a running network")
    }

    async fn expect(&mut self, wanted: NetEvent) {
        assert_eq!(self.next().await, wanted);
    }

    /// Skips what the transport took, which comes at any time.
    async fn next_but_sent(&mut self) -> NetEvent {
        loop {
            let event = self.next().await;
            if !matches!(event, NetEvent::Sent { .. }) {
                return event;
            }
        }
    }

    async fn expect_but_sent(&mut self, wanted: NetEvent) {
        assert_eq!(self.next_but_sent().await, wanted);
    }

    async fn accepted(&mut self) -> LinkId {
        match self.next_but_sent().await {
            NetEvent::Accepted { link, .. } => link,
            other => panic!("{other:?}"),
        }
    }

    fn send(&self, link: LinkId, frame: impl Into<Vec<u8>>) {
        self.net.do_(NetCommand::Send { link, frame: frame.into() });
    }

    fn open(&self, link: LinkId, to: &Node, protocol: Protocol) {
        self.net.do_(NetCommand::Open { link, peer: to.id(), protocol });
    }

    fn hangup(&self, link: LinkId) {
        self.net.do_(NetCommand::Hangup { link });
    }

    async fn connect(&mut self, to: &mut Node) {
        self.net.do_(NetCommand::Dial { peer: Some(to.id()), addresses: to.addresses.clone() });
        assert!(matches!(self.next().await, NetEvent::Connected { peer, .. } if peer == to.id()));
        assert!(matches!(to.next().await, NetEvent::Connected { peer, .. } if peer == self.id()));
    }

    /// Opens a link that has proved itself on both sides.
    async fn link(&mut self, link: LinkId, to: &mut Node) -> LinkId {
        self.open(link, to, Protocol::Room);
        self.expect(NetEvent::Opened { link }).await;
        self.send(link, "hello");
        let theirs = to.accepted().await;
        to.expect(NetEvent::Frame { link: theirs, bytes: "hello".into() }).await;
        to.send(theirs, "welcome");
        to.expect(NetEvent::Sent { link: theirs }).await;
        self.expect_but_sent(NetEvent::Frame { link, bytes: "welcome".into() }).await;
        theirs
    }
}

async fn two() -> (Node, Node) {
    two_with(patient(|_| {})).await
}

async fn two_with(config: NetConfig) -> (Node, Node) {
    let (mut alice, mut bob) = (Node::start(1, config.clone()).await, Node::start(2, config).await);
    alice.connect(&mut bob).await;
    (alice, bob)
}

const LINK: LinkId = LinkId(2);

#[tokio::test]
async fn frames_cross_and_the_end_is_told_once() {
    let (mut alice, mut bob) = two().await;
    let theirs = alice.link(LINK, &mut bob).await;
    assert_eq!(theirs.0 % 2, 1, "accepted links are odd");
    alice.hangup(LINK);
    alice.expect_but_sent(NetEvent::Closed { link: LINK }).await;
    bob.expect_but_sent(NetEvent::Closed { link: theirs }).await;
    bob.hangup(theirs);
    alice.hangup(LINK);
    let again = alice.link(LinkId(4), &mut bob).await;
    assert_ne!(again, theirs);
}

#[tokio::test]
async fn ten_thousand_frames_arrive_in_order() {
    const COUNT: u32 = 10_000;
    let (mut alice, mut bob) = two().await;
    let theirs = alice.link(LINK, &mut bob).await;
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            alice.send(LINK, number.to_be_bytes());
        }
        for _ in 0..COUNT {
            alice.expect(NetEvent::Sent { link: LINK }).await;
        }
        alice
    });
    for number in 0..COUNT {
        bob.expect(NetEvent::Frame { link: theirs, bytes: number.to_be_bytes().into() }).await;
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn a_slow_reader_makes_the_writer_wait() {
    const COUNT: u8 = 200;
    let mut alice = Node::start_with_room(1, patient(|_| {}), 2 * usize::from(COUNT)).await;
    let mut bob = Node::start_with_room(2, patient(|_| {}), 1).await;
    alice.connect(&mut bob).await;
    let theirs = alice.link(LINK, &mut bob).await;
    for number in 0..COUNT {
        alice.send(LINK, [number; 60_000]);
    }
    let mut sent = 0;
    while let Ok(Some(event)) = timeout(Duration::from_millis(500), alice.events.recv()).await {
        assert_eq!(event, NetEvent::Sent { link: LINK });
        sent += 1;
    }
    assert!(sent < u32::from(COUNT) / 2, "{sent} frames were taken of a peer that reads nothing");
    for number in 0..COUNT {
        bob.expect(NetEvent::Frame { link: theirs, bytes: vec![number; 60_000] }).await;
    }
}

#[tokio::test]
async fn what_was_sent_before_a_hangup_arrives() {
    let (mut alice, mut bob) = two().await;
    let theirs = alice.link(LINK, &mut bob).await;
    for number in 0..50 {
        alice.send(LINK, [number; 10_000]);
    }
    alice.hangup(LINK);
    for number in 0..50 {
        bob.expect_but_sent(NetEvent::Frame { link: theirs, bytes: vec![number; 10_000] }).await;
    }
    bob.expect_but_sent(NetEvent::Closed { link: theirs }).await;
}

#[tokio::test]
async fn what_was_sent_before_a_shutdown_arrives() {
    let (mut alice, mut bob) = two().await;
    let theirs = alice.link(LINK, &mut bob).await;
    for number in 0..50 {
        alice.send(LINK, [number; 10_000]);
    }
    let id = alice.id();
    let stopping = tokio::spawn(async move {
        alice.net.shutdown().await;
        assert!(alice.net.status().await.connections.is_empty());
        // A second time does nothing.
        alice.net.shutdown().await;
    });
    for number in 0..50 {
        bob.expect_but_sent(NetEvent::Frame { link: theirs, bytes: vec![number; 10_000] }).await;
    }
    bob.expect_but_sent(NetEvent::Closed { link: theirs }).await;
    bob.expect(NetEvent::Disconnected { peer: id }).await;
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_large_first_frame_of_a_stranger_reaches_nobody() {
    let (mut alice, mut bob) = two().await;
    alice.open(LINK, &bob, Protocol::Room);
    alice.expect(NetEvent::Opened { link: LINK }).await;
    alice.send(LINK, vec![7; limits::FIRST_FRAME + 1]);
    alice.expect_but_sent(NetEvent::Closed { link: LINK }).await;
    // The first thing that bob hears of is the link after it.
    alice.link(LinkId(4), &mut bob).await;
    // Which may carry large frames, now that it has proved itself.
    alice.send(LinkId(4), vec![7; limits::FRAME]);
    assert!(matches!(bob.next().await, NetEvent::Frame { bytes, .. } if bytes.len() == limits::FRAME));
}

#[tokio::test]
async fn a_silent_stranger_is_cut_and_reaches_nobody() {
    let (mut alice, mut bob) = two_with(patient(|patience| patience.first_frame = Duration::from_millis(50))).await;
    alice.open(LINK, &bob, Protocol::Room);
    alice.expect(NetEvent::Opened { link: LINK }).await;
    alice.expect(NetEvent::Closed { link: LINK }).await;
    alice.open(LinkId(4), &bob, Protocol::Room);
    alice.send(LinkId(4), "too early, so it is dropped");
    alice.expect(NetEvent::Opened { link: LinkId(4) }).await;
    alice.send(LinkId(4), "hello");
    let theirs = bob.accepted().await;
    bob.expect(NetEvent::Frame { link: theirs, bytes: "hello".into() }).await;
}

#[tokio::test]
async fn a_stranger_without_an_answer_is_cut() {
    let (mut alice, mut bob) = two_with(patient(|patience| patience.answer = Duration::from_millis(50))).await;
    alice.open(LINK, &bob, Protocol::Knock);
    alice.expect(NetEvent::Opened { link: LINK }).await;
    alice.send(LINK, "hello");
    alice.send(LINK, "is anybody there?");
    let theirs = bob.accepted().await;
    bob.expect(NetEvent::Frame { link: theirs, bytes: "hello".into() }).await;
    bob.expect(NetEvent::Closed { link: theirs }).await;
    alice.expect_but_sent(NetEvent::Closed { link: LINK }).await;
}

#[tokio::test]
async fn knocks_are_limited() {
    let (mut alice, mut bob) = two().await;
    for number in 1..=5 {
        let link = LinkId(2 * number);
        alice.open(link, &bob, Protocol::Knock);
        alice.expect(NetEvent::Opened { link }).await;
        alice.send(link, "knock");
        let theirs = bob.accepted().await;
        bob.expect(NetEvent::Frame { link: theirs, bytes: "knock".into() }).await;
        bob.hangup(theirs);
        bob.expect(NetEvent::Closed { link: theirs }).await;
        alice.expect_but_sent(NetEvent::Closed { link }).await;
    }
    let sixth = LinkId(12);
    alice.open(sixth, &bob, Protocol::Knock);
    alice.expect(NetEvent::Opened { link: sixth }).await;
    alice.send(sixth, "knock");
    alice.expect_but_sent(NetEvent::Closed { link: sixth }).await;
    // A member's link is no knock, and the first that bob hears of.
    alice.link(LinkId(14), &mut bob).await;
}

#[tokio::test]
async fn a_failed_dial_is_told() {
    let mut alice = Node::start(1, config(&[TCP])).await;
    let nobody = address::transport_id(&libp2p::PeerId::random());
    let disconnected = NetEvent::Disconnected { peer: nobody.clone() };
    let unusable = ["/ip4/127.0.0.1/tcp/1", "/ip6/fe80::1/tcp/1", "no address"];
    for address in unusable {
        alice.net.do_(NetCommand::Dial { peer: Some(nobody.clone()), addresses: vec![address.into()] });
        alice.expect(disconnected.clone()).await;
    }
    // Somebody else answers there: that is no connection to who was meant.
    let bob = Node::start(2, config(&[TCP])).await;
    alice.net.do_(NetCommand::Dial { peer: Some(nobody), addresses: bob.addresses });
    alice.expect(disconnected).await;
}

#[tokio::test]
async fn a_link_to_nobody_is_closed() {
    let (mut alice, bob) = (Node::start(1, config(&[TCP])).await, Node::start(2, config(&[TCP])).await);
    alice.open(LINK, &bob, Protocol::Room);
    alice.expect(NetEvent::Closed { link: LINK }).await;
}

#[tokio::test]
async fn whoever_answers_can_be_dialled() {
    let (mut alice, bob) = (Node::start(1, config(&[TCP])).await, Node::start(2, config(&[TCP])).await);
    alice.net.do_(NetCommand::Dial { peer: None, addresses: bob.addresses.clone() });
    assert!(matches!(alice.next().await, NetEvent::Connected { peer, .. } if peer == bob.id()));
}

#[tokio::test]
async fn quic_is_preferred_and_tcp_is_enough() {
    let (alice, bob) = two().await;
    let status = alice.net.status().await;
    assert!(status.connections[0].address.ends_with("/quic-v1"), "{status:?}");
    assert_eq!(status.connections[0].path, Path::Lan);
    assert_eq!(status.connections[0].peer, bob.id());
    let mut carol = Node::start(3, config(&[TCP])).await;
    let mut dave = Node::start(4, config(&[TCP])).await;
    carol.connect(&mut dave).await;
    carol.link(LINK, &mut dave).await;
    let status = carol.net.status().await;
    assert!(status.connections[0].address.contains("/tcp/"), "{status:?}");
}

#[tokio::test]
async fn a_hangup_for_silence_closes_the_connection_and_another_can_be_made() {
    let (mut alice, mut bob) = two_with(patient(|patience| patience.silence = Duration::ZERO)).await;
    let theirs = alice.link(LINK, &mut bob).await;
    alice.hangup(LINK);
    alice.expect_but_sent(NetEvent::Closed { link: LINK }).await;
    alice.expect_but_sent(NetEvent::Disconnected { peer: bob.id() }).await;
    bob.expect_but_sent(NetEvent::Closed { link: theirs }).await;
    bob.expect_but_sent(NetEvent::Disconnected { peer: alice.id() }).await;
    alice.connect(&mut bob).await;
}

#[tokio::test]
async fn addresses_are_bare_and_a_taken_port_is_named() {
    let alice = Node::start(1, config(&[QUIC, TCP])).await;
    assert!(alice.addresses.iter().all(|address| !address.contains("/p2p/")), "{:?}", alice.addresses);
    assert_eq!(alice.net.status().await.listening, alice.addresses);
    let (sender, _events) = mpsc::channel(1);
    let taken: Multiaddr = alice.addresses.iter().find(|address| address.contains("udp")).unwrap().parse().unwrap();
    let config = NetConfig { listen: vec![taken.clone()], ..config(&[]) };
    let failed = spawn(TransportKey::from_seed([2; 32]), config, sender).err();
    assert!(matches!(failed, Some(NetError::Listen { address, .. }) if address == taken));
}

#[tokio::test]
async fn a_stranger_learns_nothing_but_the_protocols() {
    let alice = Node::start(1, config(&[TCP])).await;
    let mut stranger = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(Default::default(), libp2p::noise::Config::new, libp2p::yamux::Config::default)
        .unwrap()
        .with_behaviour(|key| identify::Behaviour::new(identify::Config::new("stranger".into(), key.public())))
        .unwrap()
        .build();
    let address: Multiaddr = alice.addresses[0].parse().unwrap();
    stranger.dial(address).unwrap();
    let info = timeout(LONG, async {
        loop {
            if let SwarmEvent::Behaviour(identify::Event::Received { info, .. }) = stranger.select_next_some().await {
                return info;
            }
        }
    })
    .await
    .unwrap();
    assert!(info.listen_addrs.is_empty(), "{:?}", info.listen_addrs);
    assert_eq!(info.agent_version, protocol::agent_version());
    let protocols: BTreeSet<String> = info.protocols.iter().map(ToString::to_string).collect();
    let known = [
        protocol::ROOM,
        protocol::KNOCK,
        "/ipfs/id/1.0.0",
        "/ipfs/id/push/1.0.0",
        "/ipfs/ping/1.0.0",
        "/libp2p/circuit/relay/0.2.0/stop",
        "/libp2p/autonat/2/dial-back",
    ];
    assert_eq!(protocols, known.map(str::to_owned).into());
}
