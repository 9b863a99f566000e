//! The relay itself: libp2p's own, over TCP, whose streams pass through a hand that spoils them.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncRead, AsyncWrite, StreamExt};
use libp2p::core::Transport;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, StreamMuxerExt, SubstreamBox};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{SwarmBuilder, identify, noise, ping, relay, tcp, yamux};

use crate::person::Person;

const PORT: u16 = 4011;
/// What a stream may carry unspoilt. Circuits are asked for and answered in less, and identify too is
/// over before.
const UNSPOILT: usize = 1024;

/// What it does to circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Honest,
    Changes,
    Drops,
    Repeats,
}

/// A relay that runs as long as the network of its host.
pub struct Meddler {
    pub address: String,
    hand: Hand,
}

/// Shared by all its streams.
#[derive(Clone)]
struct Hand {
    mood: Arc<Mutex<Mood>>,
    spoilt: Arc<AtomicUsize>,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Meddler {
    pub async fn on(host: &Person) -> Self {
        let hand = Hand { mood: Arc::new(Mutex::new(Mood::Honest)), spoilt: Arc::default() };
        let key = Keypair::generate_ed25519();
        let ip = host.machine.ip().expect("an address");
        let at = format!("/ip4/{ip}/tcp/{PORT}");
        let address = format!("{at}/p2p/{}", key.public().to_peer_id());
        let its = hand.clone();
        let run = move |_| async move {
            let mut swarm = swarm(key, its);
            swarm.listen_on(at.parse().expect("an address")).expect("it listens");
            swarm.add_external_address(at.parse().expect("an address"));
            loop {
                swarm.select_next_some().await;
            }
        };
        host.machine.spawn(run).expect("it runs");
        Self { address, hand }
    }

    /// Says how much it had spoilt before.
    pub fn turn(&self, mood: Mood) -> usize {
        *self.hand.mood.lock().expect("nobody panicked") = mood;
        self.spoilt()
    }

    pub fn spoilt(&self) -> usize {
        self.hand.spoilt.load(Ordering::Relaxed)
    }
}

fn swarm(key: Keypair, hand: Hand) -> Swarm<Behaviour> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_other_transport(|key| {
            let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
            let upgraded = tcp.upgrade(Version::V1).authenticate(noise::Config::new(key).expect("a key"));
            let multiplexed = upgraded.multiplex(yamux::Config::default());
            multiplexed.map(move |(peer, muxer), _| {
                (peer, StreamMuxerBox::new(Streams { inner: StreamMuxerBox::new(muxer), hand }))
            })
        })
        .expect("a transport")
        .with_behaviour(|key| Behaviour {
            relay: relay::Behaviour::new(key.public().to_peer_id(), generous()),
            identify: identify::Behaviour::new(identify::Config::new("pairwave/1".into(), key.public())),
            ping: ping::Behaviour::default(),
        })
        .expect("a behaviour")
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(Duration::from_secs(600)))
        .build()
}

/// Nothing but its hand gets into anybody's way.
fn generous() -> relay::Config {
    relay::Config {
        reservation_rate_limiters: Vec::new(),
        circuit_src_rate_limiters: Vec::new(),
        max_circuits: 256,
        max_circuits_per_peer: 256,
        max_circuit_duration: Duration::from_secs(3600),
        max_circuit_bytes: 1 << 30,
        ..relay::Config::default()
    }
}

/// A connection.
struct Streams {
    inner: StreamMuxerBox,
    hand: Hand,
}

impl Streams {
    fn take(&self, opened: Poll<io::Result<SubstreamBox>>) -> Poll<io::Result<Spoilt>> {
        opened.map_ok(|inner| Spoilt { inner, hand: self.hand.clone(), carried: 0 })
    }
}

impl StreamMuxer for Streams {
    type Substream = Spoilt;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Spoilt>> {
        let opened = self.inner.poll_inbound_unpin(cx);
        self.take(opened)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Spoilt>> {
        let opened = self.inner.poll_outbound_unpin(cx);
        self.take(opened)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_close_unpin(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        self.inner.poll_unpin(cx)
    }
}

/// A stream of it.
struct Spoilt {
    inner: SubstreamBox,
    hand: Hand,
    carried: usize,
}

impl Spoilt {
    fn spoil(&mut self, mood: Mood, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match mood {
            Mood::Honest => return Pin::new(&mut self.inner).poll_write(cx, bytes),
            Mood::Drops => Poll::Ready(Ok(bytes.len())),
            Mood::Changes => {
                let mut changed = bytes.to_vec();
                changed[0] ^= 1;
                Pin::new(&mut self.inner).poll_write(cx, &changed)
            }
            Mood::Repeats => {
                let once = std::task::ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
                // It may not fit in any more.
                let _ = Pin::new(&mut self.inner).poll_write(cx, &bytes[..once]);
                Poll::Ready(Ok(once))
            }
        };
        if written.is_ready() {
            self.hand.spoilt.fetch_add(1, Ordering::Relaxed);
        }
        written
    }
}

impl AsyncWrite for Spoilt {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mood = if self.carried < UNSPOILT { Mood::Honest } else { *self.hand.mood.lock().expect("no panic") };
        let written = self.spoil(mood, cx, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.carried += count;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl AsyncRead for Spoilt {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(cx, bytes)
    }
}
