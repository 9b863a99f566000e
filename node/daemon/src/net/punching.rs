//! A direct way through NATs: DCUtR over a circuit, with candidates of our choosing.
//!
//! libp2p takes what was once seen of us as a candidate for ever, and fixes the candidates when a
//! circuit is made. So its behaviour is made anew whenever they change, before the next circuit.
//! QUIC alone is tried first: raced against TCP it often loses, although TCP notices no dead path.
//!
//! Whoever comes by a circuit could learn our addresses and have us dial wherever it likes. So only
//! who is wanted is told and dialled, and only where a peer may be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished, DialFailure};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NewExternalAddrCandidate, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, dcutr};

use crate::net::address;
use crate::net::interfaces::Interface;

/// Most candidates that a peer is told.
const CANDIDATES: usize = 12;
/// How often one circuit may bring us to dial.
const RUNS: usize = 3;
/// Most addresses that are remembered as no news.
const SEEN: usize = 32;
/// Most peers that are remembered as wanted.
const WANTED: usize = 1024;

type Action = ToSwarm<dcutr::Event, THandlerInEvent<dcutr::Behaviour>>;

/// A dial leads where no peer is.
#[derive(Debug, thiserror::Error)]
#[error("some of these addresses are not dialled")]
struct Elsewhere;

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
    /// Where relays have seen us in this network, the last at the end.
    seen: VecDeque<Multiaddr>,
    /// Peers that we may punch to, the last to be wanted at the end.
    wanted: VecDeque<PeerId>,
    /// The networks that this machine is in.
    networks: Vec<Interface>,
    /// Circuits of those who are wanted, and how often each was the way to a punch.
    runs: HashMap<ConnectionId, usize>,
    /// Dials of `inner` that have not begun.
    asked: HashSet<ConnectionId>,
    /// Dials of `inner` that others stand in for.
    replaced: HashSet<ConnectionId>,
    /// The stand-ins, and what `inner` knows them as.
    stand_ins: HashMap<ConnectionId, ConnectionId>,
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
            seen: VecDeque::new(),
            wanted: VecDeque::new(),
            networks: Vec::new(),
            runs: HashMap::new(),
            asked: HashSet::new(),
            replaced: HashSet::new(),
            stand_ins: HashMap::new(),
            pending: VecDeque::new(),
        }
    }

    /// A relay sees us there. `true` if that is news.
    pub fn observed(&mut self, relay: PeerId, connection: ConnectionId, address: Multiaddr) -> bool {
        // Every connection over TCP has a port of its own.
        let seen = if address::is_quic(&address) { address.clone() } else { address::host(&address) };
        let known = self.seen.len();
        self.seen.retain(|known| *known != seen);
        let is_new = self.seen.len() == known;
        if self.seen.len() >= SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
        self.observed.insert(connection, (relay, address));
        is_new
    }

    /// The network is another one: whatever is seen of us now is news.
    pub fn moved(&mut self) {
        self.seen.clear();
    }

    /// Replaces the addresses of this machine, and the networks that it is in.
    pub fn set_own(&mut self, own: BTreeSet<Multiaddr>, networks: Vec<Interface>) {
        self.own = own;
        self.networks = networks;
    }

    /// A direct way to this peer is welcome.
    pub fn want(&mut self, peer: PeerId) {
        self.wanted.retain(|known| *known != peer);
        if self.wanted.len() >= WANTED {
            self.wanted.pop_front();
        }
        self.wanted.push_back(peer);
    }

    pub fn wants(&self, peer: &PeerId) -> bool {
        self.wanted.contains(peer)
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
    fn prepare(&mut self, circuit: ConnectionId, peer: &PeerId) {
        let mut candidates = BTreeSet::new();
        if self.wants(peer) {
            self.runs.insert(circuit, 0);
            candidates = self.candidates_for(peer);
        }
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
        // The new one is told of all direct connections under their own names.
        self.stand_ins.clear();
    }

    /// Whether a peer may be there.
    fn is_sound(&self, address: &Multiaddr) -> bool {
        let at = address::without_peer(address.clone());
        let is_way = address::is_quic(&at) || address::is_plain_tcp(&at);
        is_way && address::ip(&at).is_some_and(|ip| self.may_be_at(ip.to_canonical()))
    }

    fn may_be_at(&self, ip: IpAddr) -> bool {
        let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        if ip.is_unspecified() || ip.is_multicast() || is_broadcast {
            return false;
        }
        if ip.is_loopback() {
            // With a relay on this machine, its peers may be here as well.
            return self.observed.values().any(|(_, at)| address::ip(at).is_some_and(|ip| ip.is_loopback()));
        }
        let is_near = || self.networks.iter().any(|network| network.contains(&ip));
        let is_link_local = matches!(ip, IpAddr::V4(v4) if v4.is_link_local()) || address::is_link_local(&ip);
        !is_link_local && (!address::is_private(&ip) || is_near())
    }

    /// Dials these in place of what was asked for.
    fn stand_in(&mut self, asked: ConnectionId, peer: PeerId, addresses: Vec<Multiaddr>, role: Endpoint) {
        let dial = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses);
        let opts = if role.is_listener() { dial.override_role().build() } else { dial.build() };
        self.replaced.insert(asked);
        self.stand_ins.insert(opts.connection_id(), asked);
        self.pending.push_back(ToSwarm::Dial { opts });
    }

    fn on_dial_failed(&mut self, failure: DialFailure) {
        self.asked.remove(&failure.connection_id);
        if self.replaced.remove(&failure.connection_id) {
            return;
        }
        let connection_id = self.stand_ins.remove(&failure.connection_id).unwrap_or(failure.connection_id);
        self.inner.on_swarm_event(FromSwarm::DialFailure(DialFailure { connection_id, ..failure }));
    }

    fn on_closed(&mut self, closed: ConnectionClosed) {
        self.direct.remove(&closed.connection_id);
        self.observed.remove(&closed.connection_id);
        self.runs.remove(&closed.connection_id);
        let connection_id = self.stand_ins.remove(&closed.connection_id).unwrap_or(closed.connection_id);
        self.inner.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, ..closed }));
    }
}

