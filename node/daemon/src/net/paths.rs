//! The connections there are, and which of a peer's is the best.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::net::address::{self, Origin};
use crate::net::{ConnectionStatus, Path};

/// Longest name of a peer's software that is kept.
const AGENT: usize = 64;

/// Kinds of connections, the better the greater. QUIC notices a dead path by itself, TCP does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Relayed,
    Tcp,
    Quic,
}

/// When something last arrived on a connection. Its streams share it.
#[derive(Debug, Clone)]
pub struct Heard(Arc<AtomicU64>);

/// One of several connections to a peer.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    pub id: ConnectionId,
    pub rank: Rank,
    pub since: Instant,
    pub silent_for: Duration,
}

/// All connections that can carry streams.
#[derive(Debug, Default)]
pub struct Paths {
    /// Oldest first.
    peers: BTreeMap<PeerId, Vec<Connection>>,
    owners: HashMap<ConnectionId, PeerId>,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    address: Multiaddr,
    /// Of a circuit that the peer came by, how it leads to us: its own side of it has no address.
    came_by: Option<Multiaddr>,
    rank: Rank,
    origin: Origin,
    inbound: bool,
    since: Instant,
    /// Our own address that its packets leave from.
    local: Option<IpAddr>,
    heard: Heard,
    rtt: Option<Duration>,
    agent: Option<String>,
}

impl Paths {
    pub fn add(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let remote = endpoint.get_remote_address();
        let connection = Connection {
            id,
            address: address::without_peer(remote.clone()),
            came_by: came_by(endpoint),
            rank: Rank::of(remote),
            origin: Origin::of(remote),
            inbound: endpoint.is_listener(),
            since: Instant::now(),
            local: address::ip(remote).and_then(source_towards),
            heard: Heard::now(),
            rtt: None,
            agent: None,
        };
        self.owners.insert(id, peer);
        self.peers.entry(peer).or_default().push(connection);
    }

    /// Returns whose it was, unless it was removed before.
    pub fn remove(&mut self, id: ConnectionId) -> Option<PeerId> {
        let peer = self.owners.remove(&id)?;
        if let Some(connections) = self.peers.get_mut(&peer) {
            connections.retain(|connection| connection.id != id);
            if connections.is_empty() {
                self.peers.remove(&peer);
            }
        }
        Some(peer)
    }

    pub fn ids(&self) -> Vec<ConnectionId> {
        self.owners.keys().copied().collect()
    }

    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    pub fn is_direct(&self, peer: &PeerId) -> bool {
        self.best_of(peer).is_some_and(|best| best.rank > Rank::Relayed)
    }

    /// Of the best connection to this peer.
    pub fn rank(&self, peer: &PeerId) -> Option<Rank> {
        self.best_of(peer).map(|best| best.rank)
    }

    pub fn peer_of(&self, id: ConnectionId) -> Option<PeerId> {
        self.owners.get(&id).copied()
    }

    /// Where a new stream to this peer goes: by rank, and among equals the newest, which was made
    /// in the network as it is now.
    pub fn best(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.best_of(peer).map(|connection| connection.id)
    }

    /// Where the peer may be reached again, as far as this connection tells: a port that TCP came
    /// from is not one that anybody listens on.
    pub fn reachable_at(&self, id: ConnectionId) -> Option<Multiaddr> {
        let connection = self.get(id)?;
        let is_passing = connection.inbound && connection.rank == Rank::Tcp;
        Some(if is_passing { address::host(&connection.address) } else { connection.address.clone() })
    }

    pub fn origin(&self, id: ConnectionId) -> Option<Origin> {
        self.get(id).map(|connection| connection.origin)
    }

    /// The address of a connection that is a circuit.
    pub fn circuit(&self, id: ConnectionId) -> Option<&Multiaddr> {
        self.get(id).filter(|connection| connection.rank == Rank::Relayed).map(|connection| &connection.address)
    }

    /// The relay of a connection that is a circuit.
    pub fn relay_of(&self, id: ConnectionId) -> Option<PeerId> {
        let connection = self.get(id).filter(|connection| connection.rank == Rank::Relayed)?;
        let way = connection.came_by.as_ref().unwrap_or(&connection.address);
        address::circuit(&address::without_peer(way.clone())).map(|(relay, _)| relay)
    }

