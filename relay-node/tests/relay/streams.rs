//! Streams of a client: one protocol that it accepts, any that it opens.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    NotifyHandler, Stream, StreamProtocol, SubstreamProtocol, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

/// What clients talk to each other in.
pub const TALK: StreamProtocol = StreamProtocol::new("/test/talk/1");

pub type Opened = oneshot::Sender<Option<Stream>>;

#[derive(Debug)]
pub struct Open(StreamProtocol, Opened);

pub struct Streams {
    accepted: mpsc::UnboundedSender<Stream>,
    actions: VecDeque<ToSwarm<std::convert::Infallible, Open>>,
}

impl Streams {
    pub fn new(accepted: mpsc::UnboundedSender<Stream>) -> Self {
        Self { accepted, actions: VecDeque::new() }
    }

    pub fn open(&mut self, peer_id: PeerId, protocol: StreamProtocol, opened: Opened) {
        let event = Open(protocol, opened);
        self.actions.push_back(ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::Any, event });
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = std::convert::Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, stream: Stream) {
        let _ = self.accepted.send(stream);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<std::convert::Infallible, Open>> {
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[derive(Default)]
pub struct Handler {
    opens: VecDeque<Open>,
    accepted: VecDeque<Stream>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Stream;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Opened;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, ()> {
        SubstreamProtocol::new(ReadyUpgrade::new(TALK), ())
    }

    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, Opened, Stream>> {
        if let Some(stream) = self.accepted.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream));
        }
        let Some(Open(name, opened)) = self.opens.pop_front() else { return Poll::Pending };
        let protocol = SubstreamProtocol::new(ReadyUpgrade::new(name), opened);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.opens.push_back(open);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol, (), Opened>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                self.accepted.push_back(protocol);
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info }) => {
                let _ = info.send(Some(protocol));
            }
            ConnectionEvent::DialUpgradeError(failed) => drop(failed.info.send(None)),
            _ => {}
        }
    }
}
