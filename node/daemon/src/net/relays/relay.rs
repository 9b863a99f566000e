//! One relay: our connections to it, and what is missing there.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::Multiaddr;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::ConnectionId;

use super::token::Token;
use super::{FIRST_PAUSE, INTRODUCTION, Step};
use crate::net::relay_address::RelayAddress;
use crate::net::{RelayStatus, address, chance};

#[derive(Debug)]
pub struct Relay {
    pub wish: RelayAddress,
    pub connections: Vec<Connection>,
    pub dialling: bool,
    pub failures: u32,
    /// TCP beside what there is: a punched hole needs to know how the relay sees us there.
    pub wide: bool,
    /// That came to nothing, so it is not tried again until somebody needs it.
    pub tcp_in_vain: bool,
    /// The same of QUIC beside TCP.
    pub quic_in_vain: bool,
    /// It is not dialled for a while, as there are enough others.
    pub rests: bool,
    /// Reservations in a row that came to nothing.
    pub refusals: u32,
    /// When it may be dialled, and when a reservation may be asked for.
    pub dial_at: Instant,
    pub reserve_at: Instant,
    pub has_mailbox: bool,
    /// Until when it may answer that it is there.
    pub doubted_until: Option<Instant>,
    pub token: Token,
    pub reservation: Reservation,
    pub rtt: Option<Duration>,
    pub why: Option<String>,
}

#[derive(Debug)]
pub struct Connection {
    pub id: ConnectionId,
    pub address: Multiaddr,
    /// Our own address that its packets leave from, if it can be known.
    pub local: Option<IpAddr>,
    pub since: Instant,
    pub introduced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    None,
    Asked(ListenerId),
    Made(ListenerId),
}

impl Relay {
    pub fn new(wish: RelayAddress, now: Instant) -> Self {
        let token = Token::new(wish.token.as_deref());
        Self {
            wish,
            connections: Vec::new(),
            dialling: false,
            failures: 0,
            refusals: 0,
            wide: false,
            tcp_in_vain: false,
            quic_in_vain: false,
            rests: false,
            dial_at: now,
            reserve_at: now,
            has_mailbox: false,
            doubted_until: None,
            token,
            reservation: Reservation::None,
            rtt: None,
            why: None,
        }
    }

    /// A new token is shown at once to whoever has said already who it is.
    pub fn renew(&mut self, wish: RelayAddress, now: Instant) -> Option<Step> {
        if self.wish.token != wish.token {
            self.token = Token::new(wish.token.as_deref());
        }
        if self.wish.addresses != wish.addresses {
            self.failures = 0;
            self.hope();
            self.dial_at = now;
            // A dial that runs knows only the old ones.
            self.dialling = false;
        }
        self.wish = wish;
        (self.token == Token::Unshown && self.is_introduced()).then(|| self.present())
    }

    pub fn back_off(&mut self, longest: Duration, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.dial_at = now + pause + chance::below(pause / 4);
    }

    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == id)
    }

    pub fn is_introduced(&self) -> bool {
        self.connections.iter().any(|connection| connection.introduced)
    }

    pub fn present(&mut self) -> Step {
        self.token = Token::Shown;
        Step::Present(self.wish.peer, self.wish.token.clone().unwrap_or_default())
    }

    /// How long there has been a connection.
    pub fn since(&self) -> Option<Instant> {
        self.connections.first().map(|oldest| oldest.since)
    }

    /// It has not told how far away it is, and nothing speaks against its doing so soon.
    pub fn may_be_near(&self) -> bool {
        let is_coming = !self.connections.is_empty() || (self.failures == 0 && !self.rests);
        self.rtt.is_none() && is_coming
    }

    /// Unknown is far.
    pub fn distance(&self) -> Duration {
        self.rtt.unwrap_or(Duration::MAX)
    }

    pub fn wants_dial(&self) -> bool {
        !self.dialling && (self.connections.is_empty() || self.lacks_tcp() || self.lacks_quic())
    }

    /// What came to nothing may be tried again.
    pub fn hope(&mut self) {
        self.tcp_in_vain = false;
        self.quic_in_vain = false;
    }

    /// One of several connections is gone. The relay closes those that carry nothing, and the
    /// reservation is on the oldest.
    pub fn lost_beside(&mut self, id: ConnectionId) {
        let is_oldest = self.connections.first().is_some_and(|oldest| oldest.id == id);
        if let Some(lost) = self.get(id).filter(|_| !is_oldest) {
            let is_quic = address::is_quic(&lost.address);
            self.quic_in_vain |= is_quic;
            self.tcp_in_vain |= !is_quic;
        }
        self.connections.retain(|connection| connection.id != id);
    }

    /// TCP does not notice that a path is dead, and tells nothing of the ways over UDP.
    pub fn lacks_quic(&self) -> bool {
        let is_possible = self.wish.addresses.iter().any(address::is_quic) && !self.quic_in_vain;
        self.is_introduced() && is_possible && !self.connections.iter().any(|one| address::is_quic(&one.address))
    }

    /// Where QUIC does not get through, TCP is the only hope of a direct way, and WebSocket tells nothing
    /// of it: it leaves from another port.
    pub fn lacks_tcp(&self) -> bool {
        let has = |fits: fn(&Multiaddr) -> bool| self.connections.iter().any(|one| fits(&one.address));
        let is_useful = self.wide || !has(address::is_quic);
        let is_possible = self.wish.addresses.iter().any(address::is_plain_tcp) && !self.tcp_in_vain;
        self.is_introduced() && is_useful && is_possible && !has(address::is_plain_tcp)
    }

    /// Connections over TCP that one over QUIC makes superfluous. The reservation is on the oldest.
    pub fn spare_tcp(&self) -> Vec<ConnectionId> {
        let is_quic = |one: &&Connection| address::is_quic(&one.address);
        let has_quic = self.connections.iter().any(|one| is_quic(&one));
        let spare = self.connections.iter().skip(1).filter(|one| has_quic && !is_quic(one));
        spare.map(|one| one.id).collect()
    }

    pub fn wants_reservation(&self) -> bool {
        // The request goes over the oldest connection.
        let introduced = self.connections.first().is_some_and(|connection| connection.introduced);
        introduced && !self.token.is_being_shown() && self.reservation == Reservation::None
    }

    /// `free` is from when on a reservation may be asked for, if any.
    pub fn due(&self, free: Option<Instant>) -> Option<Instant> {
        let dial = self.wants_dial().then_some(self.dial_at);
        let reserve = free.filter(|_| self.wants_reservation()).map(|free| free.max(self.reserve_at));
        let mute = self.connections.iter().filter(|one| !one.introduced).map(|one| one.since + INTRODUCTION).min();
        [dial, reserve, mute, self.doubted_until].into_iter().flatten().min()
    }

    pub fn status(&self) -> RelayStatus {
        let why = match (&self.why, self.connections.is_empty()) {
            (Some(why), _) => Some(why.clone()),
            (None, true) => Some("it is being dialled".into()),
            (None, false) => None,
        };
        RelayStatus {
            address: self.wish.text(),
            peer: address::transport_id(&self.wish.peer),
            connected: self.is_introduced(),
            reserved: matches!(self.reservation, Reservation::Made(_)),
            rtt_ms: self.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            why,
            token_refused: self.token.refusal().map(str::to_owned),
        }
    }
}

impl Reservation {
    pub fn listener(self) -> Option<ListenerId> {
        match self {
            Self::None => None,
            Self::Asked(listener) | Self::Made(listener) => Some(listener),
        }
    }
}
