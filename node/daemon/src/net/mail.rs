//! Requests to relays: letters and addresses. Of each kind one stream is kept to each relay, and
//! one request at a time is on it.

mod exchange;
mod handler;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, Stream, ToSwarm};
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};

use exchange::{Exchange, Exchanged};
use handler::{FromHandler, Handler};

/// Most requests that may wait for one relay.
const WAITING: usize = 256;

/// What a relay can be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    Mailbox,
    Lookup,
}

/// Who wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Whoever drives us, by its own number.
    Driver(u64),
    /// We ourselves, about our token.
    Token,
    /// We ourselves, about whether it is there.
    Doubt,
}

/// An answer, or none: the relay is not connected, or did not answer in time.
#[derive(Debug)]
pub enum Answered {
    Mailbox { relay: PeerId, asker: Asker, answer: Option<MailboxAnswer> },
    Lookup { asker: Asker, answer: Option<LookupAnswer> },
}

/// The desks of all relays.
#[derive(Default)]
pub struct Mail {
    relays: BTreeSet<PeerId>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    desks: BTreeMap<(PeerId, Counter), Desk>,
    exchanges: FuturesUnordered<Exchange>,
    actions: VecDeque<ToSwarm<Answered, Counter>>,
}

#[derive(Default)]
struct Desk {
    waiting: VecDeque<(Asker, Vec<u8>)>,
    stream: Kept,
}

/// The stream of a desk.
#[derive(Default)]
enum Kept {
    #[default]
    None,
    Opening(ConnectionId),
    Idle(Stream),
    /// A request is on it.
    Busy,
}

impl Mail {
    /// Connections to exactly these are kept alive from now on.
    pub fn keep(&mut self, relays: BTreeSet<PeerId>) {
        self.relays = relays;
    }

    /// Opens a stream before there is anything to ask: a relay ends connections that nothing runs on.
    pub fn greet(&mut self, relay: PeerId) {
        let desk = self.desks.entry((relay, Counter::Mailbox)).or_default();
        if matches!(desk.stream, Kept::None) {
            self.open(relay, Counter::Mailbox);
        }
    }

    pub fn ask_mailbox(&mut self, relay: PeerId, asker: Asker, request: &MailboxRequest) {
        self.ask(relay, Counter::Mailbox, asker, request.encode());
    }

    pub fn ask_lookup(&mut self, relay: PeerId, asker: Asker, request: &LookupRequest) {
        self.ask(relay, Counter::Lookup, asker, request.encode());
    }

    fn ask(&mut self, relay: PeerId, counter: Counter, asker: Asker, request: Vec<u8>) {
        let desk = self.desks.entry((relay, counter)).or_default();
        if desk.waiting.len() >= WAITING {
            return self.answer(relay, counter, asker, None);
        }
        desk.waiting.push_back((asker, request));
        self.serve(relay, counter);
    }

    /// Puts the next request on the stream, once there is one.
    fn serve(&mut self, relay: PeerId, counter: Counter) {
        let Some(desk) = self.desks.get_mut(&(relay, counter)) else { return };
        if desk.waiting.is_empty() {
            return;
        }
        match std::mem::take(&mut desk.stream) {
            Kept::None => self.open(relay, counter),
            Kept::Idle(stream) => self.begin(relay, counter, stream, true),
            other => desk.stream = other,
        }
    }

    fn open(&mut self, relay: PeerId, counter: Counter) {
        let Some(connection) = self.connections.get(&relay).and_then(|all| all.last()).copied() else {
            return self.give_up(relay, counter);
        };
        if let Some(desk) = self.desks.get_mut(&(relay, counter)) {
            desk.stream = Kept::Opening(connection);
        }
        let handler = NotifyHandler::One(connection);
        self.actions.push_back(ToSwarm::NotifyHandler { peer_id: relay, handler, event: counter });
    }

