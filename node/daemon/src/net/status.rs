//! How the network stands, for whoever asks.

use std::net::IpAddr;
use std::path::PathBuf;

use pairwave_wire::TransportId;

use crate::net::{DialReport, PunchReport};

/// How things stand.
#[derive(Debug, Clone, Default)]
pub struct NetStatus {
    pub listening: Vec<String>,
    /// Whether discovery is running.
    pub mdns: bool,
    /// Whether it is meant to.
    pub mdns_wanted: bool,
    /// Companions of others that it has found and that have not expired.
    pub found: Vec<TransportId>,
    /// The interfaces that are used: name and address.
    pub interfaces: Vec<(String, IpAddr)>,
    /// One connection to each peer.
    pub connections: Vec<ConnectionStatus>,
    /// Whether strangers could reach us.
    pub reachability: Reachability,
    /// What is known of the NAT that we are behind, one sentence.
    pub nat: Option<String>,
    /// What it does to ports.
    pub ports: Ports,
    /// Whether the router was asked to let others in and has yet to answer, or its answer to be told.
    pub asks_router: bool,
    pub relays: Vec<RelayStatus>,
    /// Files of certificates that could not be used when the companion started, and why.
    pub unusable: Vec<(PathBuf, String)>,
    /// The last attempts to connect, the oldest first.
    pub dials: Vec<DialReport>,
    /// The last attempts to make a direct way through NATs, the oldest first.
    pub punches: Vec<PunchReport>,
}

/// The connection that a peer's links use; where it has none, what a new one would take.
#[derive(Debug, Clone)]
pub struct ConnectionStatus {
    pub peer: TransportId,
    pub path: Path,
    /// Where the peer is. Of a circuit, the relay: `…/p2p/RELAY/p2p-circuit`, whoever dialled it.
    pub address: String,
    pub rtt_ms: Option<f64>,
    /// What the peer says it runs, such as `pairwave/0.1.0`; cut and free of control characters.
    pub agent: Option<String>,
}

/// Which way a connection takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// A private address of a shared network.
    Lan,
    /// Any other address.
    Direct,
    /// Through a relay.
    Relayed,
}

/// Whether others can connect to us without help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reachability {
    /// Nobody has tried so far.
    #[default]
    Unknown,
    /// Only from our own network, or through a relay.
    Private,
    /// From everywhere.
    Public,
}

/// What becomes of our ports on the way out, as far as relays show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ports {
    #[default]
    Unknown,
    /// One for all destinations: who is told of it finds us there.
    Kept,
    /// Another one, perhaps for every destination.
    Changed,
}

/// One relay that is wished for.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayStatus {
    /// Its first address, without a token.
    pub address: String,
    pub peer: TransportId,
    /// It can be asked now.
    pub connected: bool,
    /// Others reach us through it.
    pub reserved: bool,
    pub rtt_ms: Option<f64>,
    /// What is wrong, in words, as long as something is.
    pub why: Option<String>,
    /// Why our token does not count there, so that we are strangers to it.
    pub token_refused: Option<String>,
}
