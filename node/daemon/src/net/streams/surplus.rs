//! Connections that nobody needs: after a move to a better one, or when both sides dialled.
//!
//! Only the side with the lower PeerId closes them, so both agree on what stays.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

use crate::net::paths::{Lane, Paths, Rank};

/// How long a connection without streams stays beside a better one.
const SPARE: Duration = Duration::from_secs(3);
/// How long a second circuit stays although it carries nothing: it may be looking for a direct way.
const SEARCH: Duration = Duration::from_secs(35);

/// Which connections carry nothing, and since when.
#[derive(Debug)]
pub struct Surplus {
    me: PeerId,
    idle: HashMap<ConnectionId, Instant>,
    due: Option<Instant>,
    is_stale: bool,
}

impl Surplus {
    pub fn new(me: PeerId) -> Self {
        Self { me, idle: HashMap::new(), due: None, is_stale: false }
    }

    /// Something about connections or streams has changed.
    pub fn touch(&mut self) {
        self.is_stale = true;
    }

    /// When to look again at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether to look now.
    pub fn is_due(&self, now: Instant) -> bool {
        self.is_stale || self.due.is_some_and(|due| due <= now)
    }

    /// Those to close now. `carrying` are the connections with streams.
    pub fn find(&mut self, paths: &Paths, carrying: &HashSet<ConnectionId>, now: Instant) -> Vec<ConnectionId> {
        self.is_stale = false;
        self.due = None;
        let mut seen = HashMap::new();
        let mut surplus = Vec::new();
        for (_, lanes) in paths.crowds().filter(|(peer, _)| self.me.to_bytes() < peer.to_bytes()) {
            let Some(kept) = kept(&lanes, carrying) else { continue };
            for lane in lanes.iter().filter(|lane| lane.id != kept.id && !carrying.contains(&lane.id)) {
                let since = self.idle.get(&lane.id).copied().unwrap_or(now);
                let ends = ends(lane, &kept, since);
                if ends <= now && is_alive(&kept, lane) {
                    surplus.push(lane.id);
                } else {
                    seen.insert(lane.id, since);
                    let look = ends.max(now + SPARE / 3);
                    self.due = Some(self.due.map_or(look, |due| due.min(look)));
                }
            }
        }
        self.idle = seen;
        surplus
    }
}

/// The best: of equals one with streams, and of those the newest.
fn kept(lanes: &[Lane], carrying: &HashSet<ConnectionId>) -> Option<Lane> {
    lanes.iter().max_by_key(|lane| (lane.rank, carrying.contains(&lane.id), lane.since)).copied()
}

/// Not the one that is about to be found dead.
fn is_alive(kept: &Lane, other: &Lane) -> bool {
    kept.silent_for < SPARE || kept.silent_for <= other.silent_for
}

fn ends(lane: &Lane, kept: &Lane, since: Instant) -> Instant {
    let is_searching = lane.rank == Rank::Relayed && kept.rank == Rank::Relayed;
    if is_searching { (lane.since + SEARCH).max(since + SPARE) } else { since + SPARE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{ConnectedPoint, Endpoint, transport::PortUse};

    struct Bench {
        paths: Paths,
        surplus: Surplus,
        bob: PeerId,
        now: Instant,
    }

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    impl Bench {
        /// Of two peers the lower one, unless `higher`.
        fn new(higher: bool) -> Self {
            let (one, other) = (PeerId::random(), PeerId::random());
            let is_lower = one.to_bytes() < other.to_bytes();
            let (me, bob) = if is_lower != higher { (one, other) } else { (other, one) };
            Self { paths: Paths::default(), surplus: Surplus::new(me), bob, now: Instant::now() }
        }

        fn add(&mut self, number: usize, text: &str) {
            let address = text.parse().unwrap();
            let endpoint = ConnectedPoint::Dialer { address, role_override: Endpoint::Dialer, port_use: PortUse::New };
            self.paths.add(self.bob, id(number), &endpoint);
            self.surplus.touch();
        }

        fn find(&mut self, carrying: &[usize]) -> Vec<ConnectionId> {
            let carrying = carrying.iter().map(|number| id(*number)).collect();
            self.surplus.find(&self.paths, &carrying, self.now)
        }
    }

    const QUIC: &str = "/ip4/127.0.0.1/udp/1/quic-v1";
    const TCP: &str = "/ip4/127.0.0.1/tcp/1";

    fn circuit() -> String {
        format!("{QUIC}/p2p/{}/p2p-circuit", PeerId::random())
    }

    #[test]
    fn a_circuit_goes_once_its_streams_have_moved() {
        let mut bench = Bench::new(false);
        bench.add(1, &circuit());
        bench.add(2, QUIC);
        assert!(bench.find(&[1]).is_empty());
        bench.now += SPARE;
        assert!(bench.find(&[1]).is_empty(), "it still carries a stream");
        assert!(bench.find(&[2]).is_empty(), "it has only just become idle");
        bench.now = bench.surplus.due().unwrap().max(bench.now + SPARE);
        assert_eq!(bench.find(&[2]), [id(1)]);
    }

    #[test]
    fn of_equals_the_one_with_streams_stays_and_the_lower_side_decides() {
        for higher in [false, true] {
            let mut bench = Bench::new(higher);
            bench.add(1, QUIC);
            bench.add(2, QUIC);
            bench.add(3, TCP);
            bench.find(&[1]);
            bench.now += SPARE;
            let mut found = bench.find(&[1]);
            found.sort();
            assert_eq!(found, if higher { vec![] } else { vec![id(2), id(3)] });
        }
    }

    #[test]
    fn a_second_circuit_has_time_to_find_a_direct_way() {
        let mut bench = Bench::new(false);
        bench.add(1, &circuit());
        bench.add(2, &circuit());
        bench.find(&[1]);
        bench.now += 2 * SPARE;
        assert!(bench.find(&[1]).is_empty());
        bench.now += SEARCH;
        assert_eq!(bench.find(&[1]), [id(2)]);
    }
}
