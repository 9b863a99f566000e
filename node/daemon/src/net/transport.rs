//! The ways that bytes take: QUIC, TCP, WebSocket over TCP, and circuits through a relay.

use std::io;

use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, noise, quic, relay, tcp, websocket};

use crate::net::names::Names;
use crate::net::proxy::{Proxied, Proxy};
use crate::net::{NetConfig, address, trust, tuning};

/// Everything that can be dialled, and what the circuits need of the node.
pub type Ways = (Boxed<(PeerId, StreamMuxerBox)>, relay::client::Behaviour);

/// Builds them. WebSocket comes before TCP, which would take its addresses for its own.
pub fn build(key: &Keypair, config: &NetConfig) -> Result<Ways, noise::Error> {
    let noise = noise::Config::new(key)?;
    let (circuits, relays) = relay::client::new(key.public().to_peer_id());
    let circuits = circuits
        .upgrade(Version::V1Lazy)
        .authenticate(noise.clone())
        .multiplex(tuning::yamux())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut websocket = websocket::Config::new(tcp(config.proxy.clone()));
    websocket.set_tls_config(trust::config(&config.certificates));
    let websocket = websocket
        .upgrade(Version::V1Lazy)
        .authenticate(noise.clone())
        .multiplex(tuning::yamux())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic = Names::new(quic(key), address::is_quic).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let tcp = tcp(config.proxy.clone())
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(tuning::yamux())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let all = circuits
        .or_transport(websocket)
        .map(|way, _| way.into_inner())
        .or_transport(quic)
        .map(|way, _| way.into_inner())
        .or_transport(tcp)
        .map(|way, _| way.into_inner())
        .map_err(io::Error::other)
        .boxed();
    Ok((all, relays))
}

/// A name is left to the proxy: behind one, the system often cannot resolve it.
fn tcp(proxy: Option<Proxy>) -> Proxied<Names<tcp::tokio::Transport>> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    Proxied::new(Names::new(tcp, address::is_plain_tcp), proxy)
}

fn quic(
    key: &Keypair,
) -> impl Transport<Output = (PeerId, quic::Connection), Error = io::Error, Dial: Send, ListenerUpgrade: Send>
+ Send
+ Unpin
+ use<> {
    quic::tokio::Transport::new(tuning::quic(quic::Config::new(key))).map_err(io::Error::other)
}
