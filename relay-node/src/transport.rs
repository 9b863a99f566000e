//! What a relay listens with, and its swarm.

use std::time::Duration;

use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::Version;
use libp2p::identity::{Keypair, PeerId};
use libp2p::swarm::Swarm;
use libp2p::websocket::tls;
use libp2p::{SwarmBuilder, core, noise, tcp, websocket, yamux};

use crate::behaviour::Behaviour;
use crate::error::RelayError;

/// Silence after which QUIC gives a connection up, in milliseconds; the lesser of both ends' counts.
const QUIC_IDLE: u32 = 30_000;
/// How long a handshake may take, either way. AutoNAT's clients wait ten seconds for what came of
/// the call that they asked for, and have to hear of one that nobody takes, too.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often QUIC says that it is still there, to whoever does not say so. Companions say it sooner, and what
/// they are silent for is then not counted from our own word.
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(25);
/// Bytes that a guest may have on the way to us, unread, per stream and per connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Streams of one connection: a circuit is one at each of its ends.
const STREAMS: usize = 128;
/// Streams of one connection whose protocol is being agreed on.
const NEGOTIATING: usize = 32;
/// How long a connection stays that has neither a reservation nor a stream: longer than companions
/// pause between two questions, because a new connection costs more than one that waits.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// Builds the node; it listens nowhere so far.
pub fn build(key: Keypair, tls: Option<tls::Config>, behaviour: Behaviour) -> Result<Swarm<Behaviour>, RelayError> {
    let setup = |error: &dyn std::fmt::Display| RelayError::Setup(error.to_string());
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp_config(), noise::Config::new, yamux)
        .map_err(|error| setup(&error))?
        .with_quic_config(quic)
        .with_other_transport(|key| web(key, tls))
        .map_err(|error| setup(&error))?
        .with_behaviour(|_| behaviour)
        .map_err(|error| setup(&error))?
        .with_swarm_config(|swarm| {
            swarm.with_idle_connection_timeout(IDLE).with_max_negotiating_inbound_streams(NEGOTIATING)
        })
        .with_connection_timeout(HANDSHAKE)
        .build();
    Ok(swarm)
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// WebSocket, under TLS where there is a certificate.
fn web(key: &Keypair, tls: Option<tls::Config>) -> Result<core::transport::Boxed<(PeerId, StreamMuxerBox)>, Failed> {
    let mut config = websocket::Config::new(tcp::tokio::Transport::new(tcp_config()));
    if let Some(tls) = tls {
        config.set_tls_config(tls);
    }
    let noise = noise::Config::new(key)?;
    let upgraded = config.upgrade(Version::V1Lazy).authenticate(noise).multiplex(yamux());
    Ok(upgraded.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer))).boxed())
}

fn tcp_config() -> tcp::Config {
    tcp::Config::default().nodelay(true)
}

fn yamux() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS);
    config
}

fn quic(mut config: libp2p::quic::Config) -> libp2p::quic::Config {
    config.handshake_timeout = HANDSHAKE;
    config.max_idle_timeout = QUIC_IDLE;
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    config.max_concurrent_stream_limit = STREAMS as u32;
    config.max_stream_data = STREAM_WINDOW;
    config.max_connection_data = CONNECTION_WINDOW;
    config
}