    pub fn heard(&self, id: ConnectionId) -> Option<&Heard> {
        self.get(id).map(|connection| &connection.heard)
    }

    /// Connections to the same peer on which nothing has arrived for this long.
    pub fn silent_beside(&self, id: ConnectionId, silence: Duration) -> Vec<ConnectionId> {
        let beside = self.owners.get(&id).and_then(|peer| self.peers.get(peer));
        let silent = beside.into_iter().flatten().filter(|connection| connection.heard.silent_for() >= silence);
        silent.map(|connection| connection.id).collect()
    }

    /// Older connections to the same peer, at least this old, that the peer must have lost: it came to
    /// us anew, by no better way, and nobody does so who still has them. Only a circuit is made beside
    /// others, to find a direct way from there, so it says nothing.
    pub fn lost_by_peer(&self, id: ConnectionId, age: Duration) -> Vec<ConnectionId> {
        let Some(new) = self.get(id).filter(|new| new.inbound && new.rank > Rank::Relayed) else { return Vec::new() };
        let beside = self.owners.get(&id).and_then(|peer| self.peers.get(peer)).map_or(&[][..], Vec::as_slice);
        // Over a circuit both sides may have agreed to dial, more than once.
        if beside.iter().any(|old| old.rank == Rank::Relayed) {
            return Vec::new();
        }
        let lost = beside.iter().filter(|old| old.id != id && old.rank >= new.rank && old.since + age <= new.since);
        lost.map(|old| old.id).collect()
    }

    /// Whether a new stream would take a better kind of connection than this one.
    pub fn has_better(&self, id: ConnectionId) -> bool {
        let Some(connection) = self.get(id) else { return false };
        let best = self.owners.get(&id).and_then(|peer| self.best_of(peer));
        best.is_some_and(|best| best.rank > connection.rank)
    }

    /// Every peer with more than one connection, and these.
    pub fn crowds(&self) -> impl Iterator<Item = (&PeerId, Vec<Lane>)> {
        let crowds = self.peers.iter().filter(|(_, connections)| connections.len() > 1);
        crowds.map(|(peer, connections)| (peer, connections.iter().map(Connection::lane).collect()))
    }

    /// Connections that others made from there.
    pub fn made_from(&self, origin: Origin) -> usize {
        self.all().filter(|connection| connection.inbound && connection.origin == origin).count()
    }

    /// Connections whose packets leave from this address of ours.
    pub fn leaving_from(&self, ip: IpAddr) -> Vec<ConnectionId> {
        self.all().filter(|connection| connection.local == Some(ip)).map(|connection| connection.id).collect()
    }

    pub fn set_rtt(&mut self, id: ConnectionId, rtt: Duration) {
        if let Some(connection) = self.get_mut(id) {
            connection.rtt = Some(rtt);
        }
    }

    pub fn set_agent(&mut self, id: ConnectionId, agent: &str) {
        let clean = agent.chars().filter(|c| !c.is_control()).take(AGENT).collect();
        if let Some(connection) = self.get_mut(id) {
            connection.agent = Some(clean);
        }
    }

    /// One connection of each peer: of those that its links use the worst, for that is how what is said
    /// still goes; where there is no link, the best.
    pub fn status(&self, in_use: impl Fn(&PeerId) -> Vec<ConnectionId>) -> Vec<ConnectionStatus> {
        let shown = |peer| self.worst_of(peer, &in_use(peer)).or_else(|| self.best_of(peer));
        self.peers.keys().filter_map(|peer| Some(shown(peer)?.status(peer))).collect()
    }

    /// Among equals the newest.
    fn worst_of(&self, peer: &PeerId, among: &[ConnectionId]) -> Option<&Connection> {
        let newest_first = self.peers.get(peer)?.iter().rev();
        newest_first.filter(|connection| among.contains(&connection.id)).min_by_key(|connection| connection.rank)
    }

    fn best_of(&self, peer: &PeerId) -> Option<&Connection> {
        // Of several greatest ones `max_by_key` takes the last.
        self.peers.get(peer)?.iter().max_by_key(|connection| connection.rank)
    }

    fn all(&self) -> impl Iterator<Item = &Connection> {
        self.peers.values().flatten()
    }

    fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.peers.get(self.owners.get(&id)?)?.iter().find(|connection| connection.id == id)
    }

    fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.peers.get_mut(self.owners.get(&id)?)?.iter_mut().find(|connection| connection.id == id)
    }
}

impl Connection {
    fn lane(&self) -> Lane {
        Lane { id: self.id, rank: self.rank, since: self.since, silent_for: self.heard.silent_for() }
    }

    fn status(&self, peer: &PeerId) -> ConnectionStatus {
        let path = if self.rank == Rank::Relayed { Path::Relayed } else { address::path(&self.address) };
        ConnectionStatus {
            peer: address::transport_id(peer),
            path,
            address: self.came_by.as_ref().unwrap_or(&self.address).to_string(),
            rtt_ms: self.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            agent: self.agent.clone(),
        }
    }
}

impl Rank {
    pub fn of(remote: &Multiaddr) -> Self {
        // The listening side of a circuit sees no IP at all.
        let direct = address::without_peer(remote.clone());
        if address::is_quic(&direct) {
            Rank::Quic
        } else if address::is_tcp(&direct) {
            Rank::Tcp
        } else {
            Rank::Relayed
        }
    }
}

impl Heard {
    fn now() -> Self {
        let heard = Self(Arc::default());
        heard.touch();
        heard
    }

    /// Something arrived.
    pub fn touch(&self) {
        self.0.store(millis(), Ordering::Relaxed);
    }

