//! A direct way through NATs: DCUtR over a circuit, with candidates of our choosing.
//!
//! libp2p takes what was once seen of us as a candidate for ever, and fixes the candidates when a
//! circuit is made. So its behaviour is made anew whenever they change, before the next circuit.
//! QUIC alone is tried first: raced against TCP it often loses, although TCP notices no dead path.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NewExternalAddrCandidate, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, dcutr};

use crate::net::address;

/// Most candidates that a peer is told.
const CANDIDATES: usize = 12;

type Action = ToSwarm<dcutr::Event, THandlerInEvent<dcutr::Behaviour>>;

pub struct Punching {
    me: PeerId,
    inner: dcutr::Behaviour,
    /// What `inner` holds.
    candidates: BTreeSet<Multiaddr>,
    /// How each relay sees us, by the connection to it.
    observed: BTreeMap<ConnectionId, (PeerId, Multiaddr)>,
    /// Addresses of this machine.
    own: BTreeSet<Multiaddr>,
    /// Peers that QUIC alone did not reach.
    with_tcp: BTreeSet<PeerId>,
    /// All connections that are no circuits.
    direct: HashMap<ConnectionId, PeerId>,
    pending: VecDeque<Action>,
}

impl Punching {
    pub fn new(me: PeerId) -> Self {
        Self {
            me,
            inner: dcutr::Behaviour::new(me),
            candidates: BTreeSet::new(),
            observed: BTreeMap::new(),
            own: BTreeSet::new(),
            with_tcp: BTreeSet::new(),
            direct: HashMap::new(),
            pending: VecDeque::new(),
        }
    }

    /// A relay sees us there. `true` if that is news.
    pub fn observed(&mut self, relay: PeerId, connection: ConnectionId, address: Multiaddr) -> bool {
        let is_new = !self.observed.values().any(|(_, known)| *known == address);
        self.observed.insert(connection, (relay, address));
        is_new
    }

    /// Replaces the addresses of this machine.
    pub fn set_own(&mut self, own: BTreeSet<Multiaddr>) {
        self.own = own;
    }

    /// TCP is tried as well from now on, or not.
    pub fn try_tcp(&mut self, peer: PeerId, tcp: bool) {
        if tcp {
            self.with_tcp.insert(peer);
        } else {
            self.with_tcp.remove(&peer);
        }
    }

    /// Which relay sees us where.
    pub fn seen_at(&self) -> impl Iterator<Item = (PeerId, &Multiaddr)> {
        self.observed.values().map(|(relay, address)| (*relay, address))
    }

    /// Puts the candidates for this peer in place.
    fn prepare(&mut self, peer: &PeerId) {
        let candidates = self.candidates_for(peer);
        if candidates != self.candidates {
            self.renew(candidates);
        }
    }

    fn candidates_for(&self, peer: &PeerId) -> BTreeSet<Multiaddr> {
        let all = self.observed.values().map(|(_, address)| address).chain(&self.own);
        let (quic, tcp): (Vec<_>, Vec<_>) = all.partition(|address| address::is_quic(address));
        // Relays that are reached over TCP alone mean that UDP does not get out.
        let has_udp = self.observed.values().any(|(_, address)| address::is_quic(address));
        let tcp_too = !has_udp || self.with_tcp.contains(peer);
        let tcp = tcp.into_iter().filter(|address| tcp_too && address::is_plain_tcp(address));
        quic.into_iter().chain(tcp).take(CANDIDATES).cloned().collect()
    }

    fn renew(&mut self, candidates: BTreeSet<Multiaddr>) {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(action) = self.inner.poll(&mut cx) {
            self.pending.push_back(action);
        }
        self.inner = dcutr::Behaviour::new(self.me);
        let anywhere = Multiaddr::empty();
        for (connection, peer) in &self.direct {
            let known = self.inner.handle_established_inbound_connection(*connection, *peer, &anywhere, &anywhere);
            debug_assert!(known.is_ok());
        }
        for addr in &candidates {
            let candidate = NewExternalAddrCandidate { addr };
            self.inner.on_swarm_event(FromSwarm::NewExternalAddrCandidate(candidate));
        }
        self.candidates = candidates;
    }
}

impl NetworkBehaviour for Punching {
    type ConnectionHandler = THandler<dcutr::Behaviour>;
    type ToSwarm = dcutr::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if address::is_relayed(local) {
            self.prepare(&peer);
        }
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
        if address::is_relayed(address) {
            self.prepare(&peer);
        }
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::NewExternalAddrCandidate(_) => return,
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. })
                if !endpoint.is_relayed() =>
            {
                self.direct.insert(connection_id, peer_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.direct.remove(&connection_id);
                self.observed.remove(&connection_id);
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Action> {
        match self.pending.pop_front() {
            Some(action) => Poll::Ready(action),
            None => self.inner.poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn quic_alone_comes_first_and_tcp_when_that_was_not_enough() {
        let (bob, relay) = (PeerId::random(), PeerId::random());
        let mut punching = Punching::new(PeerId::random());
        let (quic, tcp) = (parsed("/ip4/203.0.113.9/udp/7/quic-v1"), parsed("/ip4/203.0.113.9/tcp/7"));
        assert!(punching.observed(relay, ConnectionId::new_unchecked(1), tcp.clone()));
        let own = parsed("/ip4/192.168.1.2/udp/7/quic-v1");
        punching.set_own([own.clone()].into());
        assert_eq!(punching.candidates_for(&bob), [own, tcp.clone()].into(), "UDP does not get out");
        punching.set_own(BTreeSet::new());
        assert!(punching.observed(relay, ConnectionId::new_unchecked(2), quic.clone()));
        assert!(!punching.observed(relay, ConnectionId::new_unchecked(3), quic.clone()));
        assert_eq!(punching.candidates_for(&bob), [quic.clone()].into());
        punching.try_tcp(bob, true);
        assert_eq!(punching.candidates_for(&bob), [quic.clone(), tcp].into());
        punching.try_tcp(bob, false);
        assert_eq!(punching.candidates_for(&bob), [quic].into());
    }

    #[test]
    fn what_was_seen_of_us_once_is_no_candidate_for_ever() {
        let (bob, relay) = (PeerId::random(), PeerId::random());
        let mut punching = Punching::new(PeerId::random());
        for port in 1..4 {
            punching.observed.clear();
            punching.observed(
                relay,
                ConnectionId::new_unchecked(port),
                parsed(&format!("/ip4/203.0.113.9/udp/{port}/quic-v1")),
            );
            punching.prepare(&bob);
            assert_eq!(punching.candidates.len(), 1);
        }
    }
}
