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

/// Refuses every call that leads neither into the open Internet nor to where a guest comes from.
#[derive(Debug, Default)]
pub struct Outward {
    guests: HashMap<ConnectionId, IpAddr>,
}

#[derive(Debug, thiserror::Error)]
#[error("the relay calls nobody there")]
struct NotThere;

impl Outward {
    fn may_call(&self, address: &Multiaddr) -> bool {
        addresses::ip(address)
            .is_some_and(|ip| addresses::is_global(ip) || self.guests.values().any(|guest| *guest == ip))
    }
}

impl NetworkBehaviour for Outward {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: Option<PeerId>,
        addresses: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if addresses.iter().all(|address| self.may_call(address)) {
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
            FromSwarm::ConnectionEstablished(ConnectionEstablished { connection_id, endpoint, .. })
                if endpoint.is_listener() =>
            {
                if let Some(ip) = addresses::ip(endpoint.get_remote_address()) {
                    self.guests.insert(connection_id, ip);
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

    #[test]
    fn nobody_is_called_inside_the_owners_network() {
        let mut outward = Outward::default();
        let may_call = |outward: &Outward, address: &str| outward.may_call(&address.parse().unwrap());
        assert!(may_call(&outward, "/ip4/8.8.8.8/udp/1/quic-v1"));
        for inside in
            ["/ip4/127.0.0.1/tcp/22", "/ip4/10.0.0.1/tcp/80", "/ip4/169.254.169.254/tcp/80", "/dns/localhost/tcp/1"]
        {
            assert!(!may_call(&outward, inside), "{inside}");
        }
        outward.guests.insert(ConnectionId::new_unchecked(1), "10.0.0.1".parse().unwrap());
        assert!(may_call(&outward, "/ip4/10.0.0.1/tcp/80"));
    }
}
