//! The libp2p node: its transports, and the behaviours that it is composed of.

use std::convert::Infallible;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{SwarmBuilder, connection_limits, identify, noise, ping, tcp, yamux};
use pairwave_wire::protocol;

use crate::net::discovery::{Discovery, Found};
use crate::net::streams::{Streams, StreamsEvent};
use crate::net::{NetConfig, NetError};

/// Silence after which QUIC gives a connection up, in milliseconds. A shorter outage is survived.
const QUIC_IDLE: u32 = 5_000;
/// How often QUIC says that it is still there.
const QUIC_KEEP_ALIVE: Duration = Duration::from_millis(1_500);
/// Bytes that a peer may have on the way to us, unread, per stream and per connection.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
/// Streams of one connection, of any protocol.
const STREAMS: usize = 128;
/// Streams of one connection whose protocol is being agreed on.
const NEGOTIATING: usize = 32;
/// How long a connection without streams stays.
const IDLE: Duration = Duration::from_secs(30);
/// How often the round trip is measured.
const PING: Duration = Duration::from_secs(10);
/// What identify calls the family of protocols.
const FAMILY: &str = "pairwave/1";

/// All behaviours. The limits come first: what they refuse, no other one sees.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Event")]
pub struct Behaviour {
    limits: connection_limits::Behaviour,
    pub streams: Streams,
    pub discovery: Discovery,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// What the behaviours report.
pub enum Event {
    Streams(StreamsEvent),
    Found(Found),
    Identify(Box<identify::Event>),
    Ping(ping::Event),
}

/// Builds the node; it listens nowhere so far.
pub fn build(key: Keypair, config: &NetConfig, streams: Streams) -> Result<Swarm<Behaviour>, NetError> {
    let setup = |error: &dyn std::fmt::Display| NetError::Setup(error.to_string());
    let discovery = Discovery::new(config.mdns, key.public().to_peer_id());
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux)
        .map_err(|error| setup(&error))?
        .with_quic_config(quic)
        .with_behaviour(|key| Behaviour {
            limits: connection_limits::Behaviour::new(limits()),
            streams,
            discovery,
            identify: identify::Behaviour::new(identify(key)),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING)),
        })
        .map_err(|error| setup(&error))?
        .with_swarm_config(|swarm| {
            swarm.with_idle_connection_timeout(IDLE).with_max_negotiating_inbound_streams(NEGOTIATING)
        })
        .build();
    Ok(swarm)
}

fn yamux() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS);
    config
}

fn quic(mut config: libp2p::quic::Config) -> libp2p::quic::Config {
    config.max_idle_timeout = QUIC_IDLE;
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    config.max_concurrent_stream_limit = STREAMS as u32;
    config.max_stream_data = STREAM_WINDOW;
    config.max_connection_data = CONNECTION_WINDOW;
    config
}

/// Addresses are told to members on links, not to whoever asks; and what others say of theirs is
/// not remembered here, so that nobody can make us dial where they like.
fn identify(key: &Keypair) -> identify::Config {
    identify::Config::new(FAMILY.into(), key.public())
        .with_agent_version(protocol::agent_version())
        .with_cache_size(0)
        .with_hide_listen_addrs(true)
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

impl From<identify::Event> for Event {
    fn from(event: identify::Event) -> Self {
        Self::Identify(Box::new(event))
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
