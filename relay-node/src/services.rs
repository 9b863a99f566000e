//! The streams of mailbox and lookup: which are let in, and a task for each.

mod handler;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, Stream, THandlerInEvent, ToSwarm};
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::mailbox::RelayRefusal;
use tokio::sync::Semaphore;

use crate::addresses;
use crate::desk::{Desk, Guest, Service};
use crate::rates::network;
use handler::Handler;

/// Streams of one connection, of one address and of all.
const PER_CONNECTION: usize = 8;
const PER_ADDRESS: usize = 256;
const STREAMS: usize = 8192;
/// Bytes of requests and answers of one address that are read or written at a time.
const IN_HAND: usize = 4 << 20;

/// Lets streams in and has them served.
pub struct Services {
    desk: Arc<Desk>,
    guests: HashMap<ConnectionId, Guest>,
    open: Arc<AtomicUsize>,
    per_connection: HashMap<ConnectionId, Arc<AtomicUsize>>,
    /// By network: an IPv6 customer has addresses without number.
    per_address: HashMap<IpAddr, Share>,
    /// It has nothing to say, but has to have a queue of this type.
    actions: VecDeque<ToSwarm<std::convert::Infallible, std::convert::Infallible>>,
}

/// What the streams of one address have between them.
#[derive(Clone)]
struct Share {
    open: Arc<AtomicUsize>,
    in_hand: Arc<Semaphore>,
}

/// A stream's place in all that bounds it, given back when dropped.
pub struct Seat {
    counts: Vec<Arc<AtomicUsize>>,
    in_hand: Arc<Semaphore>,
}

impl Services {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            guests: HashMap::new(),
            open: Arc::default(),
            per_connection: HashMap::new(),
            per_address: HashMap::new(),
            actions: VecDeque::new(),
        }
    }

    fn accept(&mut self, connection: ConnectionId, service: Service, stream: Stream) {
        let Some(guest) = self.guests.get(&connection).copied() else { return };
        let Some(seat) = self.seat(connection, guest) else {
            self.desk.figures.refused(RelayRefusal::TooMuch);
            return tracing::debug!(?service, "a stream more than a guest may have is closed");
        };
        tokio::spawn(serve::serve(stream, service, guest, Arc::clone(&self.desk), seat));
    }

    fn seat(&mut self, connection: ConnectionId, guest: Guest) -> Option<Seat> {
        // Behind a proxy on this machine everybody has the same address.
        let ip = guest.ip.filter(|ip| !ip.is_loopback()).map(network);
        let share = ip.map_or_else(Share::default, |ip| self.per_address.entry(ip).or_default().clone());
        let mut seat = Seat::at(&share);
        let of_connection = self.per_connection.entry(connection).or_default();
        let has_room = seat.take(&self.open, STREAMS)
            && seat.take(of_connection, PER_CONNECTION)
            && seat.take(&share.open, PER_ADDRESS);
        has_room.then_some(seat)
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.per_connection.remove(&connection);
        let Some(at) = self.guests.remove(&connection).and_then(|guest| guest.ip).map(network) else { return };
        if !self.guests.values().any(|guest| guest.ip.map(network) == Some(at)) {
            self.per_address.remove(&at);
        }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self { open: Arc::default(), in_hand: Arc::new(Semaphore::new(IN_HAND)) }
    }
}

impl Seat {
    fn at(share: &Share) -> Self {
        Self { counts: Vec::new(), in_hand: Arc::clone(&share.in_hand) }
    }

    fn take(&mut self, count: &Arc<AtomicUsize>, most: usize) -> bool {
        self.counts.push(Arc::clone(count));
        count.fetch_add(1, Ordering::Relaxed) < most
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        for count in &self.counts {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl NetworkBehaviour for Services {
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

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, endpoint, .. }) => {
                let ip = addresses::ip(endpoint.get_remote_address());
                self.guests.insert(connection_id, Guest { peer: peer_id, ip });
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => self.forget(connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        connection: ConnectionId,
        (service, stream): (Service, Stream),
    ) {
        self.accept(connection, service, stream);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_given_back() {
        let count = Arc::default();
        let mut first = Seat::at(&Share::default());
        assert!(first.take(&count, 1));
        let mut second = Seat::at(&Share::default());
        assert!(!second.take(&count, 1));
        drop(second);
        drop(first);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}
