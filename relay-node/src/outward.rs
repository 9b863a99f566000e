//! Whom a relay may call. It calls only to test whether somebody can be reached (AutoNAT), at
//! addresses that this somebody names, and must not become a way into its owner's network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandlerInEvent, ToSwarm, dummy};
use libp2p::{Multiaddr, PeerId};

use crate::addresses;

/// Refuses every call that leads neither into the open Internet nor to where who is called comes from.
#[derive(Debug, Default)]
pub struct Outward {
    guests: HashMap<ConnectionId, (PeerId, IpAddr)>,
}

#[derive(Debug, thiserror::Error)]
#[error("the relay calls nobody there")]
struct NotThere;

impl Outward {
    fn may_call(&self, peer: Option<PeerId>, address: &Multiaddr) -> bool {
        let Some(ip) = addresses::direct(address) else { return false };
        // Behind a proxy on this machine everybody comes from the loopback, where the owner's things are.
        !ip.is_loopback() && (addresses::is_global(ip) || peer.is_some_and(|peer| self.comes_from(peer, ip)))
    }

    fn comes_from(&self, peer: PeerId, ip: IpAddr) -> bool {
        self.guests.values().any(|guest| *guest == (peer, ip))
    }
}

impl NetworkBehaviour for Outward {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if addresses.iter().all(|address| self.may_call(peer, address)) {
            Ok(Vec::new())
        } else {
            Err(ConnectionDenied::new(NotThere))
        }
    }

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

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. })
                if endpoint.is_listener() =>
            {
                if let Some(ip) = addresses::ip(endpoint.get_remote_address()) {
                    self.guests.insert(connection_id, (peer_id, ip));
                }
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.guests.remove(&connection_id);
            }
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

    fn may_call(outward: &Outward, peer: PeerId, address: &str) -> bool {
        outward.may_call(Some(peer), &address.parse().unwrap())
    }

    #[test]
    fn nobody_is_called_inside_the_owners_network() {
        let (outward, mallory) = (Outward::default(), PeerId::random());
        for outside in ["/ip4/8.8.8.8/udp/1/quic-v1", "/ip4/8.8.8.8/tcp/1", "/ip6/2600::1/tcp/1"] {
            assert!(may_call(&outward, mallory, outside), "{outside}");
            assert!(may_call(&outward, mallory, &format!("{outside}/p2p/{mallory}")), "{outside}");
        }
        for inside in [
            "/ip4/127.0.0.1/tcp/22",
            "/ip4/10.0.0.1/tcp/80",
            "/ip4/169.254.169.254/tcp/80",
            "/ip6/::ffff:10.0.0.1/tcp/80",
            "/ip6/64:ff9b::a00:1/tcp/80",
            "/dns/localhost/tcp/1",
            "/ip4/8.8.8.8/ip4/10.0.0.1/tcp/22",
            "/ip4/8.8.8.8/tcp/1/ip4/10.0.0.1/tcp/22",
            "/ip4/8.8.8.8/tcp/1/ws",
            "/ip4/8.8.8.8/udp/1",
        ] {
            assert!(!may_call(&outward, mallory, inside), "{inside}");
        }
    }

    #[test]
    fn a_guest_is_called_where_it_comes_from_and_no_other_one_there() {
        let (mut outward, alice, mallory) = (Outward::default(), PeerId::random(), PeerId::random());
        for (number, ip) in ["10.0.0.1", "198.18.0.1", "127.0.0.1"].into_iter().enumerate() {
            outward.guests.insert(ConnectionId::new_unchecked(number), (alice, ip.parse().unwrap()));
        }
        for inside in ["/ip4/10.0.0.1/tcp/80", "/ip4/198.18.0.1/udp/1/quic-v1"] {
            assert!(may_call(&outward, alice, inside), "{inside}");
            assert!(!may_call(&outward, mallory, inside), "{inside}");
        }
        assert!(!may_call(&outward, alice, "/ip4/198.18.0.2/tcp/1"));
        assert!(!may_call(&outward, alice, "/ip4/127.0.0.1/tcp/22"), "the loopback is never called");
    }
}
