//! What a companion's network carries on the stream of one room: frames, handed on one by one.

use std::time::Instant;

use pairwave_core::input::{LinkId, Protocol};
use pairwave_daemon::net::{self, Net, NetCommand, NetConfig, NetEvent, TransportKey};
use tokio::sync::mpsc;

use crate::bulk::{BYTES, PIECE};

/// Events that may wait, as in a companion.
const EVENTS: usize = 256;
/// Frames that wait to be written.
const UNDER_WAY: usize = 32;
/// Links that we ask for have even numbers.
const LINK: LinkId = LinkId(2);

type Events = mpsc::Receiver<NetEvent>;

/// From the first frame that is sent until the last one is handed on.
pub async fn seconds() -> f64 {
    let (alice, mut at_alice) = start(1);
    let (bob, mut at_bob) = start(2);
    let addresses = until(&mut at_bob, |event| match event {
        NetEvent::Listening { addresses } if !addresses.is_empty() => Some(addresses),
        _ => None,
    })
    .await;
    let peer = bob.transport_id();
    alice.do_(NetCommand::Dial { peer: Some(peer.clone()), addresses });
    until(&mut at_alice, |event| matches!(event, NetEvent::Connected { .. }).then_some(())).await;
    alice.do_(NetCommand::Open { link: LINK, peer, protocol: Protocol::Room });
    until(&mut at_alice, |event| matches!(event, NetEvent::Opened { .. }).then_some(())).await;
    let greeting = || b"hello".to_vec();
    alice.do_(NetCommand::Send { link: LINK, frame: greeting() });
    let theirs = until(&mut at_bob, |event| if let NetEvent::Frame { link, .. } = event { Some(link) } else { None });
    bob.do_(NetCommand::Send { link: theirs.await, frame: greeting() });
    until(&mut at_alice, |event| matches!(event, NetEvent::Frame { .. }).then_some(())).await;
    let began = Instant::now();
    let sends = tokio::spawn(async move {
        for _ in 0..UNDER_WAY {
            alice.do_(NetCommand::Send { link: LINK, frame: vec![7; PIECE] });
        }
        loop {
            until(&mut at_alice, |event| matches!(event, NetEvent::Sent { .. }).then_some(())).await;
            alice.do_(NetCommand::Send { link: LINK, frame: vec![7; PIECE] });
        }
    });
    let mut left = BYTES;
    while left > 0 {
        left = left.saturating_sub(until(&mut at_bob, length).await);
    }
    let taken = began.elapsed().as_secs_f64();
    sends.abort();
    taken
}

fn start(seed: u8) -> (Net, Events) {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().expect("an address")];
    let config =
        NetConfig { listen, mdns: false, punching: false, probing: false, mapping: false, ..NetConfig::default() };
    let (tell, events) = mpsc::channel(EVENTS);
    let key = TransportKey::from_seed([seed; 32]);
    (net::spawn(key, config, tell).expect("a network"), events)
}

fn length(event: NetEvent) -> Option<usize> {
    if let NetEvent::Frame { bytes, .. } = event { Some(bytes.len()) } else { None }
}

async fn until<T>(events: &mut Events, wanted: impl Fn(NetEvent) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(events.recv().await.expect("the network runs")) {
            return found;
        }
    }
}
