//! Times and sizes of the transports.

use std::time::Duration;

use libp2p::{quic, yamux};

/// Silence after which QUIC gives a connection up, in milliseconds, counted from when it asks. A room's link
/// notices sooner that nothing comes through, so this is for relays, and for others before there is a link.
const QUIC_IDLE: u32 = 20_000;
/// How often QUIC says that it is still there, if the other side does not say it before: what is lost of
/// that can be sent anew several times, and routers keep the way open. A room's link speaks more often, so
/// this costs only where there is none.
const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Bytes that a peer may have on the way to us, unread, per stream and per connection.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
/// Streams of one connection, of any protocol.
const STREAMS: usize = 128;

pub fn yamux() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS);
    config
}

pub fn quic(mut config: quic::Config) -> quic::Config {
    config.max_idle_timeout = QUIC_IDLE;
    config.keep_alive_interval = QUIC_KEEP_ALIVE;
    config.max_concurrent_stream_limit = STREAMS as u32;
    config.max_stream_data = STREAM_WINDOW;
    config.max_connection_data = CONNECTION_WINDOW;
    config
}
