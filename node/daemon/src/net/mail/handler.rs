//! One connection's share of the requests: opening streams, and keeping a relay's connection alive.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::upgrade::{DeniedUpgrade, ReadyUpgrade};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, SubstreamProtocol};
use pairwave_wire::protocol;

use super::Counter;

const MAILBOX: StreamProtocol = StreamProtocol::new(protocol::MAILBOX);
const LOOKUP: StreamProtocol = StreamProtocol::new(protocol::LOOKUP);
/// How long both sides may take to agree on a stream's protocol.
const AGREEMENT: Duration = Duration::from_secs(10);

/// What came of a stream.
#[derive(Debug)]
pub enum FromHandler {
    Opened(Counter, Stream),
    Failed(Counter),
}

#[derive(Debug)]
pub struct Handler {
    is_relay: bool,
    opens: VecDeque<Counter>,
    news: VecDeque<FromHandler>,
}

impl Handler {
    pub fn new(is_relay: bool) -> Self {
        Self { is_relay, opens: VecDeque::new(), news: VecDeque::new() }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Counter;
    type ToBehaviour = FromHandler;
    type InboundProtocol = DeniedUpgrade;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Counter;

    fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade, ()> {
        SubstreamProtocol::new(DeniedUpgrade, ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.is_relay
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, Counter, FromHandler>> {
        if let Some(news) = self.news.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(news));
        }
        let Some(counter) = self.opens.pop_front() else { return Poll::Pending };
        let name = match counter {
            Counter::Mailbox => MAILBOX,
            Counter::Lookup => LOOKUP,
        };
        let protocol = SubstreamProtocol::new(ReadyUpgrade::new(name), counter).with_timeout(AGREEMENT);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
    }

    fn on_behaviour_event(&mut self, counter: Counter) {
        self.opens.push_back(counter);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<DeniedUpgrade, ReadyUpgrade<StreamProtocol>, (), Counter>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, info }) => {
                self.news.push_back(FromHandler::Opened(info, stream));
            }
            ConnectionEvent::DialUpgradeError(failure) => {
                tracing::debug!(counter = ?failure.info, error = %failure.error, "a relay takes no such stream");
                self.news.push_back(FromHandler::Failed(failure.info));
            }
            _ => {}
        }
    }
}
