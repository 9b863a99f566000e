//! Streams of frames on chosen connections: the behaviour behind both protocols.
//!
//! A stream lives on the connection it was opened on and dies with it; nothing moves. So what a new
//! one is opened on is chosen here, and what a stream costs before it has proved anything is
//! bounded here (see [`gate`]). Each stream is carried by a task of its own ([`pump::Pump`]).

mod gate;
mod handler;
mod pump;
mod reading;
mod surplus;
mod writing;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::{ConnectedPoint, Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, Stream, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, relay};
use pairwave_core::input::{LinkId, Protocol};
use pairwave_wire::TransportId;
use tokio::sync::{mpsc, watch};

use crate::net::address::{self, Origin};
use crate::net::circuits::Circuits;
use crate::net::outlet::Outlet;
use crate::net::paths::{Paths, Rank};
use crate::net::{NetEvent, NetStatus, Patience};

use gate::Gate;
use handler::{FromHandler, Handler, Open};
use pump::{Ending, Pump, Report};
use surplus::Surplus;

/// Most bytes that may wait for a peer that does not read.
const BACKLOG: usize = 16 * 1024 * 1024;

/// How often it is told that there is a better path, as long as a room's link is not on it: one whose
/// handshake still ran on the worse one could not be moved.
const REMINDER: Duration = Duration::from_secs(2);

/// Within this time two companions that dial each other may both succeed.
const BOTH_AT_ONCE: Duration = Duration::from_secs(1);

/// What the streams report to the worker, in order.
pub enum StreamsEvent {
    Net(NetEvent),
    /// A stream is ready; its task may start once everything before it has been told.
    Start(Box<Pump>),
    /// Links have proved themselves or ended: there may be something to tidy up.
    Changed,
}

type Action = ToSwarm<StreamsEvent, Open>;

/// All links, and the connections they run on.
pub struct Streams {
    outlet: Outlet,
    patience: Patience,
    paths: Paths,
    circuits: Circuits,
    gate: Gate,
    /// Asked for, not up so far.
    opening: HashMap<LinkId, ConnectionId>,
    links: HashMap<LinkId, Link>,
    next_accepted: u64,
    /// Peers that `Connected` was told of.
    told: BTreeSet<PeerId>,
    /// Peers that have turned out to be companions.
    proved: Vec<PeerId>,
    /// Relays of circuits on which a peer has fallen silent.
    doubted: Vec<PeerId>,
    /// Connections to these carry no streams of ours.
    relays: BTreeSet<PeerId>,
    surplus: Surplus,
    /// When to look next for links that a better path could take.
    remind_at: Option<Instant>,
    reporter: mpsc::UnboundedSender<Report>,
    reports: mpsc::UnboundedReceiver<Report>,
    actions: VecDeque<Action>,
    closing: bool,
}

/// A stream that is up, until its task has ended.
struct Link {
    peer: PeerId,
    connection: ConnectionId,
    protocol: Protocol,
    /// `None` once it was hung up.
    frames: Option<mpsc::UnboundedSender<Vec<u8>>>,
    ending: watch::Sender<Ending>,
    /// Bytes in `frames`.
    backlog: Arc<AtomicUsize>,
}

