//! How many connections may come from one address, so that nobody who opens sockets and says nothing
//! takes everybody else's place.
//!
//! libp2p counts a connection from its first sign: over TCP, and WebSocket on top of it, an accepted
//! socket that has not said a word; over QUIC a single packet, whose sender may be made up. So what begins
//! over UDP takes no place from what begins over TCP, where companions go when QUIC stays silent.

use std::collections::HashMap;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished, ListenFailure};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandlerInEvent, ToSwarm, dummy};
use libp2p::{Multiaddr, PeerId};

use crate::addresses;
use crate::options::Limits;
use crate::rates::network;

/// An address gets this part of the places that are left and no more, so that some that take all they
/// can leave one for who has none yet.
const PART: usize = 4;

/// Refuses connections from where too many come already.
#[derive(Debug)]
pub struct Crowd {
    /// Handshakes under way.
    over_udp: Places,
    over_tcp: Places,
    established: Places,
}

/// Who has taken which of so many places, and how many one address may have.
#[derive(Debug)]
struct Places {
    all: usize,
    per_address: usize,
    /// By network: an IPv6 customer has addresses without number.
    taken: HashMap<ConnectionId, Option<IpAddr>>,
    of_each: HashMap<IpAddr, usize>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Crowded {
    #[error("all {all} places for connections are taken")]
    All { all: usize },
    #[error("{got} connections come from there already, at most {most} may now")]
    Address { got: usize, most: usize },
}

impl Crowd {
    pub fn new(limits: &Limits) -> Self {
        let handshakes = || Places::new(limits.handshakes, limits.handshakes_per_address);
        Self {
            over_udp: handshakes(),
            over_tcp: handshakes(),
            established: Places::new(limits.connections, limits.connections_per_address),
        }
    }

    fn begin(&mut self, connection: ConnectionId, from: &Multiaddr) -> Result<(), Crowded> {
        self.check(from)?;
        let is_udp = from.iter().any(|part| matches!(part, Protocol::Udp(_)));
        let places = if is_udp { &mut self.over_udp } else { &mut self.over_tcp };
        let at = addresses::ip(from).map(network);
        places.check(at)?;
        places.take(connection, at);
        Ok(())
    }

    /// Whether one more connection may stay.
    fn check(&self, from: &Multiaddr) -> Result<(), Crowded> {
        self.established.check(shared(from))
    }

    fn establish(&mut self, connection: ConnectionId, from: &Multiaddr) {
        self.end(connection);
        self.established.take(connection, shared(from));
    }

    fn end(&mut self, connection: ConnectionId) {
        for places in [&mut self.over_udp, &mut self.over_tcp, &mut self.established] {
            places.give_back(connection);
        }
    }
}

/// Behind a proxy on this machine everybody has the same address. They shake hands one after the other,
/// but stay side by side.
fn shared(from: &Multiaddr) -> Option<IpAddr> {
    addresses::ip(from).filter(|ip| !ip.is_loopback()).map(network)
}

impl Places {
    fn new(all: u32, per_address: u32) -> Self {
        let [all, per_address] = [all, per_address].map(|count| count as usize);
        Self { all, per_address, taken: HashMap::new(), of_each: HashMap::new() }
    }

    fn check(&self, at: Option<IpAddr>) -> Result<(), Crowded> {
        let left = self.all.saturating_sub(self.taken.len());
        if left == 0 {
            return Err(Crowded::All { all: self.all });
        }
        let most = self.per_address.min(left.div_ceil(PART));
        let got = at.and_then(|at| self.of_each.get(&at)).copied().unwrap_or_default();
        if got < most { Ok(()) } else { Err(Crowded::Address { got, most }) }
    }

    fn take(&mut self, connection: ConnectionId, at: Option<IpAddr>) {
        self.taken.insert(connection, at);
        if let Some(at) = at {
            *self.of_each.entry(at).or_default() += 1;
        }
    }

