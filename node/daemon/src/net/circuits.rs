//! Which circuits have small limits, as their relays said when they were made.

use std::collections::HashMap;

use libp2p::relay::client::Event;
use libp2p::{Multiaddr, PeerId};

use crate::net::address;

/// A circuit that carries fewer bytes is small: a blob would tear it.
const SMALL: u64 = 4 << 20;
/// Most peers that are remembered to have come by a circuit.
const PEERS: usize = 1024;

/// What relays said of the circuits through them. Of what they did not say, the worst is assumed.
#[derive(Debug, Default)]
pub struct Circuits {
    /// Relay → whether the last circuit that we asked it for is small.
    ours: HashMap<PeerId, bool>,
    /// Peer → whether the last circuit that it came by is small.
    theirs: HashMap<PeerId, bool>,
}

impl Circuits {
    /// A circuit was made; its connection comes after.
    pub fn heed(&mut self, event: &Event) {
        let is_small = |bytes: Option<u64>| bytes.is_some_and(|bytes| (1..SMALL).contains(&bytes));
        match event {
            Event::OutboundCircuitEstablished { relay_peer_id, limit } => {
                self.made(*relay_peer_id, is_small(limit.and_then(|limit| limit.data_in_bytes())));
            }
            Event::InboundCircuitEstablished { src_peer_id, limit } => {
                self.came(*src_peer_id, is_small(limit.and_then(|limit| limit.data_in_bytes())));
            }
            Event::ReservationReqAccepted { .. } => {}
        }
    }

    /// Is the circuit at this address, without the peer at its end, a small one?
    pub fn is_small(&self, peer: &PeerId, address: &Multiaddr) -> bool {
        let said = match address::circuit(address) {
            Some((relay, _)) => self.ours.get(&relay),
            None => self.theirs.get(peer),
        };
        said.copied().unwrap_or(true)
    }

    fn made(&mut self, relay: PeerId, small: bool) {
        self.ours.insert(relay, small);
    }

    fn came(&mut self, peer: PeerId, small: bool) {
        if self.theirs.len() >= PEERS {
            self.theirs.clear();
        }
        self.theirs.insert(peer, small);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_is_small_unless_its_relay_said_otherwise() {
        let (relay, bob) = (PeerId::random(), PeerId::random());
        let ours: Multiaddr = format!("/ip4/203.0.113.7/tcp/4011/p2p/{relay}/p2p-circuit").parse().unwrap();
        let mut circuits = Circuits::default();
        assert!(circuits.is_small(&bob, &ours) && circuits.is_small(&bob, &Multiaddr::empty()));
        circuits.heed(&Event::OutboundCircuitEstablished { relay_peer_id: relay, limit: None });
        assert!(!circuits.is_small(&bob, &ours) && circuits.is_small(&bob, &Multiaddr::empty()));
        circuits.made(relay, true);
        circuits.heed(&Event::InboundCircuitEstablished { src_peer_id: bob, limit: None });
        assert!(circuits.is_small(&bob, &ours) && !circuits.is_small(&bob, &Multiaddr::empty()));
    }
}
