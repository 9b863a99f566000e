//! What attempts to connect came to, for whoever wonders why there is no better path.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::io::ErrorKind;
use std::time::Instant;

use libp2p::core::transport::TransportError;
use libp2p::swarm::DialError;
use libp2p::{Multiaddr, PeerId};
use pairwave_wire::TransportId;

use crate::net::address;
use crate::net::distrust::Distrust;

/// Attempts that are remembered of one peer.
const PER_PEER: usize = 16;
/// Peers that are remembered.
const PEERS: usize = 64;
/// Longest outcome in characters.
const WORDS: usize = 160;
/// What is said of a port that nobody listens at, whatever the system calls it.
const REFUSED: &str = "connection refused";

/// One attempt to connect to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialReport {
    pub peer: TransportId,
    pub address: String,
    /// "connected", or what went wrong.
    pub outcome: String,
    pub at: Instant,
}

/// One attempt to make a direct way through NATs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PunchReport {
    pub peer: TransportId,
    pub outcome: Result<(), String>,
    pub at: Instant,
}

impl DialReport {
    /// Did the machine itself say that nobody listens there?
    pub fn is_refused(&self) -> bool {
        self.outcome == REFUSED
    }
}

/// The last attempts.
#[derive(Debug, Default)]
pub struct Reports {
    dials: BTreeMap<PeerId, VecDeque<DialReport>>,
    punches: BTreeMap<PeerId, VecDeque<PunchReport>>,
}

impl Reports {
    pub fn connected(&mut self, peer: PeerId, address: &Multiaddr, at: Instant) {
        self.dial(peer, address, "connected".into(), at);
    }

    /// Returns the last outcome in words.
    pub fn failed(&mut self, peer: PeerId, error: &DialError, at: Instant) -> String {
        let DialError::Transport(failures) = error else {
            let words = dial_words(error);
            self.dial(peer, &Multiaddr::empty(), words.clone(), at);
            return words;
        };
        for (address, failure) in failures {
            self.dial(peer, address, transport_words(failure), at);
        }
        failures.last().map(|(_, failure)| transport_words(failure)).unwrap_or_default()
    }

    pub fn punched(&mut self, peer: PeerId, outcome: Result<(), String>, at: Instant) {
        keep(&mut self.punches, peer, PunchReport { peer: address::transport_id(&peer), outcome, at });
    }

    pub fn dials(&self) -> Vec<DialReport> {
        self.dials.values().flatten().cloned().collect()
    }

    pub fn punches(&self) -> Vec<PunchReport> {
        self.punches.values().flatten().cloned().collect()
    }

    fn dial(&mut self, peer: PeerId, address: &Multiaddr, outcome: String, at: Instant) {
        let address = address::without_peer(address.clone()).to_string();
        keep(&mut self.dials, peer, DialReport { peer: address::transport_id(&peer), address, outcome, at });
    }
}

fn keep<R>(all: &mut BTreeMap<PeerId, VecDeque<R>>, peer: PeerId, report: R) {
    if all.len() >= PEERS && !all.contains_key(&peer) {
        all.pop_first();
    }
    let of_peer = all.entry(peer).or_default();
    if of_peer.len() >= PER_PEER {
        of_peer.pop_front();
    }
    of_peer.push_back(report);
}

fn dial_words(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { .. } => "somebody else answers there".into(),
        DialError::NoAddresses => "there is no address".into(),
        DialError::LocalPeerId { .. } => "that is this companion itself".into(),
        DialError::Denied { cause } => words(cause),
        DialError::Aborted => "it was given up".into(),
        other => words(other),
    }
}

fn transport_words(error: &TransportError<std::io::Error>) -> String {
    match error {
        TransportError::MultiaddrNotSupported(_) => "this kind of address cannot be dialled".into(),
        TransportError::Other(error) => words(error),
    }
}

/// The innermost reason, which is the one that means something, to be put into a sentence.
pub fn words(error: &(dyn Error + 'static)) -> String {
    let mut inner = error;
    loop {
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let next = wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| inner.source());
        match next {
            Some(next) => inner = next,
            None => break,
        }
    }
    if let Some(distrust) = inner.downcast_ref().and_then(Distrust::of) {
        return distrust.told().into();
    }
    let told = inner.to_string();
    if os_error(&told) == Some(ErrorKind::ConnectionRefused) {
        return REFUSED.into();
    }
    told.trim_end_matches('.').chars().filter(|c| !c.is_control()).take(WORDS).collect()
}

/// What the system said, as its text has it: the transports pass on no more than that.
fn os_error(told: &str) -> Option<ErrorKind> {
    let (_, code) = told.strip_suffix(')')?.rsplit_once("(os error ")?;
    Some(std::io::Error::from_raw_os_error(code.parse().ok()?).kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn the_innermost_reason_is_told() {
        let refused = io::Error::other(io::Error::other(io::Error::from(ErrorKind::ConnectionRefused)));
        assert_eq!(words(&refused), "connection refused");
        assert_eq!(
            words(&io::Error::other("Handshake with the remote timed out.")),
            "Handshake with the remote timed out"
        );
    }

    #[test]
    fn what_systems_and_libraries_call_differently_has_words_of_ours() {
        #[cfg(target_os = "linux")]
        {
            let system = io::Error::from_raw_os_error(111);
            assert_eq!(
                (words(&system), words(&io::Error::other(system.to_string()))),
                (REFUSED.into(), REFUSED.into())
            );
        }
        let issuer = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let told = words(&io::Error::other(io::Error::new(ErrorKind::InvalidData, issuer)));
        assert!(told.contains("not one that this machine trusts"), "{told}");
    }

    #[test]
    fn few_attempts_of_few_peers_are_remembered() {
        let mut reports = Reports::default();
        let (bob, now) = (PeerId::random(), Instant::now());
        let address: Multiaddr = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
        for _ in 0..2 * PER_PEER {
            reports.connected(bob, &address, now);
        }
        assert_eq!(reports.dials().len(), PER_PEER);
        for _ in 0..2 * PEERS {
            reports.connected(PeerId::random(), &address, now);
        }
        assert!(reports.dials.len() == PEERS);
        let failure = TransportError::Other(io::Error::from(ErrorKind::TimedOut));
        let carol = PeerId::random();
        assert_eq!(reports.failed(carol, &DialError::Transport(vec![(address, failure)]), now), "timed out");
        assert!(
            reports.dials().iter().any(|dial| dial.outcome == "timed out" && dial.address == "/ip4/10.0.0.1/tcp/1")
        );
    }
}
