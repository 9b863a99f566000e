//! Whether others can reach us: AutoNAT v2, asked of relays that offer it.
//!
//! What was confirmed holds for the network that it was confirmed in, so after a change everything
//! is asked anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::{Context, Poll};

use libp2p::autonat::v2::client;
use libp2p::core::{ConnectedPoint, Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NewExternalAddrCandidate, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// Most addresses that are probed in one network.
const PROBED: usize = 12;

/// How often an address is probed on average, if nobody says what came of it: behind a NAT the relay
/// takes as long to find out as we wait.
const TRIES: usize = 2;

/// A probe ended.
#[derive(Debug)]
pub struct Probed;

pub struct Probing {
    inner: client::Behaviour,
    connections: BTreeMap<ConnectionId, (PeerId, ConnectedPoint)>,
    candidates: BTreeSet<Multiaddr>,
    confirmed: BTreeSet<Multiaddr>,
    refuted: BTreeSet<Multiaddr>,
    tries: usize,
    pending: VecDeque<ToSwarm<Probed, THandlerInEvent<client::Behaviour>>>,
}

impl Probing {
    pub fn new() -> Self {
        Self {
            inner: client::Behaviour::default(),
            connections: BTreeMap::new(),
            candidates: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            refuted: BTreeSet::new(),
            tries: 0,
            pending: VecDeque::new(),
        }
    }

    /// We may be reachable there.
    pub fn suggest(&mut self, address: &Multiaddr) {
        if self.candidates.len() < PROBED && self.candidates.insert(address.clone()) {
            let candidate = NewExternalAddrCandidate { addr: address };
            self.inner.on_swarm_event(FromSwarm::NewExternalAddrCandidate(candidate));
        }
    }

    /// The network is another one: nothing that was found out holds any more.
    pub fn restart(&mut self) {
        self.inner = client::Behaviour::default();
        for (connection_id, (peer_id, endpoint)) in &self.connections {
            self.inner.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id: *peer_id,
                connection_id: *connection_id,
                endpoint,
                failed_addresses: &[],
                other_established: 0,
            }));
        }
        self.candidates.clear();
        self.confirmed.clear();
        self.refuted.clear();
        self.tries = 0;
    }

    /// Where others have reached us.
    pub fn confirmed(&self) -> impl Iterator<Item = &Multiaddr> {
        self.confirmed.iter()
    }

    /// Whether somebody tried, and nobody could.
    pub fn is_refuted(&self) -> bool {
        self.confirmed.is_empty() && !self.refuted.is_empty()
    }

    fn is_settled(&self) -> bool {
        self.candidates.len() <= self.confirmed.len() + self.refuted.len()
    }

    fn on_event(&mut self, event: client::Event) {
        let client::Event { tested_addr, server, result, .. } = event;
        tracing::debug!(address = %tested_addr, %server, ok = result.is_ok(), "an address of ours was probed");
        // One from before a change says nothing about this network.
        if !self.candidates.contains(&tested_addr) {
            return;
        }
        match result {
            Ok(()) => {
                self.refuted.remove(&tested_addr);
                self.confirmed.insert(tested_addr)
            }
            Err(_) => self.refuted.insert(tested_addr),
        };
    }

    /// Another probe is to begin. `false` if it is in vain: whatever nobody has reached so far is
    /// unreachable.
    fn try_again(&mut self) -> bool {
        self.tries += 1;
        if self.tries <= TRIES * self.candidates.len() {
            return true;
        }
        self.refuted = self.candidates.difference(&self.confirmed).cloned().collect();
        false
    }
}

impl NetworkBehaviour for Probing {
    type ConnectionHandler = THandler<client::Behaviour>;
    type ToSwarm = Probed;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::NewExternalAddrCandidate(_) => return,
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                self.connections.insert(connection_id, (peer_id, endpoint.clone()));
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.connections.remove(&connection_id);
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    /// What is confirmed is kept here; told to the node, it would reach everybody by identify.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Probed, THandlerInEvent<Self>>> {
        loop {
            if let Some(action) = self.pending.pop_front() {
                return Poll::Ready(action);
            }
            // Its clock would wake us for nothing.
            if self.is_settled() {
                return Poll::Pending;
            }
            match self.inner.poll(cx) {
                Poll::Ready(ToSwarm::ExternalAddrConfirmed(_)) => {}
                Poll::Ready(ToSwarm::GenerateEvent(event)) => {
                    self.on_event(event);
                    return Poll::Ready(ToSwarm::GenerateEvent(Probed));
                }
                Poll::Ready(ToSwarm::NotifyHandler { .. }) if !self.try_again() => {
                    return Poll::Ready(ToSwarm::GenerateEvent(Probed));
                }
                Poll::Ready(other) => self.pending.push_back(other.map_out(|_| Probed)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::Endpoint;

    fn address(port: usize) -> Multiaddr {
        format!("/ip4/203.0.113.9/udp/{port}/quic-v1").parse().unwrap()
    }

    #[tokio::test]
    async fn few_addresses_are_probed_and_anew_in_another_network() {
        let mut probing = Probing::new();
        assert!(probing.is_settled());
        (1..99).for_each(|port| probing.suggest(&address(port)));
        assert_eq!(probing.candidates.len(), PROBED);
        probing.refuted.insert(address(1));
        assert!(probing.is_refuted() && !probing.is_settled());
        probing.confirmed.insert(address(2));
        assert!(!probing.is_refuted());
        let endpoint =
            ConnectedPoint::Dialer { address: address(1), role_override: Endpoint::Dialer, port_use: PortUse::New };
        let id = ConnectionId::new_unchecked(1);
        let established = ConnectionEstablished {
            peer_id: PeerId::random(),
            connection_id: id,
            endpoint: &endpoint,
            failed_addresses: &[],
            other_established: 0,
        };
        probing.on_swarm_event(FromSwarm::ConnectionEstablished(established));
        probing.restart();
        assert!(probing.is_settled() && probing.confirmed().next().is_none());
        // A connection from before may still end.
        let closed = ConnectionClosed {
            peer_id: PeerId::random(),
            connection_id: id,
            endpoint: &endpoint,
            cause: None,
            remaining_established: 0,
        };
        probing.on_swarm_event(FromSwarm::ConnectionClosed(closed));
        assert!(probing.connections.is_empty());
    }

    #[test]
    fn nobody_asks_for_ever() {
        let mut probing = Probing::new();
        (1..=3).for_each(|port| probing.suggest(&address(port)));
        probing.confirmed.insert(address(1));
        assert!((0..3 * TRIES).all(|_| probing.try_again()));
        assert!(!probing.is_settled());
        assert!(!probing.try_again());
        assert!(probing.is_settled() && probing.refuted.len() == 2);
        probing.restart();
        probing.suggest(&address(1));
        assert!(probing.try_again());
    }
}