impl NetworkBehaviour for Punching {
    type ConnectionHandler = THandler<dcutr::Behaviour>;
    type ToSwarm = dcutr::Event;

    /// What `inner` dials is what the other side told it.
    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if !self.asked.remove(&connection) {
            return Ok(Vec::new());
        }
        let sound = addresses.iter().filter(|address| self.is_sound(address)).take(CANDIDATES);
        let sound: Vec<Multiaddr> = sound.cloned().collect();
        if sound.len() == addresses.len() {
            return Ok(Vec::new());
        }
        if let Some(peer) = peer.filter(|_| !sound.is_empty()) {
            self.stand_in(connection, peer, sound, role);
        }
        Err(ConnectionDenied::new(Elsewhere))
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if address::is_relayed(local) {
            self.prepare(connection, &peer);
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
            self.prepare(connection, &peer);
        }
        let known_as = self.stand_ins.get(&connection).copied().unwrap_or(connection);
        self.inner.handle_established_outbound_connection(known_as, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::NewExternalAddrCandidate(_) => return,
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. })
                if !endpoint.is_relayed() =>
            {
                self.direct.insert(connection_id, peer_id);
            }
            FromSwarm::ConnectionClosed(closed) => return self.on_closed(closed),
            FromSwarm::DialFailure(failure) => return self.on_dial_failed(failure),
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        let Some(runs) = self.runs.get_mut(&connection).filter(|runs| **runs < RUNS) else { return };
        *runs += 1;
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Action> {
        let action = match self.pending.pop_front() {
            Some(action) => Poll::Ready(action),
            None => self.inner.poll(cx),
        };
        if let Poll::Ready(ToSwarm::Dial { opts }) = &action {
            self.asked.insert(opts.connection_id());
        }
        action
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
        punching.set_own([own.clone()].into(), Vec::new());
        assert_eq!(punching.candidates_for(&bob), [own, tcp.clone()].into(), "UDP does not get out");
        punching.set_own(BTreeSet::new(), Vec::new());
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
            punching.want(bob);
            punching.observed.clear();
            punching.observed(
                relay,
                ConnectionId::new_unchecked(port),
                parsed(&format!("/ip4/203.0.113.9/udp/{port}/quic-v1")),
            );
            punching.prepare(ConnectionId::new_unchecked(9), &bob);
            assert_eq!(punching.candidates.len(), 1);
        }
    }

    #[test]
    fn only_who_is_wanted_is_told_where_we_are_and_dialled() {
        let (bob, mallory, relay) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut punching = Punching::new(PeerId::random());
        punching.observed(relay, ConnectionId::new_unchecked(1), parsed("/ip4/203.0.113.9/udp/7/quic-v1"));
        punching.want(bob);
        punching.prepare(ConnectionId::new_unchecked(2), &bob);
        assert_eq!((punching.candidates.len(), punching.runs.len()), (1, 1));
        punching.prepare(ConnectionId::new_unchecked(3), &mallory);
        assert_eq!((punching.candidates.len(), punching.runs.len()), (0, 1));
        (0..WANTED).for_each(|_| punching.want(PeerId::random()));
        assert!(!punching.wants(&bob) && punching.wanted.len() == WANTED);
    }

    #[test]
    fn a_punch_leads_only_where_a_peer_may_be() {
        let (bob, connection) = (PeerId::random(), ConnectionId::new_unchecked(1));
        let mut punching = Punching::new(PeerId::random());
        let network = Interface { name: "eth0".into(), ip: "192.168.1.2".parse().unwrap(), prefix: 24 };
        punching.set_own(BTreeSet::new(), vec![network]);
        let mut dial = |texts: &[&str]| {
            punching.asked.insert(connection);
            let addresses: Vec<Multiaddr> = texts.iter().map(|text| parsed(text)).collect();
            let role = Endpoint::Listener;
            let dial = punching.handle_pending_outbound_connection(connection, Some(bob), &addresses, role);
            (dial.is_ok(), punching.pending.drain(..).count())
        };
        let good = ["/ip4/203.0.113.9/udp/7/quic-v1", "/ip4/192.168.1.9/tcp/7", "/ip6/2001:db8::1/tcp/7"];
        assert_eq!(dial(&good), (true, 0));
        for bad in [
            "/ip4/127.0.0.1/tcp/7",
            "/ip4/0.0.0.0/tcp/7",
            "/ip4/224.0.0.1/udp/7/quic-v1",
            "/ip4/169.254.169.254/tcp/80",
            "/ip4/192.168.2.9/tcp/7",
            "/ip6/fe80::1/tcp/7",
            "/ip6/::ffff:127.0.0.1/tcp/7",
            "/dns4/a.example/tcp/7",
            "/ip4/203.0.113.9/tcp/7/ws",
        ] {
            assert_eq!(dial(&[bad]), (false, 0), "{bad}");
            assert_eq!(dial(&[bad, good[0]]), (false, 1), "{bad}: the others are dialled");
        }
        assert_eq!(dial(&[good[0]; CANDIDATES + 1]), (false, 1));
    }

    #[test]
    fn being_seen_again_is_no_news_until_we_move() {
        let relay = PeerId::random();
        let mut punching = Punching::new(PeerId::random());
        let observed = |punching: &mut Punching, text: &str| {
            let connection = ConnectionId::new_unchecked(1);
            punching.observed.clear();
            punching.observed(relay, connection, parsed(text))
        };
        let (quic, tcp) = ("/ip4/203.0.113.9/udp/7/quic-v1", "/ip4/203.0.113.9/tcp/7");
        assert!(observed(&mut punching, quic) && observed(&mut punching, tcp));
        assert!(!observed(&mut punching, quic) && !observed(&mut punching, "/ip4/203.0.113.9/tcp/8"));
        punching.moved();
        assert!(observed(&mut punching, quic));
        for port in 1..99 {
            observed(&mut punching, &format!("/ip4/203.0.113.8/udp/{port}/quic-v1"));
        }
        assert_eq!(punching.seen.len(), SEEN);
    }
}
