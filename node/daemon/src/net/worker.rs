//! The task that owns the libp2p node: orders in, events out.

mod calling;
mod reaching;
mod relaying;
mod searching;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::path::PathBuf;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::core::transport::ListenerId;
use libp2p::identity::Keypair;
use libp2p::swarm::{ConnectionId, DialError, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep_until, timeout};

use crate::clock::Sleep;
use crate::net::behaviour::{self, Behaviour, Event};
use crate::net::calls::Calls;
use crate::net::dials::Dials;
use crate::net::discovery::Found;
use crate::net::interfaces::Interfaces;
use crate::net::listening::{Change, Listening};
use crate::net::outlet::Outlet;
use crate::net::punching::{self, Punching};
use crate::net::relays::Relays;
use crate::net::reports::{Reports, words};
use crate::net::returns::Returns;
use crate::net::searches::Searches;
use crate::net::streams::{Streams, StreamsEvent};
use crate::net::{NetCommand, NetConfig, NetError, NetEvent, NetStatus, Patience, address, trust};

/// News that may wait for whoever drives us. Beyond it the node stands still, and with it every
/// peer's wish to open something.
const BACKLOG: usize = 64;
/// How long connections may take to close when the network stops.
const FAREWELL: Duration = Duration::from_secs(1);
/// Where to listen if nothing else is asked for.
const ANYWHERE: [&str; 4] =
    ["/ip4/0.0.0.0/udp/0/quic-v1", "/ip6/::/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"];

/// What the worker can be told.
pub enum Order {
    Do(NetCommand),
    Status(oneshot::Sender<NetStatus>),
    Shutdown(oneshot::Sender<()>),
}

/// The node and what is under way.
pub struct Worker {
    swarm: Swarm<Behaviour>,
    orders: mpsc::UnboundedReceiver<Order>,
    outlet: Outlet,
    /// To the task that tells them, so that this one never waits.
    tellings: mpsc::Sender<StreamsEvent>,
    backlog: VecDeque<StreamsEvent>,
    stopping: watch::Sender<bool>,
    dials: Dials,
    calls: Calls,
    relays: Relays,
    /// As `NetEvent::Relays` told them.
    near: Vec<PeerId>,
    searches: Searches,
    returns: Returns,
    reports: Reports,
    listening: Listening,
    interfaces: Interfaces,
    announce: Vec<Multiaddr>,
    /// Files of certificates that do not count, and why.
    unusable: Vec<(PathBuf, String)>,
    sleep: Sleep,
    /// The last turn did nothing but send a frame.
    only_sent: bool,
    patience: Patience,
}

/// What the worker does next.
enum Turn {
    Order(Order),
    Event(Box<SwarmEvent<Event>>),
    /// Something is to be looked at again.
    Due,
    /// Nobody could tell us anything more, or hear it.
    Abandoned,
}

