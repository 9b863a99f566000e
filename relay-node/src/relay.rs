//! A relay that runs.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::transport::{ListenerId, TransportError};
use libp2p::identity::Keypair;
use libp2p::swarm::{ListenError, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, relay};
use pairwave_wire::limits;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::behaviour::{Behaviour, Event};
use crate::circuits::{Circuits, IsHolder};
use crate::desk::Desk;
use crate::error::RelayError;
use crate::figures::Figures;
use crate::options::{LISTEN, Options};
use crate::services::Services;
use crate::spool::{Quotas, Spool};
use crate::standing::Standing;
use crate::tokens::Tokens;
use crate::{addresses, identity, page, port, spool, transport};

/// How long the first addresses may take, and how long none may follow, until they count as all.
const FIRST_ADDRESSES: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(100);
/// How long open circuits may go on when the relay stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often letters are looked through for old ones.
const SWEEP: Duration = Duration::from_secs(600);
/// How often tokens are looked through for revoked ones.
const REVOKED: Duration = Duration::from_secs(5);

/// A relay that listens. Dropped, it ends at once.
#[derive(Debug)]
pub struct Relay {
    peer_id: PeerId,
    listening: watch::Receiver<Vec<String>>,
    metrics: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    worker: JoinHandle<()>,
    /// What runs beside the worker.
    beside: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay; it listens when this returns.
    pub async fn spawn(options: Options) -> Result<Self, RelayError> {
        identity::make_folder(&options.data)?;
        let key = identity::load_or_create(&options.data)?;
        let peer_id = key.public().to_peer_id();
        let desk = Arc::new(desk(&options)?);
        let mut worker = Worker::new(&key, &options, Arc::clone(&desk))?;
        let (metrics, page) = match options.metrics {
            Some(at) => page::serve(at, Arc::clone(&desk)).await.map(|(at, page)| (Some(at), Some(page)))?,
            None => (None, None),
        };
        worker.settle().await;
        let sweeper = tokio::spawn(sweep(desk));
        let listening = worker.listening.subscribe();
        let (stop, stopped) = oneshot::channel();
        let worker = tokio::spawn(worker.run(stopped));
        tracing::info!(%peer_id, "the relay listens");
        Ok(Self {
            peer_id,
            listening,
            metrics,
            stop: Some(stop),
            worker,
            beside: page.into_iter().chain([sweeper]).collect(),
        })
    }

    pub fn peer_id(&self) -> String {
        self.peer_id.to_string()
    }

    /// Where it can be reached, as rooms name it.
    pub fn listening(&self) -> Vec<String> {
        self.listening.borrow().clone()
    }

    /// Where figures, health and the status page are served.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Takes nothing new, lets circuits end for a few seconds, and closes.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        // It may have been stopped by something else.
        let _ = (&mut self.worker).await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.worker.abort();
        self.beside.iter().for_each(JoinHandle::abort);
    }
}

fn desk(options: &Options) -> Result<Desk, RelayError> {
    let quotas = Quotas { per_tag: limits::MAILBOX as u64, total: options.limits.spool };
    let spool = Spool::open(&options.data.join("spool"), quotas, spool::system_clock())?;
    let standing = Arc::new(Standing::new(Tokens::of(&options.data)));
    Ok(Desk::new(spool, standing, Arc::new(Figures::new())))
}

/// Removes letters that have waited too long, now and then.
async fn sweep(desk: Arc<Desk>) {
    let mut ticks = tokio::time::interval(SWEEP);
    loop {
        ticks.tick().await;
        while let Ok(expired @ 1..) = desk.spool.sweep().await {
            desk.figures.expired(expired);
        }
    }
}

/// The task that owns the libp2p node.
struct Worker {
    desk: Arc<Desk>,
    /// Who holds a reservation.
    reserved: HashSet<PeerId>,
    swarm: Swarm<Behaviour>,
    /// What was named by the owner; if nothing was, what is listened at decides.
    external: Vec<Multiaddr>,
    /// Those without any address so far.
    silent: Vec<ListenerId>,
    at: Vec<Multiaddr>,
    listening: watch::Sender<Vec<String>>,
}

