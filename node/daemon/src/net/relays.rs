//! The relays that are wished for, and how far we are with each: dialled, connected, introduced,
//! known by our token, reserved. Nothing in libp2p makes a reservation again once it is lost.
//!
//! A reservation is asked for only on a connection that stands and has been introduced: the first
//! of two requests in one moment would end the other, and what the relay sees of us has to be known
//! before the first circuit.

mod relay;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::protocol;

use crate::net::RelayStatus;
use crate::net::address;
use crate::net::dials::Wish;
use crate::net::introduction::Introduced;
use crate::net::paths::source_towards;
use crate::net::relay_address::RelayAddress;
use relay::{Connection, Relay, Reservation};
use token::Token;

/// Reservations that are kept.
const RESERVED: usize = 2;
/// How long those that come first wait for others to tell how far away they are.
const WEIGHING: Duration = Duration::from_secs(1);
/// First and longest pause between two dials of one relay.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest one while no relay can be reached and that is new: what keeps everything out often ends
/// soon and without a sign, like a portal to which somebody agrees.
const HOPEFUL_PAUSE: Duration = Duration::from_secs(5);
const HOPEFUL: Duration = Duration::from_secs(10 * 60);
/// How long a connection must have stood for its loss to be no failure.
const STEADY: Duration = Duration::from_secs(30);
/// How long a relay may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How long one may take to answer that is asked whether it is there.
const DOUBT: Duration = Duration::from_secs(3);
/// Longest pause after a reservation that came to nothing.
const REFUSED: Duration = Duration::from_secs(60);
/// Pause after a relay that we hold no reservation with has closed an idle connection.
const SPARE: Duration = Duration::from_secs(600);
/// What makes a node a relay.
const HOP: &str = "/libp2p/circuit/relay/0.2.0/hop";

/// What there is to do next.
#[derive(Debug)]
pub enum Step {
    Dial(Wish),
    /// Show the relay our token.
    Present(PeerId, String),
    /// Open a stream to its mailbox.
    Greet(PeerId),
    /// Ask it anything that it answers at once; see [`Relays::answered`].
    Ask(PeerId),
    /// Reserve there; answered by [`Relays::asked`].
    Reserve(PeerId, Multiaddr),
    Release(ListenerId),
    Close(ConnectionId),
}

/// All relays.
#[derive(Debug, Default)]
pub struct Relays {
    relays: BTreeMap<PeerId, Relay>,
    steps: Vec<Step>,
    /// Since when none can be reached.
    cut_off_since: Option<Instant>,
}