impl Streams {
    pub fn new(me: PeerId, outlet: Outlet, patience: Patience) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        Self {
            outlet,
            patience,
            paths: Paths::default(),
            circuits: Circuits::default(),
            gate: Gate::default(),
            opening: HashMap::new(),
            links: HashMap::new(),
            next_accepted: 1,
            told: BTreeSet::new(),
            proved: Vec::new(),
            doubted: Vec::new(),
            relays: BTreeSet::new(),
            surplus: Surplus::new(me),
            remind_at: None,
            reporter,
            reports,
            actions: VecDeque::new(),
            closing: false,
        }
    }

    /// Opens a stream on the best connection to this peer.
    pub fn open(&mut self, link: LinkId, peer: &TransportId, protocol: Protocol) {
        let target = address::peer_id(peer).and_then(|peer| Some((peer, self.paths.best(&peer)?)));
        let Some((peer_id, connection)) = target else {
            return self.tell(NetEvent::Closed { link });
        };
        self.opening.insert(link, connection);
        let event = Open { link, protocol };
        self.actions.push_back(ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::One(connection), event });
    }

    /// Queues a frame; one for a link that is not there is dropped.
    pub fn send(&mut self, link: LinkId, frame: Vec<u8>) {
        let Some(open) = self.links.get_mut(&link) else { return };
        let Some(frames) = &open.frames else { return };
        let waiting = open.backlog.fetch_add(frame.len(), Ordering::Relaxed);
        if waiting > BACKLOG {
            tracing::warn!(?link, waiting, "the peer does not read; its link is closed");
            open.end(Ending::Now);
        } else {
            // An ended task has told of it, or is about to.
            let _ = frames.send(frame);
        }
    }

    /// Ends a link. The two ends of a room's link speak all the time, so if its connection has been
    /// silent, the connection is dead and ends as well, and with it those that lie idle beside it.
    pub fn hangup(&mut self, link: LinkId) {
        if let Some(connection) = self.opening.remove(&link) {
            self.tell(NetEvent::Closed { link });
            return self.tell_if_gone_on(connection);
        }
        let Some(open) = self.links.get_mut(&link) else { return };
        open.end(Ending::Flush);
        let (connection, protocol) = (open.connection, open.protocol);
        let silent = self.paths.silent_beside(connection, self.patience.silence);
        if protocol == Protocol::Room && silent.contains(&connection) {
            tracing::info!("a silent peer's connections are closed");
            self.doubted.extend(silent.iter().filter_map(|connection| self.paths.relay_of(*connection)));
            silent.into_iter().for_each(|connection| self.condemn(connection));
        }
    }

    /// Ends all links after what was sent on them, and lets no further ones begin.
    pub fn hangup_all(&mut self) {
        self.closing = true;
        self.links.values_mut().for_each(|link| link.end(Ending::Flush));
    }

    pub fn is_idle(&self) -> bool {
        self.links.is_empty()
    }

    /// Closes the connections whose packets left from an address that we no longer have.
    pub fn lost_address(&mut self, ip: IpAddr) {
        for connection in self.paths.leaving_from(ip) {
            tracing::info!(%ip, ?connection, "a connection is closed with the address it left from");
            self.condemn(connection);
        }
    }

    /// Closes all connections.
    pub fn lost_everybody(&mut self) {
        self.paths.ids().into_iter().for_each(|connection| self.condemn(connection));
    }

    /// New connections to these are nobody's path.
    pub fn leave_out(&mut self, relays: BTreeSet<PeerId>) {
        self.relays = relays;
    }

    /// Closes connections that are no longer needed beside others, and reminds of better paths.
    pub fn tidy(&mut self, now: Instant) {
        if self.remind_at.take_if(|at| *at <= now).is_some() {
            let peers: BTreeSet<PeerId> = self.links.values().map(|link| link.peer).collect();
            peers.into_iter().for_each(|peer| self.tell_if_better(peer));
        }
        if !self.surplus.is_due(now) {
            return;
        }
        let carrying: HashSet<ConnectionId> =
            self.links.values().map(|link| link.connection).chain(self.opening.values().copied()).collect();
        for connection in self.surplus.find(&self.paths, &carrying, now) {
            tracing::debug!(?connection, "a connection beside a better one is closed");
            self.condemn(connection);
        }
    }

    /// Peers that have proved themselves since this was last asked, or that we opened streams to.
    pub fn take_proved(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.proved)
    }

    /// Relays that may have gone, since this was last asked.
    pub fn take_doubted(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.doubted)
    }

    /// When to tidy up at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.surplus.due().into_iter().chain(self.remind_at).min()
    }

    /// A circuit was made, with limits that its relay has told.
    pub fn heed_circuit(&mut self, event: &relay::client::Event) {
        self.circuits.heed(event);
    }

    /// Whether there is a connection to this peer that is no circuit.
    pub fn is_direct(&self, peer: &PeerId) -> bool {
        self.paths.is_direct(peer)
    }

    /// Of the best connection to this peer.
    pub fn rank(&self, peer: &PeerId) -> Option<Rank> {
        self.paths.rank(peer)
    }

    pub fn set_rtt(&mut self, connection: ConnectionId, rtt: Duration) {
        self.paths.set_rtt(connection, rtt);
    }

    pub fn set_agent(&mut self, connection: ConnectionId, agent: &str) {
        self.paths.set_agent(connection, agent);
    }

    pub fn status(&self) -> NetStatus {
        NetStatus { connections: self.paths.status(|peer| self.in_use(peer)), ..NetStatus::default() }
    }

    /// The connections that a peer's rooms speak on.
    fn in_use(&self, peer: &PeerId) -> Vec<ConnectionId> {
        let links = self.links.values().filter(|link| link.peer == *peer && link.is_of_room());
        links.map(|link| link.connection).collect()
    }

    /// Whether `Connected` stands for this peer, so that a failed dial means nothing.
    pub fn counts_as_connected(&self, peer: &PeerId) -> bool {
        self.told.contains(peer)
    }

    /// Takes a connection out of use at once. Closing a dead one properly can take TCP minutes,
    /// and until then libp2p calls it connected.
    fn condemn(&mut self, connection: ConnectionId) {
        let Some(peer_id) = self.paths.peer_of(connection) else { return };
        self.actions.push_back(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(connection) });
        self.drop_connection(connection);
    }

    fn drop_connection(&mut self, connection: ConnectionId) {
        let Some(peer) = self.paths.remove(connection) else { return };
        self.surplus.touch();
        let unopened: Vec<LinkId> =
            self.opening.iter().filter(|(_, on)| **on == connection).map(|(link, _)| *link).collect();
        for link in unopened {
            self.opening.remove(&link);
            self.tell(NetEvent::Closed { link });
        }
        let carried = self.links.values_mut().filter(|link| link.connection == connection);
        carried.for_each(|link| link.end(Ending::Now));
        self.tell_if_gone(peer);
    }

    fn on_connected(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        if self.relays.contains(&peer) {
            return;
        }
        self.surplus.touch();
        self.paths.add(peer, connection, endpoint);
        // A companion that was killed and is back: its links need not grow silent first.
        for lost in self.paths.lost_by_peer(connection, BOTH_AT_ONCE) {
            self.condemn(lost);
        }
        if self.told.insert(peer) {
            let address = self.paths.reachable_at(connection).map(|address| address.to_string());
            let (peer, address) = (address::transport_id(&peer), address.unwrap_or_default());
            self.tell(NetEvent::Connected { peer, address });
        }
        self.tell_if_better(peer);
    }

    /// Streams do not move; whoever drives us opens new ones on the better connection.
    fn tell_if_better(&mut self, peer: PeerId) {
        let mut carrying = self.links.values().filter(|link| link.peer == peer && link.is_of_room());
        if carrying.any(|link| self.paths.has_better(link.connection)) {
            self.remind_at.get_or_insert(Instant::now() + REMINDER);
            self.tell(NetEvent::BetterPath { peer: address::transport_id(&peer) });
        }
    }

    fn on_opened(&mut self, peer: PeerId, connection: ConnectionId, open: Open, stream: Stream) {
        // Hung up in the meantime: the stream is dropped.
        if self.opening.remove(&open.link).is_some() && !self.closing {
            self.proved.push(peer);
            self.start(open.link, peer, connection, open.protocol, stream, false);
        }
    }

    fn on_accepted(&mut self, peer: PeerId, connection: ConnectionId, protocol: Protocol, stream: Stream) {
        let link = LinkId(self.next_accepted);
        let Some(origin) = self.paths.origin(connection) else { return };
        if self.closing {
            return;
        }
        match self.gate.admit(link, connection, origin, protocol, Instant::now()) {
            Ok(()) => {
                self.next_accepted += 2;
                self.start(link, peer, connection, protocol, stream, true);
            }
            Err(denied) => tracing::debug!(%peer, ?protocol, %denied, "a stream is refused"),
        }
    }

    fn start(
        &mut self,
        link: LinkId,
        peer: PeerId,
        connection: ConnectionId,
        protocol: Protocol,
        stream: Stream,
        accepted: bool,
    ) {
        let Some(heard) = self.paths.heard(connection).cloned() else { return };
        let (frames, inbox) = mpsc::unbounded_channel();
        let (ending, ended) = watch::channel(Ending::No);
        let backlog = Arc::default();
        let pump = Pump {
            link,
            accepted: accepted.then(|| (address::transport_id(&peer), protocol)),
            stream,
            frames: inbox,
            backlog: Arc::clone(&backlog),
            ending: ended,
            heard,
            outlet: self.outlet.clone(),
            reports: self.reporter.clone(),
            patience: self.patience,
            small: self.paths.circuit(connection).is_some_and(|address| self.circuits.is_small(&peer, address)),
        };
        self.links.insert(link, Link { peer, connection, protocol, frames: Some(frames), ending, backlog });
        self.actions.push_back(ToSwarm::GenerateEvent(StreamsEvent::Start(Box::new(pump))));
        // A better connection may have come up while this one was agreed on.
        if self.paths.has_better(connection) {
            self.tell_if_better(peer);
        }
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Proved(link) => {
                self.gate.proved(link);
                let rooms = self.links.get(&link).filter(|link| link.is_of_room());
                self.proved.extend(rooms.map(|link| link.peer));
            }
            Report::Ended(link) => {
                self.gate.ended(link);
                self.surplus.touch();
                if let Some(ended) = self.links.remove(&link) {
                    self.tell_if_gone(ended.peer);
                }
            }
        }
        self.actions.push_back(ToSwarm::GenerateEvent(StreamsEvent::Changed));
    }

    fn on_open_failed(&mut self, link: LinkId, connection: ConnectionId) {
        if self.opening.remove(&link).is_some() {
            self.tell(NetEvent::Closed { link });
            self.tell_if_gone_on(connection);
        }
    }

    fn tell_if_gone_on(&mut self, connection: ConnectionId) {
        if let Some(peer) = self.paths.peer_of(connection) {
            self.tell_if_gone(peer);
        }
    }

    /// `Disconnected` comes after the last `Closed` of that peer.
    fn tell_if_gone(&mut self, peer: PeerId) {
        let is_gone = !self.paths.is_connected(&peer) && self.links.values().all(|link| link.peer != peer);
        if is_gone && self.told.remove(&peer) {
            self.tell(NetEvent::Disconnected { peer: address::transport_id(&peer) });
        }
    }

    fn tell(&mut self, event: NetEvent) {
        self.actions.push_back(ToSwarm::GenerateEvent(StreamsEvent::Net(event)));
    }
}

impl Link {
    /// A room's stream that has not been hung up.
    fn is_of_room(&self) -> bool {
        self.protocol == Protocol::Room && self.frames.is_some()
    }

    fn end(&mut self, how: Ending) {
        // With its sender gone, the task ends after the frames that are queued.
        self.frames = None;
        self.ending.send_if_modified(|ending| {
            let is_more = how > *ending;
            *ending = how.max(*ending);
            is_more
        });
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamsEvent;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.gate.begin_connection(Origin::of(remote), Instant::now()).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        let origin = Origin::of(remote);
        self.gate.check_connections(self.paths.made_from(origin)).map_err(ConnectionDenied::new)?;
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

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                self.on_connected(peer_id, connection_id, endpoint);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => self.drop_connection(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: FromHandler) {
        match event {
            FromHandler::Accepted(protocol, stream) => self.on_accepted(peer, connection, protocol, stream),
            FromHandler::Opened(open, stream) => self.on_opened(peer, connection, open, stream),
            FromHandler::Failed(link) => self.on_open_failed(link, connection),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Action> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Poll::Ready(action);
            }
            match self.reports.poll_recv(cx) {
                Poll::Ready(Some(report)) => self.on_report(report),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
