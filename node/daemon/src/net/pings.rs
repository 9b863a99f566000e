//! Round trips: how far away somebody is, and whether a relay that is reached over TCP still lives.
//!
//! What else is dead is noticed without: QUIC gives up by itself, and a room's links have a heartbeat. So
//! only such a relay is asked often.

use std::collections::BTreeSet;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, ping};

use crate::net::paths::Rank;

/// How often a relay is asked whose death nothing else would tell.
const OFTEN: Duration = Duration::from_secs(20);
/// How often the round trip to everybody else is measured.
const RARELY: Duration = Duration::from_secs(150);
/// How long an answer may take.
const PONG: Duration = Duration::from_secs(10);

pub struct Pings {
    often: ping::Behaviour,
    rarely: ping::Behaviour,
    relays: BTreeSet<PeerId>,
}

impl Pings {
    pub fn new() -> Self {
        let every = |interval| ping::Behaviour::new(ping::Config::new().with_interval(interval).with_timeout(PONG));
        Self { often: every(OFTEN), rarely: every(RARELY), relays: BTreeSet::new() }
    }

    /// New connections to these are to relays.
    pub fn watch(&mut self, relays: BTreeSet<PeerId>) {
        self.relays = relays;
    }

    fn of(&mut self, peer: &PeerId, remote: &Multiaddr) -> &mut ping::Behaviour {
        let is_mute = self.relays.contains(peer) && Rank::of(remote) == Rank::Tcp;
        if is_mute { &mut self.often } else { &mut self.rarely }
    }
}

impl NetworkBehaviour for Pings {
    type ConnectionHandler = THandler<ping::Behaviour>;
    type ToSwarm = ping::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.of(&peer, remote).handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.of(&peer, address).handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.often.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.often.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<ping::Event, THandlerInEvent<Self>>> {
        self.often.poll(cx)
    }
}
