//! Finding others on the local network by mDNS (RFC 6762, as the libp2p specification uses it).
//!
//! Only chosen addresses are shown to the network, and what is found is remembered, because the
//! same companion at the same address is not reported again while its record lives.
//!
//! A behaviour of libp2p asks over IPv4 or over IPv6, so there are two. The second one runs where we
//! have an IPv6 address to show: link-local ones cannot be dialled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::{Endpoint, transport::ListenerId, transport::PortUse};
use libp2p::swarm::behaviour::{ExpiredListenAddr, NewListenAddr};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, ToSwarm, dummy};
use libp2p::{Multiaddr, PeerId, mdns};
use pairwave_wire::limits;

use crate::net::address;

/// Most companions of one network that are remembered. Beyond that, somebody is making them up.
const KNOWN: usize = 256;
/// How often to ask again. On a wireless network an answer is easily lost.
const ASK: Duration = Duration::from_secs(2 * 60);
/// The same over IPv6 beside IPv4, by which most are found: every address asks, and every one answers.
const ASK_BESIDE: Duration = Duration::from_secs(5 * 60);

/// Somebody is at these addresses.
#[derive(Debug)]
pub struct Found {
    pub peer: PeerId,
    pub addresses: Vec<Multiaddr>,
}

/// What questions and answers travel over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Over {
    V4,
    V6,
}

/// Where somebody is, and over what that was heard: records expire apart.
type Heard = BTreeMap<Over, BTreeSet<Multiaddr>>;

/// mDNS, or nothing where it is off or cannot run.
pub struct Discovery {
    me: PeerId,
    enabled: bool,
    running: BTreeMap<Over, mdns::tokio::Behaviour>,
    advertised: BTreeSet<Multiaddr>,
    known: BTreeMap<PeerId, Heard>,
    news: VecDeque<Found>,
}

impl Discovery {
    pub fn new(enabled: bool, me: PeerId) -> Self {
        let (running, advertised) = (BTreeMap::new(), BTreeSet::new());
        Self { me, enabled, running, advertised, known: BTreeMap::new(), news: VecDeque::new() }
    }

    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    pub fn is_wanted(&self) -> bool {
        self.enabled
    }

    /// Everybody who is known.
    pub fn found(&self) -> impl Iterator<Item = &PeerId> {
        self.known.keys()
    }

    /// Shows exactly these addresses to the network. Asking for others begins with the first time:
    /// of two that start together, the later one's question is then answered at once.
    pub fn advertise(&mut self, addresses: BTreeSet<Multiaddr>) {
        let listener_id = ListenerId::next();
        for mdns in self.running.values_mut() {
            for addr in self.advertised.difference(&addresses) {
                mdns.on_swarm_event(FromSwarm::ExpiredListenAddr(ExpiredListenAddr { listener_id, addr }));
            }
            for addr in addresses.difference(&self.advertised) {
                mdns.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
            }
        }
        self.advertised = addresses;
        let has = |is: fn(&IpAddr) -> bool| self.advertised.iter().filter_map(address::ip).any(|ip| is(&ip));
        let (has_v4, has_v6) = (has(IpAddr::is_ipv4), has(IpAddr::is_ipv6));
        self.start(Over::V4, ASK);
        if has_v6 {
            self.start(Over::V6, if has_v4 { ASK_BESIDE } else { ASK });
        }
    }

    /// Reports everybody who is known once more.
    pub fn repeat(&mut self) {
        self.news = self.known.iter().map(|(peer, heard)| found(*peer, heard)).collect();
    }

    fn start(&mut self, over: Over, query_interval: Duration) {
        if !self.enabled || self.running.contains_key(&over) {
            return;
        }
        let config = mdns::Config { query_interval, enable_ipv6: over == Over::V6, ..mdns::Config::default() };
        match mdns::tokio::Behaviour::new(config, self.me) {
            Ok(mut mdns) => {
                let listener_id = ListenerId::next();
                for addr in &self.advertised {
                    mdns.on_swarm_event(FromSwarm::NewListenAddr(NewListenAddr { listener_id, addr }));
                }
                self.running.insert(over, mdns);
            }
            Err(error) => tracing::warn!(?over, %error, "discovery on the local network cannot run"),
        }
    }