impl Worker {
    pub fn new(
        key: Keypair,
        config: NetConfig,
        events: mpsc::Sender<NetEvent>,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Result<Self, NetError> {
        let (stopping, stops) = watch::channel(false);
        let outlet = Outlet::new(events, stops);
        let streams = Streams::new(key.public().to_peer_id(), outlet.clone(), config.patience);
        let mut swarm = behaviour::build(key, &config, streams)?;
        listen(&mut swarm, &config.listen)?;
        let mut interfaces = Interfaces::new(config.interfaces);
        interfaces.refresh();
        let (tellings, inbox) = mpsc::channel(BACKLOG);
        tokio::spawn(tell(inbox, outlet.clone()));
        Ok(Self {
            swarm,
            orders,
            outlet,
            tellings,
            backlog: VecDeque::new(),
            stopping,
            dials: Dials::default(),
            calls: Calls::default(),
            relays: Relays::default(),
            near: Vec::new(),
            searches: Searches::default(),
            returns: Returns::default(),
            reports: Reports::default(),
            listening: Listening::default(),
            interfaces,
            announce: config.announce,
            unusable: trust::unusable(&config.certificates),
            sleep: Sleep::start(),
            only_sent: false,
            patience: config.patience,
        })
    }

    /// Runs until it is told to stop, or nobody is left who could.
    pub async fn run(mut self) {
        let done = loop {
            self.look_after();
            match self.next().await {
                Turn::Order(Order::Do(command)) => self.carry_out(command),
                Turn::Order(Order::Status(reply)) => drop(reply.send(self.status())),
                Turn::Order(Order::Shutdown(done)) => break Some(done),
                Turn::Event(event) => self.on_event(*event),
                Turn::Due => self.on_settled(),
                Turn::Abandoned => break None,
            }
        };
        self.stop().await;
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// Does what has become due or possible.
    fn look_after(&mut self) {
        // Frames are many and change nothing here.
        if std::mem::take(&mut self.only_sent) {
            return;
        }
        if self.sleep.slept() {
            self.on_woken();
        }
        for peer in self.swarm.behaviour_mut().streams.take_proved() {
            self.want(peer);
        }
        self.take_relay_steps();
        self.take_search_steps();
        self.try_quic_again();
        self.take_dial_steps();
        self.swarm.behaviour_mut().streams.tidy(Instant::now());
    }

    async fn next(&mut self) -> Turn {
        let due = self.due();
        loop {
            tokio::select! {
                order = self.orders.recv() => return order.map_or(Turn::Abandoned, Turn::Order),
                event = self.swarm.select_next_some(), if self.backlog.len() < BACKLOG => return Turn::Event(Box::new(event)),
                Ok(room) = self.tellings.reserve(), if !self.backlog.is_empty() => {
                    if let Some(telling) = self.backlog.pop_front() {
                        room.send(telling);
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => return Turn::Due,
                () = self.outlet.abandoned() => return Turn::Abandoned,
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let streams = self.swarm.behaviour().streams.due();
        let calls = self.calls.due(now, |relay| self.relays.distance(relay));
        let punching = self.swarm.behaviour().punching.as_ref().and_then(Punching::due);
        let relays = self.relays.due(now);
        let (dials, searches, returns) = (self.dials.due(), self.searches.due(), self.returns.due());
        let all = [dials, calls, self.listening.due(), relays, searches, returns, streams, punching];
        all.into_iter().flatten().min()
    }

    fn carry_out(&mut self, command: NetCommand) {
        let streams = &mut self.swarm.behaviour_mut().streams;
        self.only_sent = matches!(command, NetCommand::Send { .. });
        match command {
            NetCommand::Open { link, peer, protocol } => streams.open(link, &peer, protocol),
            NetCommand::Send { link, frame } => streams.send(link, frame),
            NetCommand::Hangup { link } => streams.hangup(link),
            NetCommand::Dial { peer, addresses } => self.dial(peer, &addresses),
            NetCommand::Relays { relays } => self.wish_for_relays(&relays),
            NetCommand::Mail { id, relay, request } => self.ask_mailbox(id, &relay, &request),
            NetCommand::Lookup { id, relay, request } => self.ask_lookup(id, &relay, &request),
        }
    }

    fn on_event(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                let now = Instant::now();
                self.relays.closed(connection_id, now);
                self.searches.closed(connection_id, now);
                self.returns.reached(&peer_id, self.swarm.behaviour().streams.rank(&peer_id), now);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                tracing::debug!(%error, "a dial failed");
                self.on_dial_failed(connection_id, peer_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => tracing::debug!(%error, "a connection is refused"),
            SwarmEvent::NewListenAddr { address, .. } if address::is_relayed(&address) => {}
            SwarmEvent::ExpiredListenAddr { address, .. } if address::is_relayed(&address) => {}
            SwarmEvent::NewListenAddr { address, .. } => self.listening.added(address, Instant::now()),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_lost_address(&address),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.on_listener_closed(listener_id, &addresses, reason);
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has a problem"),
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: Event) {
        let streams = &mut self.swarm.behaviour_mut().streams;
        match event {
            // Whatever there is to do about it is done on each turn.
            Event::Streams(StreamsEvent::Changed) => {}
            Event::Streams(event) => self.backlog.push_back(event),
            Event::Found(found) => self.on_found(found),
            Event::Introduced(introduced) => {
                streams.set_agent(introduced.connection, &introduced.agent);
                self.relays.introduced(&introduced, Instant::now());
                self.on_observed(introduced);
            }
            Event::Ping(ping) => self.on_ping(ping.connection, ping.result.ok()),
            Event::Circuit(event) => self.on_circuit(event),
            Event::Answered(answered) => self.on_answered(answered),
            Event::Punched(event) => self.on_punched(event),
            Event::Reachable => self.look_beyond(),
        }
    }

    fn on_connected(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let now = Instant::now();
        self.dials.succeeded(id);
        self.relays.connected(&peer, id, endpoint, now);
        self.searches.connected(peer, id, endpoint, now);
        self.returns.reached(&peer, self.swarm.behaviour().streams.rank(&peer), now);
        self.calls.succeeded(&peer);
        if endpoint.is_dialer() {
            self.reports.connected(peer, endpoint.get_remote_address(), now);
        }
    }

    fn on_dial_failed(&mut self, id: ConnectionId, peer: Option<PeerId>, error: &DialError) {
        if punching::is_replaced(error) {
            return;
        }
        self.dials.failed(id);
        if let Some(peer) = peer {
            let now = Instant::now();
            let why = self.reports.failed(peer, error, now);
            if self.calls.failed(id, now) {
                self.tell_failed(&peer);
            }
            self.relays.failed(&peer, why);
        }
    }

    /// A silent relay is found out here: TCP does not notice, and libp2p only reports it.
    fn on_ping(&mut self, id: ConnectionId, rtt: Option<Duration>) {
        match rtt {
            Some(rtt) => {
                self.relays.set_rtt(id, rtt);
                self.swarm.behaviour_mut().streams.set_rtt(id, rtt);
            }
            None if self.relays.has_connection(id) => drop(self.swarm.close_connection(id)),
            None => {}
        }
    }

    fn on_found(&mut self, found: Found) {
        let addresses = found.addresses.iter().map(Multiaddr::to_string);
        let addresses: Vec<String> = addresses
            .filter(|text| address::dialable(text, None).is_some_and(|address| self.leads_out(&address)))
            .collect();
        if !addresses.is_empty() {
            self.tell(NetEvent::Found { peer: address::transport_id(&found.peer), addresses });
        }
    }

    fn on_lost_address(&mut self, lost: &Multiaddr) {
        self.listening.removed(lost, Instant::now());
        self.interfaces.refresh();
        if let Some(ip) = address::ip(lost)
            && !ip.is_loopback()
            && !address::is_link_local(&ip)
            && !self.interfaces.has(&ip)
        {
            self.swarm.behaviour_mut().streams.lost_address(ip);
            self.leave_relays_from(ip);
            if let Some(probing) = self.swarm.behaviour_mut().probing.as_mut() {
                probing.restart();
            }
        }
    }

    fn on_listener_closed(&mut self, id: ListenerId, addresses: &[Multiaddr], reason: std::io::Result<()>) {
        let why = reason.as_ref().err().map(|error| words(error));
        if self.relays.lost(id, why, Instant::now()) || addresses.iter().all(address::is_relayed) {
            tracing::debug!(?id, ?reason, "a reservation has ended");
            return self.look_beyond();
        }
        tracing::warn!(?id, ?reason, "a listener has closed");
        for address in addresses {
            self.listening.removed(address, Instant::now());
        }
    }

    fn on_settled(&mut self) {
        let now = Instant::now();
        if self.listening.due().is_none_or(|due| due > now) {
            return;
        }
        self.interfaces.refresh();
        let Some(Change { addresses, shown, moved }) = self.listening.poll(&self.interfaces, now) else { return };
        self.on_own_addresses(&shown);
        self.swarm.behaviour_mut().discovery.advertise(shown);
        let addresses = addresses.iter().map(Multiaddr::to_string).collect();
        self.tell(NetEvent::Listening { addresses });
        if moved {
            tracing::info!("the network has changed; everybody who is away is tried at once");
            if let Some(punching) = self.swarm.behaviour_mut().punching.as_mut() {
                punching.moved();
            }
            self.relays.restart(now);
            self.searches.restart(now);
            self.returns.restart(now);
            self.calls.clear();
            self.tell(NetEvent::NetworkChanged);
            self.swarm.behaviour_mut().discovery.repeat();
        }
    }

    fn status(&self) -> NetStatus {
        let listening = self.listening.addresses().iter().map(Multiaddr::to_string).collect();
        let behaviour = self.swarm.behaviour();
        let discovery = &behaviour.discovery;
        let findings = self.findings();
        NetStatus {
            reachability: findings.verdict(),
            nat: findings.nat(|ip| self.interfaces.has(ip)),
            ports: findings.ports(|ip| self.interfaces.has(ip)),
            asks_router: behaviour.mapping.is_asking() || self.listening.due().is_some(),
            listening,
            mdns: discovery.is_running(),
            mdns_wanted: discovery.is_wanted(),
            found: discovery.found().map(address::transport_id).collect(),
            interfaces: self.interfaces.dialable().map(|used| (used.name.clone(), used.ip)).collect(),
            relays: self.relays.status(),
            unusable: self.unusable.clone(),
            dials: self.reports.dials(),
            punches: self.reports.punches(),
            ..behaviour.streams.status()
        }
    }

    fn tell(&mut self, event: NetEvent) {
        self.backlog.push_back(StreamsEvent::Net(event));
    }

    /// Links first, so that what was sent arrives; then the connections.
    async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.backlog.drain(..).for_each(start);
        self.swarm.behaviour_mut().streams.hangup_all();
        let given_back = tokio::spawn(timeout(FAREWELL, self.swarm.behaviour_mut().mapping.end()));
        let linger = 2 * self.patience.linger;
        let flushed = self.turn_until(|swarm| swarm.behaviour().streams.is_idle());
        let _ = timeout(linger, flushed).await;
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = self.turn_until(|swarm| swarm.connected_peers().next().is_none());
        let _ = timeout(FAREWELL, closed).await;
        let _ = given_back.await;
    }

    /// Lets the node work until something holds, which need not come with an event.
    async fn turn_until(&mut self, holds: impl Fn(&Swarm<Behaviour>) -> bool) {
        poll_fn(|cx| {
            while let Poll::Ready(Some(event)) = self.swarm.poll_next_unpin(cx) {
                if let SwarmEvent::Behaviour(Event::Streams(event)) = event {
                    start(event);
                }
            }
            if holds(&self.swarm) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Many machines have no IPv6, so any address of it may be missing; and without a choice, what
/// works is enough.
fn listen(swarm: &mut Swarm<Behaviour>, chosen: &[Multiaddr]) -> Result<(), NetError> {
    let anywhere: Vec<Multiaddr> = ANYWHERE.iter().filter_map(|text| text.parse().ok()).collect();
    let addresses = if chosen.is_empty() { &anywhere } else { chosen };
    let mut missing = None;
    let mut listeners = 0;
    for address in addresses {
        match swarm.listen_on(address.clone()) {
            Ok(_) => listeners += 1,
            Err(error) if chosen.is_empty() || address::is_any_v6(address) => {
                tracing::info!(%address, %error, "not listening there");
                missing = Some(error.to_string());
            }
            Err(error) => return Err(NetError::Listen { address: address.clone(), why: error.to_string() }),
        }
    }
    match missing {
        Some(why) if listeners == 0 => Err(NetError::Nowhere { why }),
        _ => Ok(()),
    }
}

/// Tells in order, and starts each stream's task when everything before it has been told.
async fn tell(mut inbox: mpsc::Receiver<StreamsEvent>, mut outlet: Outlet) {
    while let Some(telling) = inbox.recv().await {
        match telling {
            StreamsEvent::Net(event) => drop(outlet.emit(event).await),
            StreamsEvent::Start(_) => start(telling),
            StreamsEvent::Changed => {}
        }
    }
}

fn start(telling: StreamsEvent) {
    if let StreamsEvent::Start(pump) = telling {
        tokio::spawn(pump.run());
    }
}