    fn give_back(&mut self, connection: ConnectionId) {
        let Some(at) = self.taken.remove(&connection).flatten() else { return };
        let Some(got) = self.of_each.get_mut(&at) else { return };
        *got -= 1;
        if *got == 0 {
            self.of_each.remove(&at);
        }
    }
}

impl NetworkBehaviour for Crowd {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.begin(connection, from).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        // Others may have come to stay since the handshake began.
        self.check(from).map(|()| dummy::ConnectionHandler).map_err(ConnectionDenied::new)
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

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, endpoint, .. })
                if endpoint.is_listener() =>
            {
                self.establish(connection_id, endpoint.get_remote_address());
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. })
            | FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => self.end(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: std::convert::Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        crowd: Crowd,
        next: usize,
    }

    impl Bench {
        fn new(limits: Limits) -> Self {
            Self { crowd: Crowd::new(&limits), next: 0 }
        }

        fn begin(&mut self, from: &str) -> Result<ConnectionId, Crowded> {
            self.next += 1;
            let connection = ConnectionId::new_unchecked(self.next);
            self.crowd.begin(connection, &from.parse().unwrap()).map(|()| connection)
        }

        /// A connection that comes to stay.
        fn come(&mut self, from: &str) -> Result<ConnectionId, Crowded> {
            let connection = self.begin(from)?;
            self.crowd.establish(connection, &from.parse().unwrap());
            Ok(connection)
        }

        /// How many of so many begin, and stay so.
        fn begun(&mut self, from: &str) -> usize {
            (0..10_000).take_while(|_| self.begin(from).is_ok()).count()
        }

        fn come_all(&mut self, from: &str) -> usize {
            (0..10_000).take_while(|_| self.come(from).is_ok()).count()
        }
    }

    fn v4(number: usize) -> String {
        format!("/ip4/10.0.{}.{}/tcp/1", number / 256, number % 256)
    }

    #[test]
    fn an_address_begins_few_connections_at_a_time() {
        let limits = Limits::default();
        let mut bench = Bench::new(limits);
        let first = bench.begin(&v4(1)).unwrap();
        assert_eq!(bench.begun(&v4(1)), limits.handshakes_per_address as usize - 1);
        bench.begin(&v4(2)).unwrap();
        bench.crowd.end(first);
        bench.begin(&v4(1)).unwrap();
        bench.begin(&v4(1)).unwrap_err();
        for places in [&bench.crowd.over_tcp, &bench.crowd.established] {
            assert_eq!(places.of_each.values().sum::<usize>(), places.taken.len());
        }
    }

    #[test]
    fn one_customers_ipv6_addresses_count_as_one() {
        let limits = Limits::default();
        let mut bench = Bench::new(limits);
        let begun = (0..1000).filter(|number| bench.begin(&format!("/ip6/2600::{number:x}/tcp/1")).is_ok()).count();
        assert_eq!(begun, limits.handshakes_per_address as usize);
        bench.begin("/ip6/2600:0:0:1::1/tcp/1").unwrap();
    }

    #[test]
    fn addresses_that_take_all_they_can_leave_a_place_for_one_more() {
        let limits = Limits::default();
        let mut bench = Bench::new(limits);
        for number in 0..2 * (limits.handshakes / limits.handshakes_per_address) as usize {
            assert!(bench.begun(&v4(number)) > 0, "address {number}");
        }
        let mut bench = Bench::new(limits);
        for number in 0..2 * (limits.connections / limits.connections_per_address) as usize {
            assert!(bench.come_all(&v4(number)) > 0, "address {number}");
        }
    }

    #[test]
    fn made_up_senders_of_packets_shut_nobody_out_of_tcp() {
        let limits = Limits::default();
        let mut bench = Bench::new(limits);
        let udp = |number: usize| v4(number).replace("/tcp/1", "/udp/1/quic-v1");
        let begun = (0..10_000).filter(|number| bench.begin(&udp(*number)).is_ok()).count();
        assert_eq!(begun, limits.handshakes as usize);
        assert_eq!(bench.begin(&udp(10_001)), Err(Crowded::All { all: begun }));
        bench.begin(&v4(1)).unwrap();
    }

    #[test]
    fn an_address_keeps_a_bounded_number_and_a_proxy_on_this_machine_more() {
        let limits = Limits::default();
        let mut bench = Bench::new(limits);
        let first = bench.come(&v4(1)).unwrap();
        assert_eq!(bench.come_all(&v4(1)), limits.connections_per_address as usize - 1);
        assert_eq!(bench.begin(&v4(1)), Err(Crowded::Address { got: 512, most: 512 }));
        bench.crowd.end(first);
        bench.come(&v4(1)).unwrap();
        let proxy = "/ip4/127.0.0.1/tcp/1/ws";
        for _ in 0..2 * limits.connections_per_address {
            bench.come(proxy).unwrap();
        }
        assert_eq!(bench.begun(proxy), limits.handshakes_per_address as usize, "one after the other");
    }
}