    fn on_event(&mut self, over: Over, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(found) => self.remember(over, found),
            mdns::Event::Expired(expired) => expired.into_iter().for_each(|(peer, address)| {
                self.forget(over, &peer, &address::without_peer(address));
            }),
        }
        self.resist_flood();
    }

    fn remember(&mut self, over: Over, heard: Vec<(PeerId, Multiaddr)>) {
        let mut changed = BTreeSet::new();
        for (peer, address) in heard {
            if peer == self.me || (self.known.len() >= KNOWN && !self.known.contains_key(&peer)) {
                continue;
            }
            let addresses = self.known.entry(peer).or_default().entry(over).or_default();
            if addresses.len() >= limits::ADDRESSES {
                addresses.pop_first();
            }
            addresses.insert(address::without_peer(address));
            changed.insert(peer);
        }
        let news = changed.into_iter().filter_map(|peer| Some(found(peer, self.known.get(&peer)?)));
        self.news.extend(news);
    }

    fn forget(&mut self, over: Over, peer: &PeerId, address: &Multiaddr) {
        let Some(heard) = self.known.get_mut(peer) else { return };
        heard.get_mut(&over).map(|addresses| addresses.remove(address));
        if heard.values().all(BTreeSet::is_empty) {
            self.known.remove(peer);
        }
    }

    /// The behaviour keeps every record until it expires, as late as its sender likes, and searches
    /// them one by one. Starting over is what bounds that.
    fn resist_flood(&mut self) {
        let is_flooded = |mdns: &mdns::tokio::Behaviour| mdns.discovered_nodes().len() > KNOWN * limits::ADDRESSES;
        if !self.running.values().any(is_flooded) {
            return;
        }
        tracing::warn!("too many companions are announced on this network; discovery starts over");
        let shown = std::mem::take(&mut self.advertised);
        self.known.clear();
        self.news.clear();
        self.running.clear();
        self.advertise(shown);
    }
}

fn found(peer: PeerId, heard: &Heard) -> Found {
    let addresses: BTreeSet<&Multiaddr> = heard.values().flatten().collect();
    Found { peer, addresses: addresses.into_iter().cloned().collect() }
}

impl NetworkBehaviour for Discovery {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Found;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    /// Nothing passes: the inner behaviour would show every address we listen on.
    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Found, Infallible>> {
        loop {
            if let Some(found) = self.news.pop_front() {
                return Poll::Ready(ToSwarm::GenerateEvent(found));
            }
            let mut told = self.running.iter_mut().filter_map(|(over, mdns)| match mdns.poll(cx) {
                Poll::Ready(action) => Some((*over, action)),
                Poll::Pending => None,
            });
            match told.next() {
                Some((over, ToSwarm::GenerateEvent(event))) => self.on_event(over, event),
                Some(_) => {}
                None => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery() -> Discovery {
        Discovery::new(false, PeerId::random())
    }

    fn at(peer: PeerId, port: usize) -> (PeerId, Multiaddr) {
        (peer, format!("/ip4/10.0.0.2/tcp/{port}/p2p/{peer}").parse().unwrap())
    }

    fn told(discovery: &mut Discovery) -> Vec<(PeerId, usize)> {
        discovery.news.drain(..).map(|found| (found.peer, found.addresses.len())).collect()
    }

    #[test]
    fn what_is_known_can_be_told_again_until_it_expires() {
        let bob = PeerId::random();
        let mut discovery = discovery();
        discovery.on_event(Over::V4, mdns::Event::Discovered(vec![at(bob, 1), at(bob, 2)]));
        assert_eq!(told(&mut discovery), [(bob, 2)]);
        discovery.repeat();
        assert_eq!(told(&mut discovery), [(bob, 2)]);
        discovery.on_event(Over::V4, mdns::Event::Expired(vec![at(bob, 1), at(bob, 2)]));
        discovery.repeat();
        assert!(told(&mut discovery).is_empty());
    }

    #[test]
    fn what_was_heard_twice_expires_twice() {
        let bob = PeerId::random();
        let mut discovery = discovery();
        for over in [Over::V4, Over::V6] {
            discovery.on_event(over, mdns::Event::Discovered(vec![at(bob, 1)]));
            assert_eq!(told(&mut discovery), [(bob, 1)]);
        }
        discovery.on_event(Over::V4, mdns::Event::Expired(vec![at(bob, 1)]));
        discovery.repeat();
        assert_eq!(told(&mut discovery), [(bob, 1)]);
        discovery.on_event(Over::V6, mdns::Event::Expired(vec![at(bob, 1)]));
        assert_eq!(discovery.found().count(), 0);
    }

    #[test]
    fn addresses_are_bare_and_we_are_nobody_new() {
        let mut discovery = discovery();
        let me = discovery.me;
        discovery.on_event(Over::V4, mdns::Event::Discovered(vec![at(me, 1), at(PeerId::random(), 1)]));
        let found = discovery.news.pop_front().unwrap();
        assert_eq!(found.addresses[0].to_string(), "/ip4/10.0.0.2/tcp/1");
        assert!(discovery.news.is_empty());
    }

    #[test]
    fn what_somebody_makes_up_is_bounded() {
        let bob = PeerId::random();
        let mut discovery = discovery();
        discovery.on_event(Over::V4, mdns::Event::Discovered((0..99).map(|port| at(bob, port)).collect()));
        assert_eq!(told(&mut discovery), [(bob, limits::ADDRESSES)]);
        discovery.on_event(
            Over::V4,
            mdns::Event::Discovered((0..2 * KNOWN).map(|port| at(PeerId::random(), port)).collect()),
        );
        assert_eq!(discovery.known.len(), KNOWN);
    }
}
