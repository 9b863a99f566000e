//! Peers that we reach only through a relay, and when to look for a direct way again.
//!
//! One circuit is good for one search. Whoever dialled it dials a fresh one for the next, at rising
//! intervals, and soon after either side's addresses have changed. A circuit that is dialled in between,
//! because its relay ended the last one, begins no search.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::core::ConnectedPoint;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use crate::net::address;
use crate::net::paths::Rank;

/// How long the first search may take: one attempt. Relays may not have seen all of us before it.
const FIRST_SEARCH: Duration = Duration::from_secs(7);
/// How long any other may take. Whoever was dialled is not told of the end.
const SEARCH: Duration = Duration::from_secs(20);
/// Pauses after each search in turn, before what has to be prepared for the next; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// How long relays may take to see us anew, after a change or over TCP as well.
const SETTLING: Duration = Duration::from_secs(3);
/// How long it is remembered how far the searches for a peer had come.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// Most peers without circuits that are remembered.
const ABSENT: usize = 256;

/// What there is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A search begins soon: relays are to see us over TCP as well.
    Prepare,
    /// A fresh circuit for another search.
    Circuit(PeerId, Multiaddr),
    /// A search ended without a word from the other side.
    Fruitless(PeerId),
}

/// All searches.
#[derive(Debug, Default)]
pub struct Searches {
    peers: BTreeMap<PeerId, Search>,
}

#[derive(Debug)]
struct Search {
    /// The circuits to this peer; with its address, if we dialled it.
    circuits: BTreeMap<ConnectionId, Option<Multiaddr>>,
    /// Ends the one that runs.
    until: Option<Instant>,
    failures: usize,
    /// When the next one begins.
    next: Option<Instant>,
    /// It was told to prepare for that.
    prepared: bool,
    /// The other side did not want one so far.
    unwanted: bool,
    /// Where the other side said that it is, if it did.
    addresses: Option<BTreeSet<Multiaddr>>,
    /// When the last circuit ended.
    absent_since: Option<Instant>,
}

impl Searches {
    pub fn connected(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint, now: Instant) {
        if Rank::of(endpoint.get_remote_address()) != Rank::Relayed {
            self.peers.remove(&peer);
            return;
        }
        let address = endpoint.is_dialer().then(|| address::without_peer(endpoint.get_remote_address().clone()));
        let new = || Search {
            circuits: BTreeMap::new(),
            until: None,
            failures: 0,
            next: None,
            prepared: false,
            unwanted: false,
            addresses: None,
            absent_since: None,
        };
        let search = self.peers.entry(peer).or_insert_with(new);
        let begins = address.is_none() || !search.rests(now);
        search.circuits.insert(id, address);
        search.absent_since = None;
        if begins {
            search.until = Some(now + if search.failures == 0 { FIRST_SEARCH } else { SEARCH });
            search.next = None;
        }
    }

    /// A peer without circuits is not searched for. How far that had come is remembered, or each new
    /// circuit would begin at the beginning.
    pub fn closed(&mut self, id: ConnectionId, now: Instant) {
        for search in self.peers.values_mut() {
            if search.circuits.remove(&id).is_some() && search.circuits.is_empty() {
                search.until = None;
                search.absent_since = Some(now);
            }
        }
        let is_remembered = |since: Instant| now < since + REMEMBERED;
        self.peers.retain(|_, search| search.absent_since.is_none_or(is_remembered));
        let absent = self.peers.iter().filter_map(|(peer, search)| Some((search.absent_since?, *peer)));
        let absent: Vec<_> = absent.collect();
        if absent.len() > ABSENT
            && let Some((_, oldest)) = absent.into_iter().min()
        {
            self.peers.remove(&oldest);
        }
    }

    /// A search came to nothing. Returns how many have, or nothing if none was under way.
    pub fn failed(&mut self, peer: &PeerId, now: Instant) -> Option<usize> {
        let search = self.peers.get_mut(peer)?;
        search.until.take()?;
        let pause = PAUSES[search.failures.min(PAUSES.len() - 1)];
        search.failures += 1;
        search.next = Some(now + pause);
        search.prepared = false;
        Some(search.failures)
    }

    /// The other side tells nothing so far: it may want us as soon as we have proved who we are.
    pub fn unwanted(&mut self, peer: &PeerId, now: Instant) {
        match self.peers.get_mut(peer) {
            Some(search) if !search.unwanted && search.until.is_some() => {
                search.until = None;
                search.unwanted = true;
                search.next = Some(now + SETTLING);
            }
            _ => drop(self.failed(peer, now)),
        }
    }

    /// Our own addresses, or what relays see of them, have changed.
    pub fn restart(&mut self, now: Instant) {
        self.peers.values_mut().for_each(|search| search.start_over(now));
    }

