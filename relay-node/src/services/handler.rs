//! One connection's share: it accepts streams of both protocols and opens none.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::upgrade::{DeniedUpgrade, InboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, SubstreamProtocol};
use pairwave_wire::protocol;

use crate::desk::Service;

const MAILBOX: StreamProtocol = StreamProtocol::new(protocol::MAILBOX);
const LOOKUP: StreamProtocol = StreamProtocol::new(protocol::LOOKUP);
/// How long both sides may take to agree on a stream's protocol.
const AGREEMENT: Duration = Duration::from_secs(10);

/// It keeps no connection alive: its streams do that themselves.
#[derive(Debug, Default)]
pub struct Handler {
    accepted: VecDeque<(Service, Stream)>,
}

/// Both protocols, as a listener offers them.
#[derive(Debug, Clone, Copy)]
pub struct Offer;

impl UpgradeInfo for Offer {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 2];

    fn protocol_info(&self) -> Self::InfoIter {
        [MAILBOX, LOOKUP]
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = (Service, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        ready(Ok((if chosen == MAILBOX { Service::Mailbox } else { Service::Lookup }, stream)))
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = (Service, Stream);
    type InboundProtocol = Offer;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Offer, ()> {
        SubstreamProtocol::new(Offer, ()).with_timeout(AGREEMENT)
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), (Service, Stream)>> {
        let accepted = self.accepted.pop_front();
        accepted.map_or(Poll::Pending, |stream| Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream)))
    }

    fn on_behaviour_event(&mut self, never: Infallible) {
        match never {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Offer, DeniedUpgrade, (), ()>) {
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) = event {
            self.accepted.push_back(protocol);
        }
    }
}