    pub fn silent_for(&self) -> Duration {
        Duration::from_millis(millis().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

fn came_by(endpoint: &ConnectedPoint) -> Option<Multiaddr> {
    match endpoint {
        ConnectedPoint::Listener { local_addr, .. } if address::is_relayed(local_addr) => Some(local_addr.clone()),
        _ => None,
    }
}

/// Milliseconds since this was first asked.
fn millis() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The address that packets to `remote` leave from now. Connecting a UDP socket sends nothing.
pub fn source_towards(remote: IpAddr) -> Option<IpAddr> {
    let any = match remote {
        IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((remote, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};

    fn dialled(text: &str) -> ConnectedPoint {
        let address = text.parse().unwrap();
        ConnectedPoint::Dialer { address, role_override: Endpoint::Dialer, port_use: PortUse::Reuse }
    }

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    const QUIC: &str = "/ip4/127.0.0.1/udp/1/quic-v1";
    const TCP: &str = "/ip4/127.0.0.1/tcp/1";

    #[test]
    fn quic_before_tcp_before_a_circuit_and_the_newest_of_equals() {
        let bob = PeerId::random();
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(&format!("/p2p/{bob}")));
        assert_eq!(paths.best(&bob), Some(id(1)));
        assert_eq!(paths.status(|_| Vec::new())[0].path, Path::Relayed);
        paths.add(bob, id(2), &dialled(QUIC));
        paths.add(bob, id(3), &dialled(TCP));
        assert_eq!(paths.best(&bob), Some(id(2)));
        paths.add(bob, id(4), &dialled(QUIC));
        assert_eq!(paths.best(&bob), Some(id(4)));
        assert_eq!(paths.status(|_| Vec::new())[0].path, Path::Lan);
    }

    #[test]
    fn what_a_link_uses_is_shown_rather_than_what_it_could_use() {
        let bob = PeerId::random();
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(&format!("/p2p/{bob}")));
        paths.add(bob, id(2), &dialled(QUIC));
        paths.add(bob, id(3), &dialled(QUIC));
        let shown = |in_use: &[usize]| {
            let in_use: Vec<ConnectionId> = in_use.iter().map(|number| id(*number)).collect();
            paths.status(|_| in_use.clone())[0].path
        };
        assert_eq!(
            [shown(&[]), shown(&[2]), shown(&[1]), shown(&[1, 3])],
            [Path::Lan, Path::Lan, Path::Relayed, Path::Relayed]
        );
    }

    #[test]
    fn who_came_by_a_circuit_is_shown_with_its_relay_but_has_no_address() {
        let (bob, relay) = (PeerId::random(), PeerId::random());
        let circuit = format!("{QUIC}/p2p/{relay}/p2p-circuit");
        let came = ConnectedPoint::Listener {
            local_addr: circuit.parse().unwrap(),
            send_back_addr: format!("/p2p/{bob}").parse().unwrap(),
        };
        let mut paths = Paths::default();
        paths.add(bob, id(1), &came);
        assert_eq!(paths.status(|_| Vec::new())[0].address, circuit);
        assert_eq!(paths.reachable_at(id(1)), Some(Multiaddr::empty()));
        assert_eq!(paths.circuit(id(1)), Some(&Multiaddr::empty()), "it is none of those that we asked for");
        paths.add(bob, id(2), &dialled(&format!("{circuit}/p2p/{bob}")));
        paths.add(bob, id(3), &dialled(QUIC));
        assert_eq!([1, 2, 3].map(|number| paths.relay_of(id(number))), [Some(relay), Some(relay), None]);
    }

    #[test]
    fn the_last_connection_makes_a_peer_unconnected() {
        let bob = PeerId::random();
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(QUIC));
        paths.add(bob, id(2), &dialled(TCP));
        assert_eq!(paths.remove(id(1)), Some(bob));
        assert_eq!(paths.remove(id(1)), None);
        assert!(paths.is_connected(&bob));
        assert_eq!(paths.remove(id(2)), Some(bob));
        assert!(!paths.is_connected(&bob) && paths.best(&bob).is_none());
    }

    #[test]
    fn the_port_that_tcp_came_from_is_nobodys_address() {
        let bob = PeerId::random();
        let came_from = |text: &str| ConnectedPoint::Listener {
            local_addr: TCP.parse().unwrap(),
            send_back_addr: text.parse().unwrap(),
        };
        let mut paths = Paths::default();
        paths.add(bob, id(1), &came_from(TCP));
        paths.add(bob, id(2), &came_from(QUIC));
        paths.add(bob, id(3), &dialled(TCP));
        let at = |id| paths.reachable_at(id).unwrap().to_string();
        assert_eq!([at(id(1)), at(id(2)), at(id(3))], ["/ip4/127.0.0.1", QUIC, TCP]);
    }

    #[test]
    fn a_peer_that_comes_anew_has_lost_what_was_there() {
        let bob = PeerId::random();
        let came_from = |text: &str| ConnectedPoint::Listener {
            local_addr: QUIC.parse().unwrap(),
            send_back_addr: text.parse().unwrap(),
        };
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(QUIC));
        paths.add(bob, id(2), &dialled(TCP));
        paths.add(PeerId::random(), id(3), &dialled(QUIC));
        paths.add(bob, id(4), &came_from(QUIC));
        assert_eq!(paths.lost_by_peer(id(4), Duration::ZERO), [id(1)], "a worse path may have been improved on");
        assert!(paths.lost_by_peer(id(4), Duration::from_secs(60)).is_empty(), "both may have dialled at once");
        paths.add(bob, id(5), &came_from(TCP));
        assert_eq!(paths.lost_by_peer(id(5), Duration::ZERO), [id(1), id(2), id(4)]);
        paths.add(bob, id(6), &dialled(QUIC));
        assert!(paths.lost_by_peer(id(6), Duration::ZERO).is_empty(), "that was our own dial");
        paths.add(bob, id(7), &dialled(&format!("/p2p/{bob}")));
        paths.add(bob, id(8), &came_from(QUIC));
        assert!(paths.lost_by_peer(id(8), Duration::ZERO).is_empty(), "it may have been agreed on over the circuit");
    }

    #[test]
    fn a_connection_is_known_by_the_address_it_leaves_from() {
        let bob = PeerId::random();
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(QUIC));
        assert_eq!(paths.leaving_from("127.0.0.1".parse().unwrap()), [id(1)]);
        assert!(paths.leaving_from("10.0.0.1".parse().unwrap()).is_empty());
    }

    #[test]
    fn what_a_peer_says_of_its_software_is_cut_and_cleaned() {
        let bob = PeerId::random();
        let mut paths = Paths::default();
        paths.add(bob, id(1), &dialled(QUIC));
        paths.set_agent(id(1), &format!("\u{1b}[31mpairwave{}", "x".repeat(500)));
        let agent = paths.status(|_| Vec::new()).remove(0).agent.unwrap();
        assert!(agent.starts_with("[31mpairwave") && agent.chars().count() == AGENT);
    }
}
