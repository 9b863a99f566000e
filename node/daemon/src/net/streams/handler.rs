//! One connection's share of the streams: which protocols it takes, and opening new ones.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::upgrade::{InboundUpgrade, ReadyUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, SubstreamProtocol};
use pairwave_core::input::{LinkId, Protocol};
use pairwave_wire::protocol;

const ROOM: StreamProtocol = StreamProtocol::new(protocol::ROOM);
const KNOCK: StreamProtocol = StreamProtocol::new(protocol::KNOCK);
/// How long both sides may take to agree on a stream's protocol.
const AGREEMENT: Duration = Duration::from_secs(5);

/// A stream to open on this connection.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    pub link: LinkId,
    pub protocol: Protocol,
}

/// What came of the streams of this connection.
#[derive(Debug)]
pub enum FromHandler {
    Accepted(Protocol, Stream),
    Opened(Open, Stream),
    Failed(LinkId),
}

/// It keeps no connection alive: its streams do that themselves.
#[derive(Debug, Default)]
pub struct Handler {
    opens: VecDeque<Open>,
    news: VecDeque<FromHandler>,
}

/// Both protocols, as a listener offers them.
#[derive(Debug, Clone, Copy)]
pub struct Offer;

impl UpgradeInfo for Offer {
    type Info = StreamProtocol;
    type InfoIter = [StreamProtocol; 2];

    fn protocol_info(&self) -> Self::InfoIter {
        [ROOM, KNOCK]
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = (Protocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        let protocol = if chosen == KNOCK { Protocol::Knock } else { Protocol::Room };
        ready(Ok((protocol, stream)))
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = FromHandler;
    type InboundProtocol = Offer;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Open;

    fn listen_protocol(&self) -> SubstreamProtocol<Offer, ()> {
        SubstreamProtocol::new(Offer, ()).with_timeout(AGREEMENT)
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, Open, FromHandler>> {
        if let Some(news) = self.news.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(news));
        }
        let Some(open) = self.opens.pop_front() else { return Poll::Pending };
        let name = match open.protocol {
            Protocol::Room => ROOM,
            Protocol::Knock => KNOCK,
        };
        let protocol = SubstreamProtocol::new(ReadyUpgrade::new(name), open).with_timeout(AGREEMENT);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.opens.push_back(open);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Offer, ReadyUpgrade<StreamProtocol>, (), Open>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (protocol, stream), ..
            }) => {
                self.news.push_back(FromHandler::Accepted(protocol, stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, info }) => {
                self.news.push_back(FromHandler::Opened(info, stream));
            }
            ConnectionEvent::DialUpgradeError(failure) => {
                tracing::debug!(link = ?failure.info.link, error = %failure.error, "a stream cannot be opened");
                self.news.push_back(FromHandler::Failed(failure.info.link));
            }
            _ => {}
        }
    }
}
