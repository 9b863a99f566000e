//! Calls: circuits to peers, apart from what is dialled directly, so that they wait for no direct
//! address that leads nowhere.
//!
//! A call fails at once where the peer has no reservation, and is repeated soon: after a start both
//! sides are about to make theirs. A relay counts what it is asked for, so whoever stays away is
//! called ever more rarely. Nothing is lost by that: who makes a reservation calls us.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

/// First and longest pause between two calls of one peer through one relay.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(3 * 60);
/// How long a wish is kept. Whoever still wishes says so more often.
const WISHED: Duration = Duration::from_secs(60);
/// How long one relay has before the next is asked as well.
const TURN: Duration = Duration::from_millis(150);
/// Pairs of peer and relay that are remembered.
const REMEMBERED: usize = 512;

/// All calls, by peer and relay.
#[derive(Debug, Default)]
pub struct Calls {
    calls: BTreeMap<(PeerId, PeerId), Call>,
}

#[derive(Debug)]
struct Call {
    /// All of them lead through the same relay.
    circuits: Vec<Multiaddr>,
    wished_until: Instant,
    /// Direct ways go first until then.
    not_before: Instant,
    /// How often in a row it led nowhere, and when it may be tried again.
    failures: u32,
    next: Instant,
    running: Option<(ConnectionId, Instant)>,
}

impl Calls {
    /// This peer is to be called through this relay, but not before then.
    pub fn wish(&mut self, peer: PeerId, relay: PeerId, circuits: Vec<Multiaddr>, not_before: Instant, now: Instant) {
        if self.calls.len() >= REMEMBERED {
            self.calls.retain(|_, call| call.wished_until > now || call.next > now);
        }
        if self.calls.len() >= REMEMBERED && !self.calls.contains_key(&(peer, relay)) {
            return;
        }
        let call = self.calls.entry((peer, relay)).or_insert_with(|| Call::new(now));
        call.circuits = circuits;
        call.wished_until = now + WISHED;
        call.not_before = not_before;
    }

    /// A connection to this peer is up.
    pub fn succeeded(&mut self, peer: &PeerId) {
        self.calls.retain(|(called, _), _| called != peer);
    }

    /// A dial failed. Says whether it was a call.
    pub fn failed(&mut self, id: ConnectionId, now: Instant) -> bool {
        let is_it = |call: &&mut Call| call.running.is_some_and(|(running, _)| running == id);
        let Some(call) = self.calls.values_mut().find(is_it) else { return false };
        call.running = None;
        call.next = now + FIRST.saturating_mul(1 << call.failures.min(10)).min(LONGEST);
        call.failures = call.failures.saturating_add(1);
        true
    }

    /// Nothing direct leads to this peer.
    pub fn at_once(&mut self, peer: &PeerId, now: Instant) {
        let its = self.calls.iter_mut().filter(|((called, _), _)| called == peer);
        its.for_each(|(_, call)| call.not_before = call.not_before.min(now));
    }

    /// We have a reservation more: whoever has made theirs before us can be reached now.
    pub fn hasten(&mut self, now: Instant) {
        for call in self.calls.values_mut().filter(|call| call.wished_until > now) {
            call.failures = 0;
            call.next = call.next.min(now);
        }
    }

    /// The network is another one.
    pub fn clear(&mut self) {
        self.calls.clear();
    }

    /// Whether a connection to this peer may be about to come up.
    pub fn is_calling(&self, peer: &PeerId) -> bool {
        self.calls.iter().any(|((called, _), call)| called == peer && call.running.is_some())
    }

    /// A call to make now; ask until there is none. `distance` says how far a relay is, or nothing of
    /// one that is to be waited for.
    pub fn poll(&mut self, now: Instant, distance: impl Fn(&PeerId) -> Option<Duration>) -> Option<DialOpts> {
        let due = |(key, call): (&(PeerId, PeerId), &Call)| {
            let distance = distance(&key.1)?;
            self.due_of(&key.0, call).filter(|due| *due <= now && call.wished_until > now).map(|_| (distance, *key))
        };
        let (_, key) = self.calls.iter().filter_map(due).min()?;
        let call = self.calls.get_mut(&key)?;
        let dial = DialOpts::peer_id(key.0).condition(PeerCondition::Always).addresses(call.circuits.clone()).build();
        call.running = Some((dial.connection_id(), now));
        Some(dial)
    }