impl Relays {
    /// Exactly these are wished for from now on.
    pub fn wish(&mut self, wishes: Vec<RelayAddress>, now: Instant) {
        let wanted: BTreeSet<PeerId> = wishes.iter().map(|wish| wish.peer).collect();
        let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.relays).into_iter().partition(|(peer, _)| wanted.contains(peer));
        self.relays = kept;
        for relay in gone.into_values() {
            self.steps.extend(relay.reservation.listener().map(Step::Release));
            self.steps.extend(relay.connections.iter().map(|connection| Step::Close(connection.id)));
        }
        for wish in wishes {
            match self.relays.get_mut(&wish.peer) {
                Some(relay) => self.steps.extend(relay.renew(wish, now)),
                None => {
                    self.relays.insert(wish.peer, Relay::new(wish, now));
                    self.cut_off_since = None;
                }
            }
        }
    }

    /// The network has changed: whatever was waited for is tried at once.
    pub fn restart(&mut self, now: Instant) {
        self.cut_off_since = None;
        for relay in self.relays.values_mut() {
            relay.failures = 0;
            relay.refusals = 0;
            relay.hope();
            relay.rests = false;
            relay.dial_at = now;
            relay.reserve_at = now;
            // A dial that began in the old network may hang for long.
            relay.dialling = false;
        }
    }

    pub fn connected(&mut self, peer: &PeerId, id: ConnectionId, endpoint: &ConnectedPoint, now: Instant) {
        let Some(relay) = self.relays.get_mut(peer).filter(|_| endpoint.is_dialer()) else { return };
        let address = address::without_peer(endpoint.get_remote_address().clone());
        let local = address::ip(&address).and_then(source_towards);
        self.cut_off_since = None;
        relay.dialling = false;
        relay.connections.push(Connection { id, address, local, since: now, introduced: false });
    }

    pub fn closed(&mut self, id: ConnectionId, now: Instant) {
        if !self.has_connection(id) {
            return;
        }
        let enough = self.reservations() >= RESERVED;
        let longest = self.longest_pause(now);
        let Some(relay) = self.relays.values_mut().find(|relay| relay.get(id).is_some()) else { return };
        let steady = relay.get(id).is_some_and(|connection| connection.since + STEADY <= now);
        if relay.connections.len() > 1 {
            relay.lost_beside(id);
            return relay.back_off(longest, now);
        }
        relay.connections.clear();
        relay.doubted_until = None;
        relay.token.lose();
        relay.rtt = None;
        let was_reserved = std::mem::replace(&mut relay.reservation, Reservation::None) != Reservation::None;
        relay.reserve_at = now;
        if steady {
            relay.failures = 0;
            // It closes what lies idle; dialled at once, that would go on for ever.
            relay.rests = enough && !was_reserved;
            relay.dial_at = if relay.rests { now + SPARE } else { now };
            relay.why = Some("the connection was lost".into());
        } else {
            relay.back_off(longest, now);
        }
        if was_reserved {
            self.wake(now);
        }
    }

    /// A link through it has fallen silent, which may be its fault: it is asked whether it is there. QUIC would
    /// tell later, and TCP never.
    pub fn doubt(&mut self, peer: &PeerId, now: Instant) {
        let asked = self.relays.get_mut(peer).filter(|relay| relay.has_mailbox && relay.doubted_until.is_none());
        if let Some(relay) = asked.filter(|relay| relay.is_introduced()) {
            relay.doubted_until = Some(now + DOUBT);
            self.steps.push(Step::Ask(*peer));
        }
    }

    pub fn answered(&mut self, peer: &PeerId) {
        if let Some(relay) = self.relays.get_mut(peer) {
            relay.doubted_until = None;
        }
    }

    /// All addresses of a dial failed.
    pub fn unreachable(&mut self, peer: &PeerId, now: Instant) {
        let longest = self.longest_pause(now);
        if let Some(relay) = self.relays.get_mut(peer)
            && relay.dialling
        {
            relay.dialling = false;
            relay.back_off(longest, now);
            relay.quic_in_vain |= relay.lacks_quic();
            relay.tcp_in_vain |= relay.lacks_tcp();
        }
    }

    /// What a dial came to, in words.
    pub fn failed(&mut self, peer: &PeerId, why: String) {
        if let Some(relay) = self.relays.get_mut(peer)
            && relay.connections.is_empty()
        {
            relay.why = Some(why);
        }
    }

    pub fn introduced(&mut self, introduced: &Introduced, now: Instant) {
        let Some(relay) = self.relays.get_mut(&introduced.peer) else { return };
        let Some(connection) = relay.connections.iter_mut().find(|one| one.id == introduced.connection) else { return };
        connection.introduced = true;
        relay.why = None;
        if !introduced.protocols.contains(HOP) {
            relay.why = Some("it is no relay, or gives no reservations".into());
            relay.reserve_at = now + REFUSED;
        }
        let has_mail = introduced.protocols.contains(protocol::MAILBOX);
        relay.has_mailbox = has_mail;
        if relay.token == Token::Unshown && has_mail {
            self.steps.push(relay.present());
        } else if has_mail {
            self.steps.push(Step::Greet(introduced.peer));
        } else if relay.token == Token::Unshown {
            relay.token = Token::Refused("the relay takes none".into());
        }
    }

    /// The relay knows us now. Limits are fixed when a connection is made, so a new one is made.
    pub fn welcomed(&mut self, peer: &PeerId, now: Instant) {
        let Some(relay) = self.relays.get_mut(peer).filter(|relay| relay.token == Token::Shown) else { return };
        relay.token = Token::Welcome(now);
        relay.dial_at = now;
        relay.reserve_at = now;
        relay.reservation = Reservation::None;
        self.steps.extend(relay.connections.drain(..).map(|connection| Step::Close(connection.id)));
    }

    /// The token does not count; a stranger's limits have to do.
    pub fn not_welcomed(&mut self, peer: &PeerId, why: String) {
        if let Some(relay) = self.relays.get_mut(peer).filter(|relay| relay.token == Token::Shown) {
            relay.token = Token::Refused(why);
        }
    }

    /// A reservation is under way, or cannot even be asked for.
    pub fn asked(&mut self, peer: &PeerId, listener: Option<ListenerId>, now: Instant) {
        let Some(relay) = self.relays.get_mut(peer) else { return };
        match listener {
            Some(listener) => relay.reservation = Reservation::Asked(listener),
            None => relay.reserve_at = now + REFUSED,
        }
    }

    /// A reservation was made or renewed; `circuit` is what a circuit may carry, in bytes.
    pub fn reserved(&mut self, peer: &PeerId, circuit: Option<u64>, now: Instant) {
        let Some(relay) = self.relays.get_mut(peer) else { return };
        if let Some(listener) = relay.reservation.listener() {
            relay.reservation = Reservation::Made(listener);
        }
        relay.failures = 0;
        relay.refusals = 0;
        relay.why = None;
        if relay.token.is_forgotten(circuit, now) {
            self.steps.push(relay.present());
        }
    }

    /// A listener ended. `true` if it was a reservation.
    pub fn lost(&mut self, listener: ListenerId, why: Option<String>, now: Instant) -> bool {
        let is_its = |relay: &&mut Relay| relay.reservation.listener() == Some(listener);
        let Some(relay) = self.relays.values_mut().find(is_its) else { return false };
        relay.reservation = Reservation::None;
        relay.reserve_at = now + FIRST_PAUSE.saturating_mul(1 << relay.refusals.min(8)).min(REFUSED);
        relay.refusals = relay.refusals.saturating_add(u32::from(why.is_some()));
        relay.why = why.or(relay.why.take());
        self.wake(now);
        true
    }

    pub fn set_rtt(&mut self, id: ConnectionId, rtt: Duration) {
        if let Some(relay) = self.relays.values_mut().find(|relay| relay.get(id).is_some()) {
            relay.rtt = Some(relay.rtt.map_or(rtt, |known| known.min(rtt)));
        }
    }

    /// Every relay is reached over TCP as well, for the next search.
    pub fn widen(&mut self) {
        for relay in self.relays.values_mut() {
            relay.wide = true;
            relay.hope();
        }
    }

    /// No relay is reached over TCP any longer for the sake of a search alone.
    pub fn narrow(&mut self) {
        for relay in self.relays.values_mut().filter(|relay| relay.wide) {
            relay.wide = false;
            let spare = relay.spare_tcp();
            relay.connections.retain(|connection| !spare.contains(&connection.id));
            self.steps.extend(spare.into_iter().map(Step::Close));
        }
    }

    /// Connections whose packets leave, or may leave, from this address of ours.
    pub fn leaving_from(&self, ip: IpAddr) -> Vec<ConnectionId> {
        let leaves = |connection: &&Connection| connection.local.is_none_or(|local| local == ip);
        self.relays.values().flat_map(|relay| &relay.connections).filter(leaves).map(|one| one.id).collect()
    }

    pub fn connections(&self) -> Vec<ConnectionId> {
        self.relays.values().flat_map(|relay| &relay.connections).map(|connection| connection.id).collect()
    }

    pub fn contains(&self, peer: &PeerId) -> bool {
        self.relays.contains_key(peer)
    }

    pub fn has_connection(&self, id: ConnectionId) -> bool {
        self.relays.values().any(|relay| relay.get(id).is_some())
    }

    /// Those that can be asked, nearest first.
    pub fn near(&self) -> Vec<PeerId> {
        let mut near: Vec<_> = self.relays.keys().filter_map(|peer| Some((self.distance(peer)?, *peer))).collect();
        near.sort();
        near.into_iter().map(|(_, peer)| peer).collect()
    }

    /// How far away this one is for a circuit, or nothing while it has to be waited for: a circuit
    /// would be in the way of our own connection, or end with it. Of foreign ones nothing is known.
    pub fn distance(&self, peer: &PeerId) -> Option<Duration> {
        let Some(relay) = self.relays.get(peer) else { return Some(Duration::MAX) };
        (relay.is_introduced() && !relay.token.is_being_shown()).then(|| relay.distance())
    }

    /// Where others may reach us through reservations: of each relay one address over UDP and one over
    /// TCP, for they may be in a network that lets out only one of them.
    pub fn circuits(&self) -> Vec<Multiaddr> {
        let made = self.relays.values().filter(|relay| matches!(relay.reservation, Reservation::Made(_)));
        made.flat_map(|relay| {
            let (quic, tcp): (Vec<_>, Vec<_>) = relay.wish.addresses.iter().partition(|at| address::is_quic(at));
            let told = quic.into_iter().take(1).chain(tcp.into_iter().take(1));
            told.map(|at| address::circuit_through(relay.wish.peer, at.clone())).collect::<Vec<_>>()
        })
        .collect()
    }

    pub fn status(&self) -> Vec<RelayStatus> {
        self.relays.values().map(Relay::status).collect()
    }

    /// What to do now; ask until there is nothing.
    pub fn poll(&mut self, now: Instant) -> Option<Step> {
        if let Some(step) = self.steps.pop() {
            return Some(step);
        }
        self.mute(now).or_else(|| self.silent(now)).or_else(|| self.dial(now)).or_else(|| self.reserve(now))
    }

    /// When to poll again at the latest. `now` is when that was last done.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if !self.steps.is_empty() {
            return Some(now);
        }
        let free = self.reservations() < RESERVED;
        let weighed = self.weighing_until(now);
        self.relays.values().filter_map(|relay| relay.due(free.then(|| weighed.unwrap_or(now)))).min()
    }

    /// A connection that does not say who it is.
    fn mute(&mut self, now: Instant) -> Option<Step> {
        let all = self.relays.values().flat_map(|relay| &relay.connections);
        let id = all.filter(|one| !one.introduced && one.since + INTRODUCTION <= now).map(|one| one.id).next()?;
        self.closed(id, now);
        Some(Step::Close(id))
    }

    /// One that was asked and did not answer has gone, whatever our connections say.
    fn silent(&mut self, now: Instant) -> Option<Step> {
        let is_silent = |relay: &&Relay| relay.doubted_until.is_some_and(|until| until <= now);
        let relay = self.relays.values().find(is_silent)?;
        let dead: Vec<ConnectionId> = relay.connections.iter().map(|connection| connection.id).collect();
        dead.iter().for_each(|id| self.closed(*id, now));
        self.steps.extend(dead.into_iter().map(Step::Close));
        self.steps.pop()
    }

    /// A reservation is gone, and whoever rests may give another.
    fn wake(&mut self, now: Instant) {
        for relay in self.relays.values_mut().filter(|relay| relay.rests) {
            relay.rests = false;
            relay.dial_at = now;
        }
    }

    fn dial(&mut self, now: Instant) -> Option<Step> {
        let relay = self.relays.values_mut().find(|relay| relay.wants_dial() && relay.dial_at <= now)?;
        relay.dialling = true;
        relay.rests = false;
        let (any, quic, tcp) = (relay.connections.is_empty(), relay.lacks_quic(), relay.lacks_tcp());
        let fits = |at: &&Multiaddr| any || quic && address::is_quic(at) || tcp && address::is_plain_tcp(at);
        let addresses = relay.wish.addresses.iter().filter(fits);
        Some(Step::Dial(Wish { peer: Some(relay.wish.peer), addresses: addresses.cloned().collect() }))
    }

    fn reserve(&mut self, now: Instant) -> Option<Step> {
        if self.reservations() >= RESERVED || self.weighing_until(now).is_some() {
            return None;
        }
        let free = self.relays.values_mut().filter(|relay| relay.wants_reservation() && relay.reserve_at <= now);
        let relay = free.min_by_key(|relay| relay.distance())?;
        // Until it is answered it is not asked for again.
        relay.reserve_at = now + REFUSED;
        let at = relay.connections.first()?.address.clone();
        Some(Step::Reserve(relay.wish.peer, address::circuit_through(relay.wish.peer, at)))
    }

    /// Until when reservations wait so that the nearest get them: where there are more relays than
    /// reservations, and one of them has yet to tell how far away it is.
    fn weighing_until(&self, now: Instant) -> Option<Instant> {
        let has_choice = self.relays.len() > RESERVED && self.relays.values().any(Relay::may_be_near);
        let since = self.relays.values().filter(|relay| relay.wants_reservation()).filter_map(Relay::since).min();
        since.map(|since| since + WEIGHING).filter(|until| has_choice && now < *until)
    }

    /// Of the pauses between two dials.
    fn longest_pause(&mut self, now: Instant) -> Duration {
        if self.relays.values().any(|relay| !relay.connections.is_empty()) {
            return LONGEST_PAUSE;
        }
        let since = *self.cut_off_since.get_or_insert(now);
        if now < since + HOPEFUL { HOPEFUL_PAUSE } else { LONGEST_PAUSE }
    }

    fn reservations(&self) -> usize {
        self.relays.values().filter(|relay| relay.reservation != Reservation::None).count()
    }
}

#[cfg(test)]
mod tests;
