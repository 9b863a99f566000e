//! The network: one libp2p node per companion, with QUIC and TCP, local discovery, and streams of
//! frames to other companions.
//!
//! Whoever drives a room says what to do ([`NetCommand`]) and is told what happened ([`NetEvent`]);
//! nothing here knows what a frame means. Strangers may open a few streams, send one small frame
//! on each, and then wait for an answer.

mod address;
mod behaviour;
mod calls;
mod chance;
mod circuits;
mod dials;
mod discovery;
mod distrust;
mod interfaces;
mod introduction;
mod listening;
mod mail;
mod mapping;
mod names;
mod outlet;
mod paths;
mod pings;
mod probing;
mod proxy;
mod punching;
mod reachability;
mod relay_address;
mod relays;
mod reports;
mod returns;
mod searches;
mod status;
mod streams;
#[cfg(test)]
mod tests;
mod transport;
mod trust;
mod tuning;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use libp2p::identity::Keypair;
use pairwave_core::input::{LinkId, Protocol};
use pairwave_wire::TransportId;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

pub use distrust::next_step;
pub use libp2p::Multiaddr;
pub use proxy::{NoProxy, Proxy};
pub use reports::{DialReport, PunchReport};
pub use status::{ConnectionStatus, NetStatus, Path, Ports, Reachability, RelayStatus};
pub use trust::{Unusable, check as check_certificates};

use crate::net::worker::{Order, Worker};

/// The seed of the Ed25519 key whose PeerId other companions reach us under.
pub struct TransportKey(Zeroizing<[u8; 32]>);

/// What the network is to be like.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// Where to listen. Empty: QUIC and TCP on any free port, over IPv4 and IPv6.
    pub listen: Vec<Multiaddr>,
    /// Whether to look for others on the local network, and be seen there.
    pub mdns: bool,
    /// Names of the interfaces to use. Empty: all but those of containers, virtual machines and VPNs.
    pub interfaces: Vec<String>,
    /// Whether to look for direct ways to peers that are reached through a relay.
    pub punching: bool,
    /// Whether relays may be asked to try our addresses (AutoNAT).
    pub probing: bool,
    /// Whether the router may be asked for ports (UPnP).
    pub mapping: bool,
    /// The same by PCP and NAT-PMP.
    pub leasing: bool,
    /// Addresses that lead to us although we cannot know it, such as a forwarded port's.
    pub announce: Vec<Multiaddr>,
    /// What TCP to far addresses goes through.
    pub proxy: Option<Proxy>,
    /// Files of certificates that count for TLS beside the public ones.
    pub certificates: Vec<PathBuf>,
    pub patience: Patience,
}

/// How long to wait for others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first frame of a stream that somebody opened.
    pub first_frame: Duration,
    /// For our own answer to it: until then nothing more is read.
    pub answer: Duration,
    /// For what was sent before a hang-up to reach the other side.
    pub linger: Duration,
    /// Without a byte for this long, a hang-up closes the connection as well: it is dead.
    pub silence: Duration,
    /// Between the dials of QUIC addresses and of TCP ones.
    pub tcp_delay: Duration,
}

/// What the network can be asked for.
#[derive(Debug)]
pub enum NetCommand {
    /// Answered by `Opened` or `Closed`.
    Open { link: LinkId, peer: TransportId, protocol: Protocol },
    /// Answered by `Sent`. Of no effect on a link that is not open.
    Send { link: LinkId, frame: Vec<u8> },
    /// Ends a stream after what was sent before; answered by `Closed`.
    Hangup { link: LinkId },
    /// With a peer, answered by `Connected` or `Disconnected`, unless it is connected directly: then
    /// nothing is done. With none, whoever answers at these
    /// addresses is `Connected`, and a failure is not told: there is nobody to tell it of.
    Dial { peer: Option<TransportId>, addresses: Vec<String> },
    /// Exactly these relays are wished for from now on, each as `MULTIADDR/p2p/PEERID` and perhaps
    /// `#TOKEN`. All addresses of one peer are one relay.
    Relays { relays: Vec<String> },
    /// Asks a relay's mailbox; answered by `Mail`.
    Mail { id: u64, relay: TransportId, request: MailboxRequest },
    /// Asks a relay's address lookup; answered by `Lookup`.
    Lookup { id: u64, relay: TransportId, request: LookupRequest },
}