    fn begin(&mut self, relay: PeerId, counter: Counter, stream: Stream, kept: bool) {
        let Some(desk) = self.desks.get_mut(&(relay, counter)) else { return };
        match desk.waiting.pop_front() {
            None => desk.stream = Kept::Idle(stream),
            Some((asker, request)) => {
                desk.stream = Kept::Busy;
                self.exchanges.push(exchange::exchange(relay, counter, asker, request, stream, kept));
            }
        }
    }

    fn on_exchanged(&mut self, done: Exchanged) {
        let Exchanged { relay, counter, asker, request, answer, kept } = done;
        let Some(desk) = self.desks.get_mut(&(relay, counter)) else { return };
        match answer {
            Ok((bytes, stream)) => {
                desk.stream = Kept::Idle(stream);
                self.answer(relay, counter, asker, Some(&bytes));
                self.serve(relay, counter);
            }
            // The relay may have ended a stream that lay idle; that says nothing of the relay.
            Err(error) if kept && error.kind() != std::io::ErrorKind::TimedOut => {
                tracing::debug!(%relay, %error, "a kept stream to a relay has ended; a new one is opened");
                desk.stream = Kept::None;
                desk.waiting.push_front((asker, request));
                self.serve(relay, counter);
            }
            Err(error) => {
                tracing::debug!(%relay, ?counter, %error, "a relay does not answer");
                desk.stream = Kept::None;
                self.answer(relay, counter, asker, None);
                self.give_up(relay, counter);
            }
        }
    }

    /// Nobody who waits at this desk gets an answer.
    fn give_up(&mut self, relay: PeerId, counter: Counter) {
        let Some(desk) = self.desks.remove(&(relay, counter)) else { return };
        for (asker, _) in desk.waiting {
            self.answer(relay, counter, asker, None);
        }
    }

    fn answer(&mut self, relay: PeerId, counter: Counter, asker: Asker, bytes: Option<&[u8]>) {
        let bad = |error: &dyn std::fmt::Display| tracing::warn!(%relay, %error, "a relay answers what is no answer");
        let answered = match counter {
            Counter::Mailbox => {
                let answer = bytes.and_then(|bytes| MailboxAnswer::decode(bytes).inspect_err(|error| bad(error)).ok());
                Answered::Mailbox { relay, asker, answer }
            }
            Counter::Lookup => {
                let answer = bytes.and_then(|bytes| LookupAnswer::decode(bytes).inspect_err(|error| bad(error)).ok());
                Answered::Lookup { asker, answer }
            }
        };
        self.actions.push_back(ToSwarm::GenerateEvent(answered));
    }

    fn on_closed(&mut self, relay: PeerId, connection: ConnectionId) {
        if let Some(all) = self.connections.get_mut(&relay) {
            all.retain(|one| *one != connection);
            if all.is_empty() {
                self.connections.remove(&relay);
            }
        }
        for counter in [Counter::Mailbox, Counter::Lookup] {
            let is_on_it = |desk: &Desk| matches!(desk.stream, Kept::Opening(on) if on == connection);
            if self.desks.get(&(relay, counter)).is_some_and(is_on_it) {
                self.open(relay, counter);
            }
        }
    }

    fn handler(&self, peer: &PeerId) -> Handler {
        Handler::new(self.relays.contains(peer))
    }
}

impl NetworkBehaviour for Mail {
    type ConnectionHandler = Handler;
    type ToSwarm = Answered;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(Handler::new(false))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. })
                if self.relays.contains(&peer_id) && endpoint.is_dialer() =>
            {
                self.connections.entry(peer_id).or_default().push(connection_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.on_closed(peer_id, connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, relay: PeerId, _: ConnectionId, event: FromHandler) {
        match event {
            FromHandler::Opened(counter, stream) => self.begin(relay, counter, stream, false),
            FromHandler::Failed(counter) => self.give_up(relay, counter),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Answered, Counter>> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Poll::Ready(action);
            }
            match self.exchanges.poll_next_unpin(cx) {
                Poll::Ready(Some(done)) => self.on_exchanged(done),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
