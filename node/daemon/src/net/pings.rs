//! Round trips: how far away somebody is, and whether a relay that is reached over TCP still lives.
//!
//! What else is dead is noticed without: QUIC gives up by itself, and a room's links have a heartbeat. So
//! only such a relay is asked often.

use std::collections::BTreeSet;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::handler::ConnectionEvent;
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, ping};

use crate::net::paths::Rank;

/// How often a relay is asked whose death nothing else would tell.
const OFTEN: Duration = Duration::from_secs(20);
/// How often the round trip to everybody else is measured, after the first time when a connection is made.
const RARELY: Duration = Duration::from_secs(600);
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

/// What libp2p does about one connection, and no question is left lying.
pub struct Attentive(Inner);

type Inner = THandler<ping::Behaviour>;

impl NetworkBehaviour for Pings {
    type ConnectionHandler = Attentive;
    type ToSwarm = ping::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.of(&peer, remote).handle_established_inbound_connection(connection, peer, local, remote).map(Attentive)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let pings = self.of(&peer, address);
        pings.handle_established_outbound_connection(connection, peer, address, role, port).map(Attentive)
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

impl ConnectionHandler for Attentive {
    type FromBehaviour = <Inner as ConnectionHandler>::FromBehaviour;
    type ToBehaviour = <Inner as ConnectionHandler>::ToBehaviour;
    type InboundProtocol = <Inner as ConnectionHandler>::InboundProtocol;
    type OutboundProtocol = <Inner as ConnectionHandler>::OutboundProtocol;
    type InboundOpenInfo = <Inner as ConnectionHandler>::InboundOpenInfo;
    type OutboundOpenInfo = <Inner as ConnectionHandler>::OutboundOpenInfo;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, Self::InboundOpenInfo> {
        self.0.listen_protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.0.connection_keep_alive()
    }

    /// Once it has answered, it does not ask to be woken by the next question, so it is asked once more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>> {
        match self.0.poll(cx) {
            Poll::Pending => self.0.poll(cx),
            ready => ready,
        }
    }

    fn on_behaviour_event(&mut self, event: Self::FromBehaviour) {
        self.0.on_behaviour_event(event);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<
            Self::InboundProtocol,
            Self::OutboundProtocol,
            Self::InboundOpenInfo,
            Self::OutboundOpenInfo,
        >,
    ) {
        self.0.on_connection_event(event);
    }
}

#[cfg(test)]
mod tests {
    use libp2p::futures::StreamExt;
    use libp2p::swarm::SwarmEvent;
    use libp2p::{Swarm, SwarmBuilder};

    use super::*;
    use crate::net::tuning;

    fn node<B: NetworkBehaviour>(behaviour: B) -> Swarm<B> {
        let builder = SwarmBuilder::with_new_identity().with_tokio().with_quic_config(tuning::quic);
        let builder = builder.with_behaviour(|_| behaviour).unwrap();
        builder.with_swarm_config(|swarm| swarm.with_idle_connection_timeout(Duration::from_secs(60))).build()
    }

    #[tokio::test]
    async fn every_question_is_answered_though_we_ask_nothing() {
        let config =
            ping::Config::new().with_interval(Duration::from_millis(50)).with_timeout(Duration::from_secs(3600));
        let (mut alice, mut bob) = (node(ping::Behaviour::new(config)), node(Pings::new()));
        bob.listen_on("/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()).unwrap();
        let at = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = bob.select_next_some().await {
                break address;
            }
        };
        alice.dial(at).unwrap();
        let answered = async {
            let mut answers = 0;
            while answers < 5 {
                tokio::select! {
                    event = alice.select_next_some() => answers += usize::from(matches!(event, SwarmEvent::Behaviour(_))),
                    _ = bob.select_next_some() => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap();
    }
}
