//! The libp2p node: the behaviours that it is composed of.

use std::convert::Infallible;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{SwarmBuilder, connection_limits, dcutr, ping, relay};

use crate::net::discovery::{Discovery, Found};
use crate::net::introduction::{Introduced, Introduction};
use crate::net::mail::{Answered, Mail};
use crate::net::mapping::{Asking, Heard, Mapping};
use crate::net::pings::Pings;
use crate::net::probing::{Probed, Probing};
use crate::net::punching::Punching;
use crate::net::streams::{Streams, StreamsEvent};
use crate::net::{NetConfig, NetError, transport};

/// Streams of one connection whose protocol is being agreed on.
const NEGOTIATING: usize = 32;
/// How long a connection without streams stays.
const IDLE: Duration = Duration::from_secs(30);

/// All behaviours. The limits come first: what they refuse, no other one sees.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Event")]
pub struct Behaviour {
    limits: connection_limits::Behaviour,
    pub streams: Streams,
    pub discovery: Discovery,
    pub introduction: Introduction,
    pub pings: Pings,
    circuits: relay::client::Behaviour,
    pub mail: Mail,
    pub punching: Toggle<Punching>,
    pub probing: Toggle<Probing>,
    pub mapping: Mapping,
}

/// What the behaviours report.
pub enum Event {
    Streams(StreamsEvent),
    Found(Found),
    Introduced(Introduced),
    Ping(ping::Event),
    Circuit(relay::client::Event),
    Answered(Answered),
    Punched(dcutr::Event),
    /// Something more is known of how others reach us.
    Reachable,
}

/// Builds the node; it listens nowhere so far.
pub fn build(key: Keypair, config: &NetConfig, streams: Streams) -> Result<Swarm<Behaviour>, NetError> {
    let setup = |error: &dyn std::fmt::Display| NetError::Setup(error.to_string());
    let discovery = Discovery::new(config.mdns, key.public().to_peer_id());
    let (ways, circuits) = transport::build(&key, config).map_err(|error| setup(&error))?;
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_other_transport(|_| ways)
        .map_err(|error| setup(&error))?
        .with_behaviour(|key| Behaviour {
            limits: connection_limits::Behaviour::new(limits()),
            streams,
            discovery,
            introduction: Introduction::new(key),
            pings: Pings::new(),
            circuits,
            mail: Mail::default(),
            punching: config.punching.then(|| Punching::new(key.public().to_peer_id())).into(),
            probing: config.probing.then(Probing::new).into(),
            mapping: Mapping::new(Asking { upnp: config.mapping, pcp: config.leasing }),
        })
        .map_err(|error| setup(&error))?
        .with_swarm_config(|swarm| {
            swarm.with_idle_connection_timeout(IDLE).with_max_negotiating_inbound_streams(NEGOTIATING)
        })
        .build();
    Ok(swarm)
}

/// Of one peer more than one connection is usual: both sides dial, over QUIC and TCP.
fn limits() -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(32))
        .with_max_pending_outgoing(Some(128))
        .with_max_established_incoming(Some(192))
        .with_max_established_per_peer(Some(8))
        .with_max_established(Some(256))
}

impl From<StreamsEvent> for Event {
    fn from(event: StreamsEvent) -> Self {
        Self::Streams(event)
    }
}

impl From<Found> for Event {
    fn from(event: Found) -> Self {
        Self::Found(event)
    }
}

impl From<Introduced> for Event {
    fn from(event: Introduced) -> Self {
        Self::Introduced(event)
    }
}

impl From<relay::client::Event> for Event {
    fn from(event: relay::client::Event) -> Self {
        Self::Circuit(event)
    }
}

impl From<dcutr::Event> for Event {
    fn from(event: dcutr::Event) -> Self {
        Self::Punched(event)
    }
}

impl From<Probed> for Event {
    fn from(_: Probed) -> Self {
        Self::Reachable
    }
}

impl From<Heard> for Event {
    fn from(_: Heard) -> Self {
        Self::Reachable
    }
}

impl From<Answered> for Event {
    fn from(event: Answered) -> Self {
        Self::Answered(event)
    }
}

impl From<ping::Event> for Event {
    fn from(event: ping::Event) -> Self {
        Self::Ping(event)
    }
}

impl From<Infallible> for Event {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