    /// The other side may be at these addresses: if they are others than before, it has moved.
    pub fn may_be_at(&mut self, peer: &PeerId, addresses: &[Multiaddr], now: Instant) {
        let Some(search) = self.peers.get_mut(peer) else { return };
        let addresses = addresses.iter().cloned().collect();
        if search.addresses.as_ref().is_some_and(|known| *known != addresses) {
            search.start_over(now);
        }
        search.addresses = Some(addresses);
    }

    /// Peers that a circuit to is no search.
    pub fn resting(&self, now: Instant) -> BTreeSet<PeerId> {
        self.peers.iter().filter(|(_, search)| search.rests(now)).map(|(peer, _)| *peer).collect()
    }

    /// None is under way, and the next one takes a while to come.
    pub fn all_rest(&self, now: Instant) -> bool {
        let is_soon = |search: &Search| search.due().is_some_and(|due| due <= now + SETTLING);
        !self.peers.values().any(|search| search.until.is_some() || is_soon(search))
    }

    /// What to do now; ask until there is nothing.
    pub fn poll(&mut self, now: Instant) -> Option<Step> {
        let over = self.peers.iter().find(|(_, search)| search.until.is_some_and(|until| until <= now));
        if let Some((peer, _)) = over {
            return Some(Step::Fruitless(*peer));
        }
        let is_due = |search: &Search| search.next.is_some_and(|next| next <= now);
        let (peer, search) = self.peers.iter_mut().find(|(_, search)| is_due(search) && search.circuit().is_some())?;
        if search.failures > 0 && !search.prepared {
            search.prepared = true;
            search.next = Some(now + SETTLING);
            return Some(Step::Prepare);
        }
        (search.next, search.prepared) = (None, false);
        Some(Step::Circuit(*peer, search.circuit()?))
    }

    /// When to poll again at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.peers.values().filter_map(Search::due).min()
    }
}

impl Search {
    /// The last one failed, nobody has moved since, and it is not time for the next.
    fn rests(&self, now: Instant) -> bool {
        self.failures > 0 && self.next.is_some_and(|next| next > now)
    }

    fn start_over(&mut self, now: Instant) {
        self.failures = 0;
        // One that runs is not to be disturbed; the next follows soon if it fails.
        if self.until.is_none() {
            self.next = Some(now + SETTLING);
        }
    }

    fn circuit(&self) -> Option<Multiaddr> {
        self.circuits.values().flatten().next().cloned()
    }

    fn due(&self) -> Option<Instant> {
        let next = self.next.filter(|_| self.circuit().is_some());
        [self.until, next].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};

    fn dialled(text: &str) -> ConnectedPoint {
        let address = text.parse().unwrap();
        ConnectedPoint::Dialer { address, role_override: Endpoint::Dialer, port_use: PortUse::New }
    }

