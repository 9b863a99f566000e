//! Circuits for everybody, with larger ones for those who hold a token.
//!
//! libp2p fixes the limits of a circuit in the handler of the connection that asks for it. So two
//! behaviours make handlers, and one of them, the hub, keeps the books of all: strangers and
//! holders of tokens find each other's reservations. How many circuits and how often is decided by
//! the hub's rate limiters, which know who holds a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::relay::{self, Event, Status};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::addresses;
use crate::options::{CircuitLimits, Limits};
use crate::rates::{Allowance, Buckets};

/// Says of a peer whether it holds a token.
pub type IsHolder = Arc<dyn Fn(&PeerId) -> bool + Send + Sync>;

/// The relay's part of the circuit protocol.
pub struct Circuits {
    /// Keeps the books, and makes the handlers of strangers.
    hub: relay::Behaviour,
    /// Makes handlers and nothing else.
    holders: relay::Behaviour,
    is_holder: IsHolder,
    open: Arc<Mutex<Open>>,
}

/// Circuits that are open, by who opened them.
#[derive(Debug, Default)]
struct Open(HashMap<PeerId, usize>);

impl Circuits {
    pub fn new(me: PeerId, limits: &Limits, is_holder: IsHolder) -> Self {
        let open: Arc<Mutex<Open>> = Arc::default();
        let mut hub = relay::Behaviour::new(me, hub_config(limits, &is_holder, &open));
        hub.set_status(Some(Status::Enable));
        let mut holders = relay::Behaviour::new(me, sized(limits, &limits.holders));
        holders.set_status(Some(Status::Enable));
        Self { hub, holders, is_holder, open }
    }

    /// Takes no further reservations and circuits; those that are open go on.
    pub fn close(&mut self) {
        self.hub.set_status(Some(Status::Disable));
        self.holders.set_status(Some(Status::Disable));
    }

    /// How many circuits are open.
    pub fn open(&self) -> usize {
        lock(&self.open).total()
    }

    fn maker(&mut self, peer: &PeerId) -> &mut relay::Behaviour {
        if (self.is_holder)(peer) { &mut self.holders } else { &mut self.hub }
    }

    fn note(&self, event: &Event) {
        match event {
            Event::CircuitReqAccepted { src_peer_id, .. } => lock(&self.open).add(*src_peer_id),
            Event::CircuitClosed { src_peer_id, .. } => lock(&self.open).remove(src_peer_id),
            _ => {}
        }
    }
}

impl Open {
    fn add(&mut self, peer: PeerId) {
        *self.0.entry(peer).or_default() += 1;
    }

    fn remove(&mut self, peer: &PeerId) {
        if let Some(open) = self.0.get_mut(peer) {
            *open -= 1;
            if *open == 0 {
                self.0.remove(peer);
            }
        }
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// Whether a peer of this kind may open one more.
    fn has_room(&self, peer: &PeerId, is_same_kind: impl Fn(&PeerId) -> bool, limits: &CircuitLimits) -> bool {
        let own = self.0.get(peer).copied().unwrap_or_default();
        let of_kind: usize = self.0.iter().filter(|(peer, _)| is_same_kind(peer)).map(|(_, open)| open).sum();
        own < limits.per_peer && of_kind < limits.circuits
    }
}

fn lock(open: &Mutex<Open>) -> std::sync::MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hub_config(limits: &Limits, is_holder: &IsHolder, open: &Arc<Mutex<Open>>) -> relay::Config {
    let mut config = sized(limits, &limits.strangers);
    config.max_circuits = limits.strangers.circuits + limits.holders.circuits;
    // It counts what leads to a peer too, so it is only the outer bound.
    config.max_circuits_per_peer = config.max_circuits;
    config.circuit_src_rate_limiters = vec![has_room(limits, is_holder, open)];
    config.reservation_rate_limiters = vec![is_slow_enough(is_holder)];
    config
}

fn sized(limits: &Limits, circuits: &CircuitLimits) -> relay::Config {
    relay::Config {
        max_reservations: limits.reservations,
        max_reservations_per_peer: RESERVATIONS_PER_PEER,
        reservation_duration: limits.reservation,
        max_circuit_duration: circuits.duration,
        max_circuit_bytes: circuits.bytes,
        ..relay::Config::default()
    }
}

/// One per connection: after a change of network the old one may linger.
const RESERVATIONS_PER_PEER: usize = 4;

fn has_room(limits: &Limits, is_holder: &IsHolder, open: &Arc<Mutex<Open>>) -> Box<dyn relay::RateLimiter> {
    let (limits, is_holder, open) = (*limits, Arc::clone(is_holder), Arc::clone(open));
    let mut opened = Buckets::default();
    Box::new(move |peer: PeerId, from: &Multiaddr, now| {
        let holds = is_holder(&peer);
        let kind = if holds { &limits.holders } else { &limits.strangers };
        lock(&open).has_room(&peer, |other| is_holder(other) == holds, kind)
            && opened.take(peer, addresses::ip(from), 1.0, kind.allowance(), now)
    })
}

/// Reservations: what libp2p gives to anybody, and more to holders.
fn is_slow_enough(is_holder: &IsHolder) -> Box<dyn relay::RateLimiter> {
    let is_holder = Arc::clone(is_holder);
    let mut made = Buckets::default();
    Box::new(move |peer: PeerId, from: &Multiaddr, now| {
        made.take(peer, addresses::ip(from), 1.0, RESERVATIONS.of(is_holder(&peer)), now)
    })
}

const RESERVATIONS: Allowance = Allowance { at_once: 30.0, a_second: 1.0 / 120.0, sharing: SHARING };
/// Companions that may share an address: a household, a small office.
const SHARING: f64 = 8.0;

impl CircuitLimits {
    fn allowance(&self) -> Allowance {
        Allowance { at_once: f64::from(self.burst), a_second: 1.0 / self.every.as_secs_f64(), sharing: SHARING }
    }
}

impl NetworkBehaviour for Circuits {
    type ConnectionHandler = THandler<relay::Behaviour>;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.maker(&peer).handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.maker(&peer).handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        self.hub.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.hub.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        let polled = self.hub.poll(cx);
        if let Poll::Ready(ToSwarm::GenerateEvent(event)) = &polled {
            self.note(event);
        }
        polled
    }
}
