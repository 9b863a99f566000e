//! A direct way through NATs: DCUtR over a circuit, with candidates of our choosing.
//!
//! libp2p takes what was once seen of us as a candidate for ever, and fixes the candidates when a
//! circuit is made. So its behaviour is made anew whenever they change, before the next circuit.
//! QUIC has a head start: raced against TCP it often loses, although TCP notices no dead path.
//! Both sides give it the same one, so the packets of TCP still cross on their way. They become one
//! connection then, whichever circuits brought both sides to dial: two that call each other in the same
//! moment have two, which give them opposite parts. So who begins over TCP is settled by their ids.
//!
//! Whoever comes by a circuit could learn our addresses and have us dial wherever it likes. So only
//! who is wanted is told and dialled, and only where a peer may be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished, DialFailure};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, NewExternalAddrCandidate, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, dcutr};

use crate::net::address;
use crate::net::interfaces::Interface;
use crate::net::reachability::is_global;

/// Most candidates that a peer is told.
const CANDIDATES: usize = 12;
/// How long QUIC has before TCP is tried as well: enough for two round trips of a long way.
const HEAD_START: Duration = Duration::from_secs(1);
/// How often one circuit may bring us to dial.
const RUNS: usize = 3;
/// Most addresses that are remembered as no news.
const SEEN: usize = 32;
/// Most peers that are remembered as wanted.
const WANTED: usize = 1024;

type Action = ToSwarm<dcutr::Event, THandlerInEvent<dcutr::Behaviour>>;

/// A dial is made in our own way, or leads where no peer is.
#[derive(Debug, thiserror::Error)]
#[error("others are dialled in place of these addresses")]
struct Elsewhere;

/// Whether nothing has failed: others are dialled in place of those.
pub fn is_replaced(error: &DialError) -> bool {
    matches!(error, DialError::Denied { cause } if cause.downcast_ref::<Elsewhere>().is_some())
}

/// A dial that `inner` asked for, and the part that it is to play there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    id: ConnectionId,
    role: Endpoint,
}

/// What is dialled in place of what `inner` asked for.
struct StandIn {
    asked: Asked,
    peer: PeerId,
    addresses: Vec<Multiaddr>,
    role: Endpoint,
}

pub struct Punching {
    me: PeerId,
    inner: dcutr::Behaviour,
    /// What `inner` holds.
    candidates: BTreeSet<Multiaddr>,
    /// How each relay sees us, by the connection to it.
    observed: BTreeMap<ConnectionId, (PeerId, Multiaddr)>,
    /// Addresses of this machine.
    own: BTreeSet<Multiaddr>,
    /// All connections that are no circuits.
    direct: HashMap<ConnectionId, PeerId>,
    /// Where relays have seen us in this network, the last at the end.
    seen: VecDeque<Multiaddr>,
    /// Peers that we may punch to, the last to be wanted at the end.
    wanted: VecDeque<PeerId>,
    /// Peers that we do not punch to over circuits that we dial.
    resting: BTreeSet<PeerId>,
    /// The networks that this machine is in.
    networks: Vec<Interface>,
    /// Circuits of those who are wanted, and how often each was the way to a punch.
    runs: HashMap<ConnectionId, usize>,
    /// Dials of `inner` that have not begun.
    asked: HashSet<ConnectionId>,
    /// Dials of `inner` that others stand in for.
    replaced: HashSet<ConnectionId>,
    /// The stand-ins, and what `inner` knows them as.
    stand_ins: HashMap<ConnectionId, Asked>,
    /// Those whose time has not come, the next one first.
    later: VecDeque<(Instant, StandIn)>,
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
            direct: HashMap::new(),
            seen: VecDeque::new(),
            wanted: VecDeque::new(),
            resting: BTreeSet::new(),
            networks: Vec::new(),
            runs: HashMap::new(),
            asked: HashSet::new(),
            replaced: HashSet::new(),
            stand_ins: HashMap::new(),
            later: VecDeque::new(),
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

    /// A circuit that we dial to one of these is for talking alone. The other side begins the punch, and
    /// ends it when we have no candidates.
    pub fn let_rest(&mut self, peers: BTreeSet<PeerId>) {
        self.resting = peers;
    }