    fn circuit() -> String {
        format!("/ip4/203.0.113.7/tcp/1/p2p/{}/p2p-circuit", PeerId::random())
    }

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    #[test]
    fn a_search_is_repeated_ever_more_rarely_until_there_is_a_direct_way() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let mut searches = Searches::default();
        let mut now = Instant::now();
        for pause in PAUSES.iter().chain(&PAUSES[4..]) {
            searches.connected(bob, id(1), &dialled(&format!("{circuit}/p2p/{bob}")), now);
            assert_eq!(searches.poll(now), None);
            now += SEARCH;
            assert_eq!(searches.poll(now), Some(Step::Fruitless(bob)));
            searches.failed(&bob, now);
            assert_eq!(searches.failed(&bob, now), None, "it has ended already");
            assert_eq!(searches.due(), Some(now + *pause));
            now += *pause;
            assert_eq!(searches.poll(now), Some(Step::Prepare));
            assert_eq!((searches.poll(now), searches.due()), (None, Some(now + SETTLING)));
            now += SETTLING;
            assert_eq!(searches.poll(now), Some(Step::Circuit(bob, circuit.parse().unwrap())));
        }
        searches.connected(bob, id(2), &dialled("/ip4/203.0.113.9/udp/1/quic-v1"), now);
        assert_eq!((searches.due(), searches.poll(now + 2 * SEARCH)), (None, None));
    }

    #[test]
    fn a_change_of_address_starts_over_soon() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let mut searches = Searches::default();
        let now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.failed(&bob, now);
        searches.restart(now);
        assert_eq!(searches.due(), Some(now + SETTLING));
        searches.closed(id(1), now);
        assert_eq!(searches.due(), None);
    }

    #[test]
    fn a_search_that_runs_is_not_begun_anew() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let mut searches = Searches::default();
        let now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.restart(now);
        assert_eq!(searches.due(), Some(now + FIRST_SEARCH));
    }

    #[test]
    fn how_far_a_search_had_come_outlives_its_circuit_for_a_while() {
        let (bob, carol, circuit) = (PeerId::random(), PeerId::random(), circuit());
        let mut searches = Searches::default();
        let mut now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.failed(&bob, now);
        searches.closed(id(1), now);
        searches.connected(bob, id(2), &dialled(&circuit), now);
        assert_eq!(searches.due(), Some(now + SEARCH));
        searches.closed(id(2), now);
        now += REMEMBERED;
        searches.connected(carol, id(3), &dialled(&circuit), now);
        searches.closed(id(3), now);
        assert!(!searches.peers.contains_key(&bob));
        for number in 4..3 * ABSENT {
            searches.connected(PeerId::random(), id(number), &dialled(&circuit), now);
            searches.closed(id(number), now);
        }
        assert_eq!(searches.peers.len(), ABSENT);
    }

    #[test]
    fn a_circuit_in_place_of_one_that_ended_is_no_search() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let mut searches = Searches::default();
        let now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        assert!(searches.resting(now).is_empty());
        searches.failed(&bob, now);
        assert_eq!(searches.poll(now), Some(Step::Prepare));
        assert_eq!(searches.resting(now), BTreeSet::from([bob]));
        searches.closed(id(1), now);
        searches.connected(bob, id(2), &dialled(&circuit), now);
        assert_eq!((searches.due(), searches.peers[&bob].until), (Some(now + SETTLING), None));
        let then = now + SETTLING;
        assert!(searches.resting(then).is_empty());
        assert_eq!(searches.poll(then), Some(Step::Circuit(bob, circuit.parse().unwrap())));
        searches.connected(bob, id(3), &dialled(&circuit), then);
        assert_eq!(searches.due(), Some(then + SEARCH));
    }

    #[test]
    fn whoever_moved_is_looked_for_anew() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let [here, there]: [Multiaddr; 2] =
            ["/ip4/203.0.113.8/tcp/1", "/ip4/203.0.113.9/tcp/1"].map(|at| at.parse().unwrap());
        let mut searches = Searches::default();
        let now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        for _ in 0..2 {
            searches.failed(&bob, now);
            searches.connected(bob, id(1), &dialled(&circuit), now);
        }
        searches.failed(&bob, now);
        searches.may_be_at(&bob, &[here.clone(), there.clone()], now);
        searches.may_be_at(&bob, &[there.clone(), here], now);
        assert_eq!(searches.due(), Some(now + PAUSES[1]), "that is where it was");
        assert_eq!(searches.resting(now), BTreeSet::from([bob]));
        searches.may_be_at(&bob, &[there], now);
        assert_eq!((searches.due(), searches.resting(now)), (Some(now + SETTLING), BTreeSet::new()));
        searches.connected(bob, id(2), &dialled(&circuit), now);
        assert_eq!(searches.due(), Some(now + FIRST_SEARCH));
    }

    #[test]
    fn all_rest_when_none_is_under_way_or_about_to_be() {
        let (bob, carol, circuit) = (PeerId::random(), PeerId::random(), circuit());
        let mut searches = Searches::default();
        let now = Instant::now();
        assert!(searches.all_rest(now));
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.failed(&bob, now);
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.failed(&bob, now);
        assert!(searches.all_rest(now) && !searches.all_rest(now + PAUSES[1]));
        searches.connected(carol, id(2), &dialled(&circuit), now);
        assert!(!searches.all_rest(now));
    }

    #[test]
    fn whoever_was_dialled_waits_for_the_other_side() {
        let bob = PeerId::random();
        let mut searches = Searches::default();
        let now = Instant::now();
        let endpoint = ConnectedPoint::Listener {
            local_addr: circuit().parse().unwrap(),
            send_back_addr: format!("/p2p/{bob}").parse().unwrap(),
        };
        searches.connected(bob, id(1), &endpoint, now);
        searches.failed(&bob, now);
        assert_eq!((searches.due(), searches.poll(now + 9 * SEARCH)), (None, None));
    }

    #[test]
    fn whoever_does_not_know_us_so_far_is_asked_once_more_as_if_nothing_had_been() {
        let (bob, circuit) = (PeerId::random(), circuit());
        let mut searches = Searches::default();
        let now = Instant::now();
        searches.connected(bob, id(1), &dialled(&circuit), now);
        searches.unwanted(&bob, now);
        assert_eq!(searches.due(), Some(now + SETTLING));
        searches.connected(bob, id(1), &dialled(&circuit), now);
        assert_eq!(searches.due(), Some(now + FIRST_SEARCH));
        searches.unwanted(&bob, now);
        assert_eq!(searches.peers[&bob].failures, 1);
    }
}
