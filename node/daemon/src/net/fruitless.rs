//! Circuits that lately led nowhere: the peer has no reservation at that relay. A relay counts what
//! it is asked for, so whoever is away is not called through it every half minute. Nothing is lost
//! by that: who comes back calls us.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// First and longest pause between two calls of one peer through one relay.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3 * 60);
/// Pairs of peer and relay that are remembered.
const REMEMBERED: usize = 512;

/// When each circuit may be tried again, and how often in a row it led nowhere.
#[derive(Debug, Default)]
pub struct Fruitless {
    calls: BTreeMap<(PeerId, PeerId), (u32, Instant)>,
}

impl Fruitless {
    pub fn failed(&mut self, peer: PeerId, relay: PeerId, now: Instant) {
        if self.calls.len() >= REMEMBERED {
            self.calls.retain(|_, (_, next)| *next > now);
        }
        if self.calls.len() >= REMEMBERED && !self.calls.contains_key(&(peer, relay)) {
            return;
        }
        let (failures, next) = self.calls.entry((peer, relay)).or_insert((0, now));
        *next = now + FIRST.saturating_mul(1 << (*failures).min(9)).min(LONGEST);
        *failures = failures.saturating_add(1);
    }

    /// A connection to this peer is up.
    pub fn succeeded(&mut self, peer: &PeerId) {
        self.calls.retain(|(called, _), _| called != peer);
    }

    pub fn is_due(&self, peer: PeerId, relay: PeerId, now: Instant) -> bool {
        self.calls.get(&(peer, relay)).is_none_or(|(_, next)| *next <= now)
    }

    /// The network is another one.
    pub fn clear(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_away_is_called_ever_more_rarely_until_they_are_back() {
        let (bob, relay, other) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut fruitless = Fruitless::default();
        let mut now = Instant::now();
        let mut calls = 0;
        let start = now;
        while now < start + Duration::from_secs(3600) {
            if fruitless.is_due(bob, relay, now) {
                calls += 1;
                fruitless.failed(bob, relay, now);
            }
            now += Duration::from_secs(1);
        }
        assert!((20..32).contains(&calls), "{calls} calls in an hour");
        assert!(fruitless.is_due(bob, other, now) && !fruitless.is_due(bob, relay, now));
        fruitless.succeeded(&bob);
        assert!(fruitless.is_due(bob, relay, now));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (relay, now) = (PeerId::random(), Instant::now());
        let mut fruitless = Fruitless::default();
        (0..2 * REMEMBERED).for_each(|_| fruitless.failed(PeerId::random(), relay, now));
        assert_eq!(fruitless.calls.len(), REMEMBERED);
        fruitless.failed(PeerId::random(), relay, now + LONGEST);
        assert_eq!(fruitless.calls.len(), 1);
    }
}
