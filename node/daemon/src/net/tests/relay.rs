//! A relay as small as a test needs it: libp2p's own, and a mailbox that answers as it is told.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{DeniedUpgrade, ReadyUpgrade};
use libp2p::identity::Keypair;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream,
    StreamProtocol, SubstreamProtocol, SwarmEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, SwarmBuilder, identify, noise, ping, relay, yamux};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest, RelayRefusal};
use pairwave_wire::{parcel, protocol};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The token that is welcome.
pub const TOKEN: &str = "prt-good";

/// A relay that runs until it is dropped.
pub struct TestRelay {
    pub peer: PeerId,
    pub addresses: Vec<Multiaddr>,
    task: JoinHandle<()>,
    /// Everybody who connects.
    pub visits: mpsc::UnboundedReceiver<PeerId>,
    /// One for each circuit that ended.
    pub ended: mpsc::UnboundedReceiver<()>,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    mailbox: Mailbox,
}

impl TestRelay {
    pub async fn start(seed: u8) -> Self {
        let key = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let peer = key.public().to_peer_id();
        let (living, alive) = watch::channel(());
        let mut swarm = SwarmBuilder::with_existing_identity(key)
            .with_tokio()
            .with_tcp(Default::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_quic()
            .with_behaviour(|key| Behaviour {
                relay: relay::Behaviour::new(key.public().to_peer_id(), relay::Config::default()),
                identify: identify::Behaviour::new(identify::Config::new("relay".into(), key.public())),
                ping: ping::Behaviour::default(),
                mailbox: Mailbox(alive),
            })
            .unwrap()
            .build();
        for way in ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"] {
            swarm.listen_on(way.parse().unwrap()).unwrap();
        }
        let mut addresses = BTreeSet::new();
        while addresses.len() < 2 {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                swarm.add_external_address(address.clone());
                addresses.insert(address);
            }
        }
        let (visiting, visits) = mpsc::unbounded_channel();
        let (ending, ended) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            // Its mailboxes end with it.
            let _living = living;
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { peer_id, .. } => drop(visiting.send(peer_id)),
                    SwarmEvent::Behaviour(BehaviourEvent::Relay(relay::Event::CircuitClosed { .. })) => {
                        let _ = ending.send(());
                    }
                    _ => {}
                }
            }
        });
        Self { peer, addresses: addresses.into_iter().collect(), task, visits, ended }
    }

    /// All its addresses as a person writes them.
    pub fn texts(&self) -> Vec<String> {
        self.addresses.iter().map(|address| format!("{address}/p2p/{}", self.peer)).collect()
    }

    /// Its QUIC address alone.
    pub fn quic(&self) -> String {
        self.texts().into_iter().find(|text| text.contains("quic")).unwrap()
    }

    /// Ends it at once, with everything that runs through it.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Answers `Present` by the token, `Deposit` with `Stored`, and everything else with a refusal.
struct Mailbox(watch::Receiver<()>);

struct MailboxHandler(watch::Receiver<()>);

fn answer(request: &[u8]) -> MailboxAnswer {
    match MailboxRequest::decode(request) {
        Ok(MailboxRequest::Present { token }) if token == TOKEN => MailboxAnswer::Welcome,
        Ok(MailboxRequest::Present { .. }) => MailboxAnswer::Refused(RelayRefusal::UnknownToken),
        Ok(MailboxRequest::Deposit { .. }) => MailboxAnswer::Stored,
        _ => MailboxAnswer::Refused(RelayRefusal::Malformed),
    }
}

async fn serve(mut stream: Stream) -> std::io::Result<Infallible> {
    loop {
        let mut header = [0; parcel::HEADER];
        stream.read_exact(&mut header).await?;
        let mut request = vec![0; parcel::length(header).unwrap()];
        stream.read_exact(&mut request).await?;
        stream.write_all(&parcel::encode(&answer(&request).encode()).unwrap()).await?;
        stream.flush().await?;
    }
}

impl NetworkBehaviour for Mailbox {
    type ConnectionHandler = MailboxHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<MailboxHandler, ConnectionDenied> {
        Ok(MailboxHandler(self.0.clone()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<MailboxHandler, ConnectionDenied> {
        Ok(MailboxHandler(self.0.clone()))
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, never: Infallible) {
        match never {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, Infallible>> {
        Poll::Pending
    }
}

impl ConnectionHandler for MailboxHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol, ()> {
        SubstreamProtocol::new(ReadyUpgrade::new(StreamProtocol::new(protocol::MAILBOX)), ())
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, never: Infallible) {
        match never {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, DeniedUpgrade>) {
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: stream, .. }) = event {
            let mut alive = self.0.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = serve(stream) => {}
                    _ = alive.changed() => {}
                }
            });
        }
    }
}