impl Worker {
    fn new(key: &Keypair, options: &Options, desk: Arc<Desk>) -> Result<Self, RelayError> {
        let tls = options.certificate.as_ref().map(|files| files.load()).transpose()?;
        let external = options.external.iter().map(|text| addresses::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let me = key.public().to_peer_id();
        let circuits = Circuits::new(me, &options.limits, is_holder(&desk));
        let services = Services::new(Arc::clone(&desk));
        let has_certificate = tls.is_some();
        let mut swarm = transport::build(key.clone(), tls, Behaviour::new(key, &options.limits, circuits, services))?;
        let silent = listen(&mut swarm, &options.listen, has_certificate)?;
        external.iter().for_each(|address| swarm.add_external_address(address.clone()));
        Ok(Self {
            desk,
            reserved: HashSet::new(),
            swarm,
            external,
            silent,
            at: Vec::new(),
            listening: watch::Sender::new(Vec::new()),
        })
    }

    /// Waits until every listener has told an address, and no more follow.
    async fn settle(&mut self) {
        let latest = Instant::now() + FIRST_ADDRESSES;
        loop {
            let patience = if self.silent.is_empty() { QUIET } else { latest - Instant::now() };
            match timeout(patience, self.swarm.select_next_some()).await {
                Ok(event) => self.on_event(event),
                Err(_) => return,
            }
        }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(REVOKED);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                _ = ticks.tick() => self.part_from_revoked(),
                _ = &mut stopped => break,
            }
        }
        self.drain().await;
    }

    /// What a circuit may carry is fixed in its connection, so that goes with the token.
    fn part_from_revoked(&mut self) {
        for peer in self.desk.standing.take_revoked(Instant::now().into_std()) {
            // It may have gone by itself.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    async fn drain(&mut self) {
        self.desk.stop();
        self.swarm.behaviour_mut().circuits.close();
        let latest = Instant::now() + FAREWELL;
        while self.swarm.behaviour().circuits.open() > 0 {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                () = sleep_until(latest) => {
                    tracing::info!(circuits = self.swarm.behaviour().circuits.open(), "open circuits are cut");
                    break;
                }
            }
        }
        self.close().await;
    }

    /// Tells everybody, so that they look for another relay at once.
    async fn close(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let all_closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(Duration::from_secs(1), all_closed).await;
        tracing::info!("the relay has stopped");
    }

    fn on_event(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.silent.retain(|silent| *silent != listener_id);
                self.at.push(address);
                self.tell();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.at.retain(|known| *known != address);
                self.tell();
            }
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                self.silent.retain(|silent| *silent != listener_id);
                self.at.retain(|known| !addresses.contains(known));
                tracing::warn!(?reason, "the relay listens no longer at some of its addresses");
                self.tell();
            }
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                self.desk.figures.connections.inc();
                self.desk.standing.arrived(&peer_id, Instant::now().into_std());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, .. } => {
                self.desk.figures.connections.dec();
                if num_established == 0 {
                    self.reserved.remove(&peer_id);
                    self.desk.standing.left(&peer_id, Instant::now().into_std());
                }
                self.count();
            }
            SwarmEvent::IncomingConnectionError { error: ListenError::Denied { cause }, .. } => {
                tracing::debug!(?cause, "a connection is refused");
                self.desk.figures.connections_refused.inc();
            }
            SwarmEvent::Behaviour(Event::Circuit(event)) => self.on_circuit_event(&event),
            _ => {}
        }
    }

    fn on_circuit_event(&mut self, event: &relay::Event) {
        tracing::debug!(?event, "circuits");
        match event {
            relay::Event::ReservationReqAccepted { src_peer_id, .. } => drop(self.reserved.insert(*src_peer_id)),
            relay::Event::ReservationTimedOut { src_peer_id } => drop(self.reserved.remove(src_peer_id)),
            _ => {}
        }
        self.desk.figures.circuit(event);
        self.count();
    }

    fn count(&self) {
        let as_gauge = |count: usize| count.try_into().unwrap_or(i64::MAX);
        self.desk.figures.reservations.set(as_gauge(self.reserved.len()));
        self.desk.figures.circuits.set(as_gauge(self.swarm.behaviour().circuits.open()));
    }

    /// Takes up where it can be reached now.
    fn tell(&mut self) {
        let me = *self.swarm.local_peer_id();
        let mut told = self.external.clone();
        if told.is_empty() {
            told = addresses::to_tell(&self.at);
            let known: Vec<Multiaddr> = self.swarm.external_addresses().cloned().collect();
            known
                .iter()
                .filter(|known| !told.contains(known))
                .for_each(|gone| self.swarm.remove_external_address(gone));
            told.iter().for_each(|address| self.swarm.add_external_address(address.clone()));
        }
        self.listening.send_replace(told.iter().map(|address| addresses::full(address, me)).collect());
    }
}

fn is_holder(desk: &Desk) -> IsHolder {
    let standing = Arc::clone(&desk.standing);
    Arc::new(move |peer| standing.is_holder(peer, Instant::now().into_std()))
}

/// Begins to listen everywhere, or says where it cannot.
fn listen(
    swarm: &mut Swarm<Behaviour>,
    wished: &[String],
    has_certificate: bool,
) -> Result<Vec<ListenerId>, RelayError> {
    if wished.is_empty() {
        LISTEN.iter().try_for_each(|text| port::check_free(text, &addresses::parse(text)?))?;
        return listen_by_default(swarm);
    }
    wished.iter().try_for_each(|text| port::check_free(text, &addresses::parse(text)?))?;
    wished.iter().map(|text| listen_at(swarm, text, has_certificate)).collect()
}

/// A machine without IPv6 is no worse a relay.
fn listen_by_default(swarm: &mut Swarm<Behaviour>) -> Result<Vec<ListenerId>, RelayError> {
    let mut listeners = Vec::new();
    for text in LISTEN {
        match listen_at(swarm, text, false) {
            Ok(listener) => listeners.push(listener),
            Err(error @ RelayError::Listen { .. }) if text.starts_with("/ip6/") => tracing::info!(%error, "no IPv6"),
            Err(error) => return Err(error),
        }
    }
    Ok(listeners)
}

fn listen_at(swarm: &mut Swarm<Behaviour>, text: &str, has_certificate: bool) -> Result<ListenerId, RelayError> {
    let address = addresses::parse(text)?;
    if addresses::needs_certificate(&address) && !has_certificate {
        return Err(RelayError::NoCertificate { address: text.into() });
    }
    swarm.listen_on(address).map_err(|error| {
        let (address, why) = (text.to_owned(), error.to_string());
        match error {
            TransportError::Other(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                RelayError::Taken { address }
            }
            _ => RelayError::Listen { address, why },
        }
    })
}
