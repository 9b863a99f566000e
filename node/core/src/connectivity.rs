//! Whom to connect to, and when to try again.
//!
//! Every companion that a room or a wish to join needs is a *goal*. A goal that is not connected
//! is dialled at once, then at rising intervals with jitter; a sighting on the local network, a
//! changed network or a wake-up starts over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::TransportId;

use crate::addresses::Addresses;
use crate::time::Timestamp;

/// First pause between two dials of one goal.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between two dials of one goal.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a dial may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most sightings that are remembered of companions that nobody needs.
const SIGHTINGS: usize = 256;

/// Where one companion stands.
#[derive(Debug, Clone, Default)]
struct Peer {
    /// Where the goal says that it is. What no goal names any more is forgotten.
    named: BTreeSet<String>,
    /// Where it was seen on the local network.
    sighted: Addresses,
    connected: bool,
    /// Seen on the local network.
    seen: bool,
    wanted: bool,
    failures: u32,
    /// When a dial last came to nothing, if nothing came of a later one.
    unanswered: Option<Timestamp>,
    /// When to dial next.
    due: Timestamp,
}

/// All companions that are known, by transport id.
#[derive(Debug, Default)]
pub struct Connectivity {
    peers: BTreeMap<TransportId, Peer>,
}

/// A dial to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    pub peer: TransportId,
    pub addresses: Vec<String>,
}

impl Connectivity {
    /// Replaces the goals: exactly these companions are worth dialling.
    pub fn want(&mut self, goals: &BTreeMap<TransportId, BTreeSet<String>>, now: Timestamp) {
        for (id, peer) in &mut self.peers {
            peer.wanted = goals.contains_key(id);
            if !peer.wanted {
                peer.named.clear();
            }
        }
        for (id, addresses) in goals {
            let known = self.peers.entry(id.clone()).or_insert_with(|| Peer { due: now, ..Peer::default() });
            known.wanted = true;
            if known.named == *addresses {
                continue;
            }
            let news = addresses.difference(&known.named).next().is_some();
            known.named.clone_from(addresses);
            if news && known.failures > 0 {
                known.retry_at_once(now);
            }
        }
        self.peers.retain(|_, peer| peer.wanted || peer.connected || peer.seen);
    }

    /// A companion was seen on the local network.
    pub fn found(&mut self, id: TransportId, addresses: Vec<String>, now: Timestamp) {
        if !self.peers.contains_key(&id) && self.peers.len() >= SIGHTINGS {
            self.forget_one();
        }
        let peer = self.peers.entry(id).or_default();
        peer.seen = true;
        peer.sighted.add(&addresses);
        peer.retry_at_once(now);
    }

    pub fn connected(&mut self, id: &TransportId) {
        let peer = self.peers.entry(id.clone()).or_default();
        peer.connected = true;
        peer.failures = 0;
        peer.unanswered = None;
    }

    pub fn disconnected(&mut self, id: &TransportId, jitter: u64, now: Timestamp) {
        if let Some(peer) = self.peers.get_mut(id) {
            let was = std::mem::replace(&mut peer.connected, false);
            peer.unanswered = if was { None } else { Some(now) };
            peer.due = now + if was { FIRST_PAUSE } else { pause(peer.failures.saturating_sub(1), jitter) };
        }
    }

    /// The network changed, or the machine woke up.
    pub fn restart(&mut self, now: Timestamp) {
        self.peers.values_mut().for_each(|peer| peer.retry_at_once(now));
    }

    /// There is reason to believe that this one can be reached now.
    pub fn retry(&mut self, id: &TransportId, now: Timestamp) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.retry_at_once(now);
        }
    }

    pub fn is_connected(&self, id: &TransportId) -> bool {
        self.peers.get(id).is_some_and(|peer| peer.connected)
    }

    /// Companions that were seen on the local network, connected or not.
    pub fn seen(&self) -> impl Iterator<Item = &TransportId> {
        self.peers.iter().filter(|(_, peer)| peer.seen).map(|(id, _)| id)
    }

    /// When a dial of this companion last came to nothing, if it has not answered since.
    pub fn unanswered(&self, id: &TransportId) -> Option<Timestamp> {
        self.peers.get(id)?.unanswered
    }

    pub fn connections(&self) -> impl Iterator<Item = &TransportId> {
        self.peers.iter().filter(|(_, peer)| peer.connected).map(|(id, _)| id)
    }

    /// The dials that are due. `jitter` is random.
    pub fn poll(&mut self, jitter: u64, now: Timestamp) -> Vec<Dial> {
        let mut dials = Vec::new();
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.is_due(now)) {
            peer.due = now + PATIENCE.max(pause(peer.failures, jitter));
            peer.failures = peer.failures.saturating_add(1);
            dials.push(Dial { peer: id.clone(), addresses: peer.addresses() });
        }
        dials
    }

    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.peers.values().filter(|peer| peer.wants_dial()).map(|peer| peer.due).min()
    }

    fn forget_one(&mut self) {
        let idle = self.peers.iter().find(|(_, peer)| !peer.wanted && !peer.connected);
        if let Some(id) = idle.map(|(id, _)| id.clone()) {
            self.peers.remove(&id);
        }
    }
}

impl Peer {
    fn wants_dial(&self) -> bool {
        self.wanted && !self.connected && !(self.named.is_empty() && self.sighted.is_empty())
    }

    fn addresses(&self) -> Vec<String> {
        let sighted = self.sighted.iter().filter(|address| !self.named.contains(*address));
        self.named.iter().chain(sighted).cloned().collect()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.wants_dial() && self.due <= now
    }

