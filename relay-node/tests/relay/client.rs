//! A plain libp2p node that uses a relay.

use std::collections::HashMap;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::core::transport::ListenerId;
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, NetworkBehaviour, Stream, StreamProtocol, Swarm, SwarmEvent};
use libp2p::websocket::tls;
use libp2p::{Multiaddr, PeerId, SwarmBuilder, identify, noise, ping, relay, tcp, yamux};
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use pairwave_wire::{parcel, protocol};
use tokio::sync::{mpsc, oneshot};

use crate::streams::{Streams, TALK};

type Answer<T> = oneshot::Sender<Result<T, String>>;

pub struct Client {
    pub peer: PeerId,
    orders: mpsc::UnboundedSender<Order>,
    accepted: mpsc::UnboundedReceiver<Stream>,
}

/// What a relay lets a circuit to us do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    pub seconds: Option<Duration>,
    pub bytes: Option<u64>,
}

enum Order {
    Dial(Multiaddr, Answer<()>),
    Reserve(Multiaddr, Answer<Reserved>),
    Open(PeerId, StreamProtocol, oneshot::Sender<Option<Stream>>),
    HangUp(PeerId, Answer<()>),
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::client::Behaviour,
    streams: Streams,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Client {
    pub fn new() -> Self {
        Self::with(Keypair::generate_ed25519())
    }

    pub fn with(key: Keypair) -> Self {
        Self::trusting(key, None)
    }

    /// A client that takes this certificate for a good one, too.
    pub fn trusting(key: Keypair, certificate: Option<tls::Certificate>) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (sender, accepted) = mpsc::unbounded_channel();
        let peer = key.public().to_peer_id();
        let swarm = swarm(key, certificate, sender);
        tokio::spawn(
            Node {
                swarm,
                orders: inbox,
                dials: HashMap::new(),
                reservations: HashMap::new(),
                farewells: HashMap::new(),
            }
            .run(),
        );
        Self { peer, orders, accepted }
    }

    pub async fn dial(&self, address: &str) -> Result<(), String> {
        self.ask(|answer| Order::Dial(address.parse().expect("an address"), answer)).await
    }

    /// Makes a reservation at a relay.
    pub async fn reserve(&self, relay: &str) -> Result<Reserved, String> {
        let address = format!("{relay}/p2p-circuit").parse().expect("an address");
        self.ask(|answer| Order::Reserve(address, answer)).await
    }

    /// Reaches another client through a relay.
    pub async fn call(&self, relay: &str, other: &Self) -> Result<(), String> {
        self.dial(&format!("{relay}/p2p-circuit/p2p/{}", other.peer)).await
    }

    pub async fn hang_up(&self, peer: PeerId) {
        self.ask(|answer| Order::HangUp(peer, answer)).await.expect("it was connected");
    }

    /// Opens a stream to another client.
    pub async fn talk(&self, other: &Self) -> Stream {
        self.open(other.peer, TALK).await.expect("a stream")
    }

    pub async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> Option<Stream> {
        let (opened, stream) = oneshot::channel();
        assert!(self.orders.send(Order::Open(peer, protocol, opened)).is_ok());
        stream.await.ok().flatten()
    }

    pub async fn mailbox(&self, relay: &str) -> Stream {
        self.open(peer_of(relay), StreamProtocol::new(protocol::MAILBOX)).await.expect("a mailbox")
    }

    pub async fn lookup(&self, relay: &str) -> Stream {
        self.open(peer_of(relay), StreamProtocol::new(protocol::LOOKUP)).await.expect("a lookup")
    }

    pub async fn accept(&mut self) -> Stream {
        self.accepted.recv().await.expect("a stream")
    }

    async fn ask<T>(&self, order: impl FnOnce(Answer<T>) -> Order) -> Result<T, String> {
        let (answer, answered) = oneshot::channel();
        assert!(self.orders.send(order(answer)).is_ok(), "the client runs");
        tokio::time::timeout(Duration::from_secs(30), answered).await.expect("an answer").expect("the client runs")
    }
}

/// Asks a mailbox.
pub async fn post(stream: &mut Stream, request: &MailboxRequest) -> MailboxAnswer {
    let answer = ask(stream, &request.encode()).await.expect("an answer");
    MailboxAnswer::decode(&answer).expect("a sound answer")
}

/// Asks a lookup.
pub async fn look(stream: &mut Stream, request: &LookupRequest) -> LookupAnswer {
    let answer = ask(stream, &request.encode()).await.expect("an answer");
    LookupAnswer::decode(&answer).expect("a sound answer")
}