/// What happened on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
    /// All addresses that others may reach us at, the best first; replaces what was told before.
    Listening {
        addresses: Vec<String>,
    },
    /// Somebody is on the local network.
    Found {
        peer: TransportId,
        addresses: Vec<String>,
    },
    /// We have gained or lost an address, or an interface went down or came up.
    NetworkChanged,
    /// There is a connection now; told once until `Disconnected`. The address is where the peer may
    /// be dialled again; of whoever came over TCP only the IP is known.
    Connected {
        peer: TransportId,
        address: String,
    },
    /// The last connection and all its links ended, or a dial failed.
    Disconnected {
        peer: TransportId,
    },
    /// Somebody opened a stream, and its first frame follows.
    Accepted {
        link: LinkId,
        peer: TransportId,
        protocol: Protocol,
    },
    Opened {
        link: LinkId,
    },
    /// The link runs over a circuit with small limits. Told right after `Accepted` or `Opened`.
    Small {
        link: LinkId,
    },
    /// Told once of every link that was opened, asked for or accepted.
    Closed {
        link: LinkId,
    },
    Frame {
        link: LinkId,
        bytes: Vec<u8>,
    },
    /// The transport took one frame, in the order of the `Send`s.
    Sent {
        link: LinkId,
    },
    /// A better connection has come up than one that a room's link to this peer uses: a new link
    /// would take it.
    BetterPath {
        peer: TransportId,
    },
    /// The relays that can be asked now, nearest first; replaces what was told before.
    Relays {
        connected: Vec<TransportId>,
    },
    /// `None`: the relay is not connected, or did not answer in time.
    Mail {
        id: u64,
        answer: Option<MailboxAnswer>,
    },
    Lookup {
        id: u64,
        answer: Option<LookupAnswer>,
    },
}

/// Why the network cannot start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("the network cannot be set up: {0}. Check that this system has TCP and UDP sockets to give.")]
    Setup(String),
    #[error(
        "cannot listen on {address}: {why}. \
         Free that port, or choose another with `pairwave config set network.listen`."
    )]
    Listen { address: Multiaddr, why: String },
    #[error("cannot listen anywhere: {why}. Check that this system has a network interface that is up.")]
    Nowhere { why: String },
}

/// A network that runs until it is shut down or dropped.
pub struct Net {
    id: TransportId,
    orders: mpsc::UnboundedSender<Order>,
}

/// Starts the network. Must be called within a tokio runtime. A full `events` channel makes peers
/// wait; a closed one ends the network.
pub fn spawn(key: TransportKey, config: NetConfig, events: mpsc::Sender<NetEvent>) -> Result<Net, NetError> {
    let keypair = key.keypair();
    let id = address::transport_id(&keypair.public().to_peer_id());
    let (orders, inbox) = mpsc::unbounded_channel();
    let worker = Worker::new(keypair, config, events, inbox)?;
    tokio::spawn(worker.run());
    Ok(Net { id, orders })
}

/// Which relay a text of [`NetCommand::Relays`] names, if it names one.
pub fn relay_named(text: &str) -> Option<TransportId> {
    relay_address::parse(text).ok().map(|relay| address::transport_id(&relay.peer))
}

impl Net {
    pub fn transport_id(&self) -> TransportId {
        self.id.clone()
    }

    /// Asks for something. Never blocks; after a shutdown it does nothing.
    pub fn do_(&self, command: NetCommand) {
        let _ = self.orders.send(Order::Do(command));
    }

    /// Empty after a shutdown.
    pub async fn status(&self) -> NetStatus {
        let (reply, status) = oneshot::channel();
        let _ = self.orders.send(Order::Status(reply));
        status.await.unwrap_or_default()
    }

    /// Flushes and ends all streams, closes all connections. Nothing is told of it as an event.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        let _ = self.orders.send(Order::Shutdown(reply));
        let _ = done.await;
    }
}

impl TransportKey {
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    fn keypair(&self) -> Keypair {
        let mut seed = self.0.clone();
        Keypair::ed25519_from_bytes(&mut *seed).expect("any 32 bytes are an Ed25519 seed")
    }
}

impl From<Zeroizing<[u8; 32]>> for TransportKey {
    fn from(seed: Zeroizing<[u8; 32]>) -> Self {
        Self(seed)
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportKey(…)")
    }
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            mdns: true,
            interfaces: Vec::new(),
            punching: true,
            probing: true,
            mapping: true,
            leasing: true,
            announce: Vec::new(),
            proxy: None,
            certificates: Vec::new(),
            patience: Patience::default(),
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_frame: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            linger: Duration::from_secs(3),
            silence: Duration::from_secs(5),
            tcp_delay: Duration::from_millis(300),
        }
    }
}