    fn retry_at_once(&mut self, now: Timestamp) {
        self.failures = 0;
        self.due = now;
    }
}

/// Doubles from `FIRST_PAUSE` to `LONGEST_PAUSE`, then up to a quarter more by chance, so that two
/// companions that lost each other do not keep dialling in step.
fn pause(failures: u32, jitter: u64) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let quarter = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX) / 4;
    pause + Duration::from_millis(jitter % quarter.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bob() -> TransportId {
        TransportId::new([2; 38]).unwrap()
    }

    fn wanting_bob() -> Connectivity {
        let mut connectivity = Connectivity::default();
        let addresses = BTreeSet::from(["/ip4/10.0.0.2/tcp/1".to_owned()]);
        connectivity.want(&BTreeMap::from([(bob(), addresses)]), Timestamp(0));
        connectivity
    }

    #[test]
    fn a_goal_is_dialled_at_once_and_then_ever_more_rarely() {
        let mut connectivity = wanting_bob();
        let mut now = Timestamp(0);
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert_eq!(connectivity.poll(0, now).len(), 1);
            connectivity.disconnected(&bob(), 0, now);
            let next = connectivity.poll_timeout().unwrap();
            pauses.push(next.since(now));
            now = next;
        }
        assert_eq!(pauses[0], FIRST_PAUSE);
        assert!(pauses.is_sorted());
        assert_eq!(pauses[11], LONGEST_PAUSE);
    }

    fn addresses(numbers: std::ops::Range<usize>) -> BTreeSet<String> {
        numbers.map(|number| format!("/ip4/10.0.0.2/tcp/{number}")).collect()
    }

    #[test]
    fn the_25th_address_is_dialled_at_once_and_what_is_named_no_more_is_not() {
        let mut connectivity = Connectivity::default();
        connectivity.want(&BTreeMap::from([(bob(), addresses(100..124))]), Timestamp(0));
        connectivity.poll(0, Timestamp(0));
        connectivity.disconnected(&bob(), 0, Timestamp(1));
        assert!(connectivity.poll(0, Timestamp(2)).is_empty());
        connectivity.want(&BTreeMap::from([(bob(), addresses(100..125))]), Timestamp(2));
        let dials = connectivity.poll(0, Timestamp(2));
        assert_eq!(dials[0].addresses, addresses(100..125).into_iter().collect::<Vec<_>>());
        // One that comes first in the alphabet, while others go.
        connectivity.want(&BTreeMap::from([(bob(), addresses(99..123))]), Timestamp(3));
        let dials = connectivity.poll(0, Timestamp(3));
        assert_eq!(dials[0].addresses, addresses(99..123).into_iter().collect::<Vec<_>>());
        connectivity.want(&BTreeMap::from([(bob(), addresses(99..110))]), Timestamp(4));
        assert!(connectivity.poll(0, Timestamp(4)).is_empty(), "that some are gone is no reason to dial");
    }

    #[test]
    fn sightings_drive_out_older_ones_and_nothing_that_a_goal_names() {
        let mut connectivity = wanting_bob();
        for number in 10..100 {
            let seen = format!("/ip4/10.0.0.2/tcp/{number}");
            connectivity.found(bob(), vec![seen.clone()], Timestamp(number));
            let dial = connectivity.poll(0, Timestamp(number)).remove(0);
            assert!(dial.addresses.contains(&seen), "{number}");
            assert!(dial.addresses.contains(&"/ip4/10.0.0.2/tcp/1".to_owned()), "{number}");
            assert!(dial.addresses.len() <= 1 + pairwave_wire::limits::ADDRESSES);
        }
    }

    #[test]
    fn a_dial_that_came_to_nothing_is_known_until_there_is_an_answer() {
        let mut connectivity = wanting_bob();
        assert_eq!(connectivity.unanswered(&bob()), None);
        connectivity.disconnected(&bob(), 0, Timestamp(7));
        assert_eq!(connectivity.unanswered(&bob()), Some(Timestamp(7)));
        connectivity.connected(&bob());
        assert_eq!(connectivity.unanswered(&bob()), None);
        connectivity.disconnected(&bob(), 0, Timestamp(9));
        assert_eq!(connectivity.unanswered(&bob()), None, "a connection that ended is no refusal");
    }

    #[test]
    fn a_changed_network_starts_over() {
        let mut connectivity = wanting_bob();
        connectivity.poll(0, Timestamp(0));
        connectivity.disconnected(&bob(), 0, Timestamp(1));
        assert!(connectivity.poll(0, Timestamp(2)).is_empty());
        connectivity.restart(Timestamp(3));
        assert_eq!(connectivity.poll(0, Timestamp(3)).len(), 1);
    }

    #[test]
    fn who_is_not_needed_is_not_dialled() {
        let mut connectivity = Connectivity::default();
        connectivity.found(bob(), vec!["/ip4/10.0.0.2/tcp/1".into()], Timestamp(0));
        assert!(connectivity.poll(0, Timestamp(9)).is_empty());
        assert_eq!(connectivity.seen().count(), 1);
    }

    #[test]
    fn sightings_are_bounded() {
        let mut connectivity = Connectivity::default();
        for number in 0..2 * SIGHTINGS {
            let id = TransportId::new(number.to_be_bytes()).unwrap();
            connectivity.found(id, vec!["/ip4/10.0.0.2/tcp/1".into()], Timestamp(0));
        }
        assert_eq!(connectivity.peers.len(), SIGHTINGS);
    }
}