pub fn peer_of(address: &str) -> PeerId {
    address.rsplit('/').next().expect("a part").parse().expect("a peer id at the end")
}

/// Sends one message to a relay and reads its answer; `None` if it hung up.
pub async fn ask(stream: &mut Stream, message: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(&parcel::encode(message).expect("short enough")).await.ok()?;
    stream.flush().await.ok()?;
    read(stream).await
}

pub async fn read(stream: &mut Stream) -> Option<Vec<u8>> {
    let mut header = [0; parcel::HEADER];
    stream.read_exact(&mut header).await.ok()?;
    let mut message = vec![0; parcel::length(header).expect("a sound length")];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

fn swarm(
    key: Keypair,
    certificate: Option<tls::Certificate>,
    accepted: mpsc::UnboundedSender<Stream>,
) -> Swarm<Behaviour> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("TCP")
        .with_quic_config(patient)
        .with_other_transport(|key| websocket(key, certificate))
        .expect("WebSocket")
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .expect("a relay client")
        .with_behaviour(|key, relay| Behaviour {
            relay,
            streams: Streams::new(accepted),
            identify: identify::Behaviour::new(identify::Config::new("pairwave/1".into(), key.public())),
            ping: ping::Behaviour::default(),
        })
        .expect("a behaviour")
        .build()
}

/// A busy machine is no dead one.
fn patient(mut config: libp2p::quic::Config) -> libp2p::quic::Config {
    config.handshake_timeout = Duration::from_secs(30);
    config.max_idle_timeout = 60_000;
    config
}

type Boxed = libp2p::core::transport::Boxed<(PeerId, libp2p::core::muxing::StreamMuxerBox)>;

fn websocket(
    key: &Keypair,
    certificate: Option<tls::Certificate>,
) -> Result<Boxed, Box<dyn std::error::Error + Send + Sync>> {
    use libp2p::core::{Transport, muxing::StreamMuxerBox, upgrade::Version};
    let mut web = libp2p::websocket::Config::new(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)));
    if let Some(certificate) = certificate {
        let mut trust = tls::Config::builder();
        trust.add_trust(&certificate)?;
        web.set_tls_config(trust.finish());
    }
    let upgraded = web.upgrade(Version::V1).authenticate(noise::Config::new(key)?);
    let multiplexed = upgraded.multiplex(yamux::Config::default());
    Ok(multiplexed.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer))).boxed())
}

struct Node {
    swarm: Swarm<Behaviour>,
    orders: mpsc::UnboundedReceiver<Order>,
    dials: HashMap<ConnectionId, Answer<()>>,
    reservations: HashMap<ListenerId, (PeerId, Answer<Reserved>)>,
    farewells: HashMap<PeerId, Answer<()>>,
}

impl Node {
    async fn run(mut self) {
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.carry_out(order),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Dial(address, answer) => {
                let peer = peer_of(&address.to_string());
                let options = DialOpts::peer_id(peer).addresses(vec![address]).condition(PeerCondition::Always).build();
                self.dials.insert(options.connection_id(), answer);
                self.swarm.dial(options).expect("it may be dialled");
            }
            Order::Reserve(address, answer) => {
                let text = address.to_string();
                let relay = peer_of(text.strip_suffix("/p2p-circuit").expect("a circuit"));
                let listener = self.swarm.listen_on(address).expect("a circuit");
                self.reservations.insert(listener, (relay, answer));
            }
            Order::Open(peer, protocol, opened) => self.swarm.behaviour_mut().streams.open(peer, protocol, opened),
            Order::HangUp(peer, answer) => {
                if self.swarm.disconnect_peer_id(peer).is_ok() {
                    self.farewells.insert(peer, answer);
                }
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { connection_id, .. } => {
                self.dials.remove(&connection_id).map(|answer| answer.send(Ok(())));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.farewells.remove(&peer_id).map(|answer| answer.send(Ok(())));
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dials.remove(&connection_id).map(|answer| answer.send(Err(format!("{error:?}"))));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Relay(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                limit,
                ..
            })) => {
                let reserved = Reserved {
                    seconds: limit.and_then(|limit| limit.duration()),
                    bytes: limit.and_then(|limit| limit.data_in_bytes()),
                };
                let waiting = self.reservations.iter().find(|(_, (relay, _))| *relay == relay_peer_id);
                if let Some(listener) = waiting.map(|(listener, _)| *listener) {
                    let _ = self.reservations.remove(&listener).expect("it waits").1.send(Ok(reserved));
                }
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                let waiting = self.reservations.remove(&listener_id);
                waiting.map(|(_, answer)| answer.send(Err(format!("{reason:?}"))));
            }
            _ => {}
        }
    }
}
