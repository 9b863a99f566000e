//! What a relay counts: sums only, nothing about anybody.

use std::sync::atomic::AtomicU64;

use libp2p::relay::{Event, StatusCode};
use pairwave_wire::mailbox::RelayRefusal;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Sum = Counter<u64, AtomicU64>;

/// Counters and gauges, and the registry that writes them down.
pub struct Figures {
    registry: Registry,
    pub connections: Gauge,
    pub connections_refused: Sum,
    pub reservations: Gauge,
    pub circuits: Gauge,
    circuits_total: Sum,
    denied: Family<Reason, Sum>,
    letters_stored: Sum,
    letters_collected: Sum,
    letters_discarded: Sum,
    letters_expired: Sum,
    pub letters: Gauge,
    pub spool_bytes: Gauge,
    pub records: Gauge,
    refusals: Family<Reason, Sum>,
    pub uptime: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Figures {
    pub fn new() -> Self {
        let mut figures = Self::unregistered();
        let mut registry = Registry::with_prefix("pairwave_relay");
        figures.register(&mut registry);
        figures.registry = registry;
        figures
    }

    /// All of them in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub fn circuit(&self, event: &Event) {
        match event {
            Event::CircuitReqAccepted { .. } => drop(self.circuits_total.inc()),
            Event::CircuitReqDenied { status, .. } | Event::ReservationReqDenied { status, .. } => {
                self.denied.get_or_create(&Reason { reason: denial(status) }).inc();
            }
            _ => {}
        }
    }

    pub fn stored(&self) {
        self.letters_stored.inc();
    }

    pub fn collected(&self, letters: usize) {
        self.letters_collected.inc_by(letters as u64);
    }

    pub fn discarded(&self, letters: u64) {
        self.letters_discarded.inc_by(letters);
    }

    pub fn expired(&self, letters: u64) {
        self.letters_expired.inc_by(letters);
    }

    pub fn refused(&self, refusal: RelayRefusal) {
        self.refusals.get_or_create(&Reason { reason: reason(refusal) }).inc();
    }

    fn unregistered() -> Self {
        Self {
            registry: Registry::default(),
            connections: Gauge::default(),
            connections_refused: Sum::default(),
            reservations: Gauge::default(),
            circuits: Gauge::default(),
            circuits_total: Sum::default(),
            denied: Family::default(),
            letters_stored: Sum::default(),
            letters_collected: Sum::default(),
            letters_discarded: Sum::default(),
            letters_expired: Sum::default(),
            letters: Gauge::default(),
            spool_bytes: Gauge::default(),
            records: Gauge::default(),
            refusals: Family::default(),
            uptime: Gauge::default(),
        }
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Connections that are open", self.connections.clone());
        registry.register("connections_refused", "Connections that found no place", self.connections_refused.clone());
        registry.register("reservations", "Companions that hold a reservation", self.reservations.clone());
        registry.register("circuits", "Circuits that are open", self.circuits.clone());
        registry.register("circuits_opened", "Circuits that were opened", self.circuits_total.clone());
        registry.register("circuits_denied", "Circuits and reservations that were denied", self.denied.clone());
        registry.register("letters_stored", "Letters that were left", self.letters_stored.clone());
        registry.register("letters_collected", "Letters that were handed out", self.letters_collected.clone());
        registry.register(
            "letters_discarded",
            "Letters removed by those they were for",
            self.letters_discarded.clone(),
        );
        registry.register("letters_expired", "Letters that nobody fetched in time", self.letters_expired.clone());
        registry.register("letters_waiting", "Letters that wait", self.letters.clone());
        registry.register("spool_bytes", "Bytes of letters that wait", self.spool_bytes.clone());
        registry.register("lookup_records", "Records of addresses", self.records.clone());
        registry.register("refusals", "Requests that were refused", self.refusals.clone());
        registry.register("uptime_seconds", "Seconds since it was started", self.uptime.clone());
    }
}

fn reason(refusal: RelayRefusal) -> &'static str {
    match refusal {
        RelayRefusal::MailboxFull => "mailbox_full",
        RelayRefusal::RelayFull => "relay_full",
        RelayRefusal::TooMuch => "too_much",
        RelayRefusal::UnknownToken => "unknown_token",
        RelayRefusal::Malformed => "malformed",
        RelayRefusal::Stopping => "stopping",
        RelayRefusal::Broken => "broken",
    }
}

fn denial(status: &StatusCode) -> &'static str {
    match status {
        StatusCode::ResourceLimitExceeded => "limit",
        StatusCode::NoReservation => "no_reservation",
        StatusCode::PermissionDenied | StatusCode::ReservationRefused => "refused",
        StatusCode::ConnectionFailed => "connection_failed",
        _ => "other",
    }
}