    /// When to tend to it at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.later.front().map(|(at, _)| *at)
    }

    /// Dials what has had to wait, unless it is not needed any more.
    pub fn tend(&mut self, now: Instant) {
        while self.due().is_some_and(|due| due <= now) {
            let Some((_, stand_in)) = self.later.pop_front() else { return };
            if !self.direct.values().any(|peer| *peer == stand_in.peer) {
                self.dial(stand_in);
            }
        }
    }

    /// Which relay sees us where.
    pub fn seen_at(&self) -> impl Iterator<Item = (PeerId, &Multiaddr)> {
        self.observed.values().map(|(relay, address)| (*relay, address))
    }

    /// Puts the candidates for this peer in place.
    fn prepare(&mut self, circuit: ConnectionId, peer: &PeerId, may_punch: bool) {
        let mut candidates = BTreeSet::new();
        if may_punch && self.wants(peer) {
            self.runs.insert(circuit, 0);
            candidates = self.candidates_now();
        }
        if candidates != self.candidates {
            self.renew(candidates);
        }
    }

    fn candidates_now(&self) -> BTreeSet<Multiaddr> {
        let all = self.observed.values().map(|(_, address)| address).chain(&self.own).cloned();
        let (quic, tcp): (Vec<_>, Vec<_>) = all.partition(address::is_quic);
        let tcp = tcp.into_iter().filter(address::is_plain_tcp).chain(self.guessed());
        quic.into_iter().chain(tcp).take(CANDIDATES).collect()
    }

    /// Where a router that keeps ports lets TCP in. What relays see does not tell: a connection over QUIC
    /// says nothing of TCP, and one over TCP may have been made from a port that we do not listen on.
    fn guessed(&self) -> impl Iterator<Item = Multiaddr> {
        let is_v4 = |address: &&Multiaddr| address::ip(address).is_some_and(|ip| ip.is_ipv4());
        let tcp = self.own.iter().filter(is_v4).find(|address| address::is_plain_tcp(address));
        let port = tcp.and_then(|address| address.iter().nth(1));
        let ours: BTreeSet<Multiaddr> = self.own.iter().map(address::host).collect();
        let seen = self.observed.values().map(|(_, address)| address).filter(is_v4);
        let outside: BTreeSet<Multiaddr> = seen.map(address::host).filter(|host| !ours.contains(host)).collect();
        outside.into_iter().filter_map(move |host| Some(host.with(port.clone()?)))
    }

    /// Relays that are reached over TCP alone mean that UDP does not get out.
    fn has_udp(&self) -> bool {
        self.observed.values().any(|(_, address)| address::is_quic(address))
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
        self.stand_ins.retain(|stand_in, _| !self.direct.contains_key(stand_in));
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

    /// Dials QUIC at once, and TCP later if QUIC may do.
    fn dial_in_turn(&mut self, asked: Asked, peer: PeerId, addresses: Vec<Multiaddr>) {
        let is_quic = |address: &Multiaddr| address::is_quic(&address::without_peer(address.clone()));
        let (quic, tcp): (Vec<_>, Vec<_>) = addresses.into_iter().partition(is_quic);
        let quic_may_do = self.has_udp() && quic.iter().any(is_global);
        if !quic.is_empty() {
            self.dial(StandIn { asked, peer, addresses: quic, role: asked.role });
        }
        let tcp = StandIn { asked, peer, addresses: tcp, role: self.role_over_tcp(&peer) };
        match tcp.addresses.is_empty() {
            true => {}
            false if quic_may_do => self.later.push_back((Instant::now() + HEAD_START, tcp)),
            false => self.dial(tcp),
        }
    }

    fn role_over_tcp(&self, peer: &PeerId) -> Endpoint {
        if self.me < *peer { Endpoint::Dialer } else { Endpoint::Listener }
    }

    fn dial(&mut self, StandIn { asked, peer, addresses, role }: StandIn) {
        let dial = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses);
        let opts = if role.is_listener() { dial.override_role().build() } else { dial.build() };
        self.stand_ins.insert(opts.connection_id(), asked);
        self.pending.push_back(ToSwarm::Dial { opts });
    }

    /// One stand-in connected: `inner` knows this one from now on, and of the others nothing.
    fn settle(&mut self, connection: ConnectionId, role: Endpoint) -> Asked {
        let Some(asked) = self.stand_ins.get(&connection).copied() else { return Asked { id: connection, role } };
        self.stand_ins.retain(|other, of| *of != asked || *other == connection);
        self.later.retain(|(_, stand_in)| stand_in.asked != asked);
        asked
    }

    fn on_dial_failed(&mut self, failure: DialFailure) {
        self.asked.remove(&failure.connection_id);
        if self.replaced.remove(&failure.connection_id) {
            return;
        }
        let stood_in_for = self.stand_ins.remove(&failure.connection_id);
        let is_last = |asked: &Asked| {
            let waits = self.later.iter().any(|(_, stand_in)| stand_in.asked == *asked);
            !waits && !self.stand_ins.values().any(|other| other == asked)
        };
        if stood_in_for.as_ref().is_none_or(is_last) {
            let connection_id = stood_in_for.map_or(failure.connection_id, |asked| asked.id);
            self.inner.on_swarm_event(FromSwarm::DialFailure(DialFailure { connection_id, ..failure }));
        }
    }

    fn on_closed(&mut self, closed: ConnectionClosed) {
        self.direct.remove(&closed.connection_id);
        self.observed.remove(&closed.connection_id);
        self.runs.remove(&closed.connection_id);
        let stood_in_for = self.stand_ins.remove(&closed.connection_id);
        let connection_id = stood_in_for.map_or(closed.connection_id, |asked| asked.id);
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
        // A stand-in has been looked at, or somebody else dials.
        if !self.asked.remove(&connection) {
            return Ok(Vec::new());
        }
        let sound = addresses.iter().filter(|address| self.is_sound(address)).take(CANDIDATES);
        let sound: Vec<Multiaddr> = sound.cloned().collect();
        if let Some(peer) = peer.filter(|_| !sound.is_empty()) {
            self.replaced.insert(connection);
            self.dial_in_turn(Asked { id: connection, role }, peer, sound);
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
            self.prepare(connection, &peer, true);
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
            self.prepare(connection, &peer, !self.resting.contains(&peer));
        }
        let asked = self.settle(connection, role);
        self.inner.handle_established_outbound_connection(asked.id, peer, address, asked.role, port)
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
        if let Poll::Ready(ToSwarm::Dial { opts }) = &action
            && !self.stand_ins.contains_key(&opts.connection_id())
        {
            self.asked.insert(opts.connection_id());
        }
        action
    }
}

#[cfg(test)]
mod tests;
