//! How a companion is connected, and the relays that help it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How this companion is connected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkView {
    /// Multiaddrs that others may reach us at.
    pub listening: Vec<String>,
    /// `unknown`, `private` or `public`.
    pub reachability: String,
    /// Are companions found on the local network.
    pub mdns: bool,
    /// What is known of the way out of our own network, in one sentence.
    #[serde(default)]
    pub nat: Option<String>,
    /// Relays of our rooms.
    pub relays: Vec<RelayView>,
}

/// The relays of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelayList {
    /// As they were added.
    pub relays: Vec<RelayView>,
}

/// One address of a relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelayView {
    /// A multiaddr, without the token.
    pub address: String,
    /// Does the relay hold a place for us: can others reach us through it.
    pub reserved: bool,
    /// Is there a connection to it.
    #[serde(default)]
    pub connected: bool,
    /// Round trip in milliseconds.
    #[serde(default)]
    pub rtt_ms: Option<f64>,
    /// Why it holds no place for us.
    #[serde(default)]
    pub why: Option<String>,
    /// Why our token does not count there, so that only a stranger's limits apply.
    #[serde(default)]
    pub token_refused: Option<String>,
}
