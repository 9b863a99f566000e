//! Peers that are reached over TCP, and when QUIC is tried again.
//!
//! A network that let no UDP through may do so later, and nothing else would notice: whoever is
//! reached directly is not dialled. It is tried at rising intervals, for where UDP is blocked it mostly
//! stays so, and where a connection over QUIC does not last, moving to it would do harm.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use crate::net::address;
use crate::net::paths::Rank;

/// Pauses before each attempt in turn; the last one repeats. The first is for a path so slow and lossy, or
/// a network so new, that QUIC only came too late: the dial of it that lost against TCP is over by then.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// How long a changed network may take to settle.
const SETTLING: Duration = Duration::from_secs(3);
/// How long a connection over QUIC must have stood for its end to say nothing against the next.
const STEADY: Duration = Duration::from_secs(5 * 60);
/// Most peers of which addresses are remembered.
const REMEMBERED: usize = 256;

/// All peers of which we know where QUIC might lead to them.
#[derive(Debug, Default)]
pub struct Returns {
    peers: BTreeMap<PeerId, Return>,
}

#[derive(Debug)]
struct Return {
    addresses: Vec<Multiaddr>,
    attempts: usize,
    /// When QUIC is to be tried, while the peer is reached over TCP.
    next: Option<Instant>,
    /// Since when it was reached over QUIC.
    quic_since: Option<Instant>,
}

impl Returns {
    /// Somebody wished for this peer to be dialled there.
    pub fn learn(&mut self, peer: PeerId, addresses: &[Multiaddr]) {
        let addresses: Vec<Multiaddr> = addresses.iter().filter(|at| address::is_quic(at)).cloned().collect();
        if addresses.is_empty() {
            self.peers.remove(&peer);
            return;
        }
        if let Some(known) = self.peers.get_mut(&peer) {
            known.addresses = addresses;
            return;
        }
        if self.peers.len() >= REMEMBERED {
            self.peers.retain(|_, known| known.next.is_some() || known.quic_since.is_some());
        }
        if self.peers.len() < REMEMBERED {
            self.peers.insert(peer, Return { addresses, attempts: 0, next: None, quic_since: None });
        }
    }

    /// The best way to this peer is one of these now, or there is none.
    pub fn reached(&mut self, peer: &PeerId, rank: Option<Rank>, now: Instant) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        if rank == Some(Rank::Quic) {
            known.next = None;
            known.quic_since.get_or_insert(now);
            return;
        }
        if known.quic_since.take().is_some_and(|since| since + STEADY <= now) {
            known.attempts = 0;
        }
        let next = known.next.unwrap_or(now + known.pause());
        known.next = (rank == Some(Rank::Tcp)).then_some(next);
    }

    /// The network has changed.
    pub fn restart(&mut self, now: Instant) {
        for known in self.peers.values_mut() {
            known.attempts = 0;
            known.next = known.next.map(|_| now + SETTLING);
        }
    }

    /// Where to try QUIC now; ask until there is nothing.
    pub fn poll(&mut self, now: Instant) -> Option<(PeerId, Vec<Multiaddr>)> {
        let is_due = |known: &Return| known.next.is_some_and(|next| next <= now);
        let (peer, known) = self.peers.iter_mut().find(|(_, known)| is_due(known))?;
        known.attempts += 1;
        known.next = Some(now + known.pause());
        Some((*peer, known.addresses.clone()))
    }

    /// When to poll again at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.peers.values().filter_map(|known| known.next).min()
    }
}

impl Return {
    fn pause(&self) -> Duration {
        PAUSES[self.attempts.min(PAUSES.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIC: &str = "/ip4/203.0.113.7/udp/1/quic-v1";
    const TCP: &str = "/ip4/203.0.113.7/tcp/1";

    fn parsed(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn known(bob: PeerId) -> Returns {
        let mut returns = Returns::default();
        returns.learn(bob, &[parsed(TCP), parsed(QUIC)]);
        returns
    }

    #[test]
    fn while_only_tcp_works_quic_is_tried_ever_more_rarely() {
        let (bob, mut now) = (PeerId::random(), Instant::now());
        let mut returns = known(bob);
        assert_eq!(returns.due(), None);
        returns.reached(&bob, Some(Rank::Tcp), now);
        for pause in PAUSES.iter().chain(&PAUSES[4..]) {
            assert_eq!(returns.due(), Some(now + *pause));
            now += *pause;
            assert_eq!(returns.poll(now), Some((bob, vec![parsed(QUIC)])));
            assert_eq!(returns.poll(now), None);
        }
        returns.reached(&bob, Some(Rank::Quic), now);
        assert_eq!(returns.due(), None);
    }

    #[test]
    fn a_changed_network_starts_over_soon() {
        let (bob, mut now) = (PeerId::random(), Instant::now());
        let mut returns = known(bob);
        returns.restart(now);
        assert_eq!(returns.due(), None, "it is not reached over TCP");
        returns.reached(&bob, Some(Rank::Tcp), now);
        returns.restart(now);
        now += SETTLING;
        assert!(returns.poll(now).is_some());
        assert_eq!(returns.due(), Some(now + PAUSES[1]));
    }

    #[test]
    fn whoever_is_not_reached_over_tcp_any_more_is_left_alone() {
        let (bob, now) = (PeerId::random(), Instant::now());
        let mut returns = known(bob);
        returns.reached(&bob, Some(Rank::Tcp), now);
        for rank in [Some(Rank::Relayed), None] {
            returns.reached(&bob, rank, now);
            assert_eq!((returns.due(), returns.poll(now + PAUSES[0])), (None, None));
        }
    }

    #[test]
    fn quic_that_does_not_last_is_not_tried_the_sooner() {
        let (bob, mut now) = (PeerId::random(), Instant::now());
        let mut returns = known(bob);
        returns.reached(&bob, Some(Rank::Tcp), now);
        returns.poll(now + PAUSES[0]);
        for (stood, pause) in [(STEADY / 2, PAUSES[1]), (STEADY, PAUSES[0])] {
            returns.reached(&bob, Some(Rank::Quic), now);
            now += stood;
            returns.reached(&bob, Some(Rank::Tcp), now);
            assert_eq!(returns.due(), Some(now + pause));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (bob, now) = (PeerId::random(), Instant::now());
        let mut returns = known(bob);
        returns.reached(&bob, Some(Rank::Tcp), now);
        (0..2 * REMEMBERED).for_each(|_| returns.learn(PeerId::random(), &[parsed(QUIC)]));
        assert!(returns.peers.len() <= REMEMBERED && returns.peers.contains_key(&bob));
        returns.learn(PeerId::random(), &[parsed(TCP)]);
        assert!(returns.peers.values().all(|known| !known.addresses.is_empty()));
    }
}
