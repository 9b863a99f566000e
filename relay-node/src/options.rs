//! What the owner of a relay decides.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::certificate::CertificateFiles;

/// Where a relay listens if nothing else is asked for. IPv6 may be missing.
pub const LISTEN: [&str; 4] =
    ["/ip4/0.0.0.0/udp/4011/quic-v1", "/ip4/0.0.0.0/tcp/4011", "/ip6/::/udp/4011/quic-v1", "/ip6/::/tcp/4011"];

/// How a relay is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its identity, its tokens and the letters that wait.
    pub data: PathBuf,
    /// Multiaddrs to listen at; none stands for QUIC and TCP at port 4011.
    pub listen: Vec<String>,
    /// Multiaddrs under which others reach it; none stands for those it listens at.
    pub external: Vec<String>,
    /// Where figures, health and the status page are served.
    pub metrics: Option<SocketAddr>,
    /// For listeners that end in `/tls/ws`.
    pub certificate: Option<CertificateFiles>,
    pub limits: Limits,
}

/// Bounds on what others may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time, and those of them that come from one address.
    pub connections: u32,
    pub connections_per_address: u32,
    /// Connections at a time whose handshake is under way, over UDP and over TCP each, and those of
    /// them that come from one address.
    pub handshakes: u32,
    pub handshakes_per_address: u32,
    /// Reservations at a time.
    pub reservations: usize,
    /// How long a reservation holds, unless it is renewed.
    pub reservation: Duration,
    /// Circuits of those who hold no token.
    pub strangers: CircuitLimits,
    /// Circuits of those who do.
    pub holders: CircuitLimits,
    /// Bytes of letters that may wait in all.
    pub spool: u64,
}

/// Bounds on the circuits of one kind of guests. Who opens a circuit decides which apply to it.
#[derive(Debug, Clone, Copy)]
pub struct CircuitLimits {
    /// Circuits at a time, in all.
    pub circuits: usize,
    /// Circuits at a time that one peer opened.
    pub per_peer: usize,
    /// Circuits that one peer may open at once; others follow at a rate of one per [`Self::every`].
    pub burst: u32,
    pub every: Duration,
    /// How long a circuit lasts.
    pub duration: Duration,
    /// Bytes that a circuit carries, both directions together.
    pub bytes: u64,
}

impl Options {
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            listen: Vec::new(),
            external: Vec::new(),
            metrics: None,
            certificate: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            connections_per_address: 512,
            handshakes: 512,
            handshakes_per_address: 64,
            reservations: 4096,
            reservation: Duration::from_secs(3600),
            strangers: CircuitLimits::STRANGERS,
            holders: CircuitLimits::HOLDERS,
            spool: 4 << 30,
        }
    }
}

impl CircuitLimits {
    /// What libp2p gives to anybody by default.
    pub const STRANGERS: Self = Self {
        circuits: 16,
        per_peer: 4,
        burst: 30,
        every: Duration::from_secs(120),
        duration: Duration::from_secs(120),
        bytes: 128 << 10,
    };
    /// Enough to work together through a circuit for half a day.
    pub const HOLDERS: Self = Self {
        circuits: 1024,
        per_peer: 64,
        burst: 120,
        every: Duration::from_secs(5),
        duration: Duration::from_secs(6 * 3600),
        bytes: 64 << 20,
    };
}
