//! Who a peer is and how it sees us: identify, with two changes.
//!
//! What it tells others never holds an address of ours, not even a confirmed one: whoever connects
//! would learn where else we are. And where others see us is handed on word for word: identify itself
//! would put our listening port in place of the one that was seen.

use std::collections::BTreeSet;
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::identify;
use libp2p::identity::Keypair;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::protocol;

/// What identify calls the family of protocols.
const FAMILY: &str = "pairwave/1";

/// Somebody introduced itself on this connection.
#[derive(Debug)]
pub struct Introduced {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub agent: String,
    pub protocols: BTreeSet<String>,
    /// The address that it sees us at.
    pub observed: Multiaddr,
}

pub struct Introduction {
    inner: identify::Behaviour,
}

impl Introduction {
    pub fn new(key: &Keypair) -> Self {
        // What others say of their addresses is not remembered: nobody can make us dial where they
        // like, and no TCP address gets into a dial of QUIC.
        let config = identify::Config::new(FAMILY.into(), key.public())
            .with_agent_version(protocol::agent_version())
            .with_cache_size(0)
            .with_hide_listen_addrs(true);
        Self { inner: identify::Behaviour::new(config) }
    }
}

impl NetworkBehaviour for Introduction {
    type ConnectionHandler = THandler<identify::Behaviour>;
    type ToSwarm = Introduced;

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
            FromSwarm::ExternalAddrConfirmed(_) | FromSwarm::ExternalAddrExpired(_) => {}
            event => self.inner.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Introduced, THandlerInEvent<Self>>> {
        loop {
            match self.inner.poll(cx) {
                Poll::Ready(ToSwarm::NewExternalAddrCandidate(_)) => {}
                Poll::Ready(ToSwarm::GenerateEvent(event)) => {
                    if let Some(introduced) = introduced(event) {
                        return Poll::Ready(ToSwarm::GenerateEvent(introduced));
                    }
                }
                Poll::Ready(other) => {
                    return Poll::Ready(other.map_out(|_| unreachable!("its events are taken above")));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

fn introduced(event: identify::Event) -> Option<Introduced> {
    let identify::Event::Received { connection_id, peer_id, info } = event else { return None };
    Some(Introduced {
        peer: peer_id,
        connection: connection_id,
        agent: info.agent_version,
        protocols: info.protocols.iter().map(ToString::to_string).collect(),
        observed: info.observed_addr,
    })
}
