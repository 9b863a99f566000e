//! The behaviours that a relay is composed of.

use std::convert::Infallible;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{autonat, connection_limits, identify, ping, relay};

use crate::circuits::Circuits;
use crate::crowd::Crowd;
use crate::options::Limits;
use crate::outward::Outward;
use crate::services::Services;

/// How often something is said over connections that have nothing to say: the system notices by it that one
/// over TCP is dead. Over QUIC nothing of that is needed, and companions ask for the round trip themselves.
const PING: Duration = Duration::from_secs(300);
/// What identify calls the family of protocols.
const FAMILY: &str = "pairwave/1";
/// Connections of one peer: over QUIC and TCP, and the new ones beside the old after a change of network.
const PER_PEER: u32 = 8;
/// Calls that are under way.
const CALLS: u32 = 256;

/// All behaviours. Those that refuse connections come first: what they refuse, no other one sees.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Event")]
pub struct Behaviour {
    crowd: Crowd,
    connections: connection_limits::Behaviour,
    outward: Outward,
    pub circuits: Circuits,
    services: Services,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    autonat: autonat::v2::server::Behaviour,
}

/// What the behaviours report.
#[derive(Debug)]
pub enum Event {
    Circuit(Box<relay::Event>),
    /// What is of no consequence here.
    Other,
}

impl Behaviour {
    pub fn new(key: &Keypair, limits: &Limits, circuits: Circuits, services: Services) -> Self {
        Self {
            crowd: Crowd::new(limits),
            connections: connection_limits::Behaviour::new(connections(limits)),
            outward: Outward::default(),
            circuits,
            services,
            identify: identify::Behaviour::new(identify(key)),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING)),
            autonat: autonat::v2::server::Behaviour::default(),
        }
    }
}

fn connections(limits: &Limits) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_outgoing(Some(CALLS))
        .with_max_established_per_peer(Some(PER_PEER))
        .with_max_established(Some(limits.connections))
}

/// Tells the addresses under which it can be reached, and where a guest was seen to come from.
fn identify(key: &Keypair) -> identify::Config {
    identify::Config::new(FAMILY.into(), key.public())
        .with_agent_version(format!("pairwave-relay/{}", env!("CARGO_PKG_VERSION")))
        .with_cache_size(0)
        .with_hide_listen_addrs(true)
}

impl From<relay::Event> for Event {
    fn from(event: relay::Event) -> Self {
        Self::Circuit(Box::new(event))
    }
}

impl From<identify::Event> for Event {
    fn from(_: identify::Event) -> Self {
        Self::Other
    }
}

impl From<ping::Event> for Event {
    fn from(_: ping::Event) -> Self {
        Self::Other
    }
}

impl From<autonat::v2::server::Event> for Event {
    fn from(_: autonat::v2::server::Event) -> Self {
        Self::Other
    }
}

impl From<Infallible> for Event {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