    /// When to poll again at the latest.
    pub fn due(&self, now: Instant, distance: impl Fn(&PeerId) -> Option<Duration>) -> Option<Instant> {
        let wished = self.calls.iter().filter(|(_, call)| call.wished_until > now);
        let ready = wished.filter(|((_, relay), _)| distance(relay).is_some());
        ready.filter_map(|((peer, _), call)| self.due_of(peer, call)).min()
    }

    /// When a call that does not run is to begin.
    fn due_of(&self, peer: &PeerId, call: &Call) -> Option<Instant> {
        let its = self.calls.iter().filter(|((called, _), _)| called == peer);
        let turn = its.filter_map(|(_, other)| Some(other.running?.1 + TURN)).max();
        let due = call.next.max(call.not_before);
        call.running.is_none().then_some(turn.map_or(due, |turn| due.max(turn)))
    }
}

impl Call {
    fn new(now: Instant) -> Self {
        Self { circuits: Vec::new(), wished_until: now, not_before: now, failures: 0, next: now, running: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Duration = Duration::from_millis(1);
    const DELAY: Duration = Duration::from_millis(400);

    struct Bench {
        calls: Calls,
        bob: PeerId,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { calls: Calls::default(), bob: PeerId::random(), now: Instant::now() }
        }

        fn wish(&mut self, relay: PeerId) {
            let circuit = format!("/ip4/203.0.113.7/tcp/1/p2p/{relay}/p2p-circuit").parse().unwrap();
            self.calls.wish(self.bob, relay, vec![circuit], self.now + DELAY, self.now);
        }

        fn called(&mut self) -> Option<ConnectionId> {
            self.calls.poll(self.now, |_| Some(NEAR)).map(|dial| dial.connection_id())
        }

        fn fail(&mut self) {
            let id = self.called().unwrap();
            assert!(self.calls.failed(id, self.now));
        }
    }

    #[test]
    fn direct_ways_go_first_until_they_have_failed() {
        let mut bench = Bench::new();
        bench.wish(PeerId::random());
        assert!(bench.called().is_none());
        assert_eq!(bench.calls.due(bench.now, |_| Some(NEAR)), Some(bench.now + DELAY));
        bench.calls.at_once(&bench.bob, bench.now);
        assert!(bench.called().is_some() && bench.calls.is_calling(&bench.bob));
    }

    #[test]
    fn a_call_waits_for_its_relay_and_the_nearest_has_the_first_turn() {
        let (relay, other) = (PeerId::random(), PeerId::random());
        let mut bench = Bench::new();
        bench.wish(relay);
        bench.wish(other);
        bench.now += DELAY;
        assert!(bench.calls.poll(bench.now, |_| None).is_none());
        assert_eq!(bench.calls.due(bench.now, |_| None), None);
        let distance = |at: &PeerId| Some(if *at == relay { NEAR } else { 2 * NEAR });
        assert!(bench.calls.poll(bench.now, distance).is_some());
        assert!(bench.calls.calls[&(bench.bob, relay)].running.is_some());
        assert!(bench.calls.poll(bench.now, distance).is_none());
        bench.now += TURN;
        assert!(bench.calls.poll(bench.now, distance).is_some());
    }

    #[test]
    fn who_is_away_is_called_ever_more_rarely_until_we_have_a_reservation_more() {
        let relay = PeerId::random();
        let mut bench = Bench::new();
        let (start, mut calls) = (bench.now, 0);
        while bench.now < start + Duration::from_secs(3600) {
            bench.wish(relay);
            bench.calls.at_once(&bench.bob, bench.now);
            if let Some(id) = bench.called() {
                calls += 1;
                assert!(bench.calls.failed(id, bench.now) && !bench.calls.failed(id, bench.now));
            }
            bench.now += FIRST;
        }
        assert!((20..36).contains(&calls), "{calls} calls in an hour");
        bench.now = start + Duration::from_secs(3601);
        assert!(bench.called().is_none());
        bench.calls.hasten(bench.now);
        bench.fail();
        bench.now += FIRST;
        bench.fail();
    }

    #[test]
    fn who_is_not_wished_for_any_more_is_not_called() {
        let mut bench = Bench::new();
        bench.wish(PeerId::random());
        bench.now += WISHED;
        assert!(bench.called().is_none());
        bench.calls.hasten(bench.now);
        assert!(bench.called().is_none());
        assert_eq!(bench.calls.due(bench.now, |_| Some(NEAR)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut bench = Bench::new();
        (0..2 * REMEMBERED).for_each(|_| bench.wish(PeerId::random()));
        assert_eq!(bench.calls.calls.len(), REMEMBERED);
        bench.now += WISHED;
        bench.wish(PeerId::random());
        assert_eq!(bench.calls.calls.len(), 1);
    }
}
