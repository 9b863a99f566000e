//! Connecting to others directly: a bounded number of attempts at a time, QUIC before TCP.
//!
//! An attempt dials all QUIC addresses at once, and a moment later the TCP ones unless a connection has
//! come up: a worse way often wins such a race against a better one. Where more addresses become known
//! while an attempt runs, they join it: otherwise the one way that works would wait for those that hang.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};

use crate::net::address;

/// Most attempts at a time.
const ATTEMPTS: usize = 16;
/// Most attempts at a time to one peer: the second has newer addresses than one that hangs.
const PER_PEER: usize = 2;
/// Most attempts that wait for their turn.
const WAITING: usize = 64;

/// Whom to dial and where.
#[derive(Debug)]
pub struct Wish {
    pub peer: Option<PeerId>,
    pub addresses: Vec<Multiaddr>,
}

/// What there is to do next.
#[derive(Debug)]
pub enum Step {
    Dial(DialOpts),
    /// This attempt ended without a connection.
    Failed(Option<PeerId>),
}

/// All attempts.
#[derive(Debug, Default)]
pub struct Dials {
    waiting: VecDeque<Wish>,
    running: Vec<Attempt>,
    steps: VecDeque<Step>,
}

#[derive(Debug)]
struct Attempt {
    peer: Option<PeerId>,
    /// All that it was made for.
    addresses: BTreeSet<Multiaddr>,
    dials: HashSet<ConnectionId>,
    /// Worse addresses, and when their turn comes.
    later: VecDeque<(Instant, Vec<Multiaddr>)>,
    connected: bool,
}

impl Dials {
    /// Takes a wish. A newer one for a peer replaces one that still waits.
    pub fn wish(&mut self, wish: Wish) {
        if wish.peer.is_some() {
            self.waiting.retain(|other| other.peer != wish.peer);
        }
        if wish.addresses.is_empty() || self.waiting.len() >= WAITING {
            self.steps.push_back(Step::Failed(wish.peer));
        } else {
            self.waiting.push_back(wish);
        }
    }

    /// A dial succeeded: nothing more of its attempt is begun.
    pub fn succeeded(&mut self, id: ConnectionId) {
        self.ended(id, true);
    }

    /// A dial failed.
    pub fn failed(&mut self, id: ConnectionId) {
        self.ended(id, false);
    }

    /// What to do now; ask until there is nothing. `delay` is how long a worse way waits.
    pub fn poll(&mut self, now: Instant, delay: Duration) -> Option<Step> {
        while self.steps.is_empty()
            && (self.join_one(now, delay) || self.begin_one(now, delay) || self.continue_one(now))
        {}
        self.steps.pop_front()
    }

    /// When to poll again at the latest.
    pub fn due(&self) -> Option<Instant> {
        self.running.iter().filter_map(|attempt| Some(attempt.later.front()?.0)).min()
    }

    /// Whether a connection to this peer may still come up.
    pub fn is_trying(&self, peer: &PeerId) -> bool {
        let wanted = Some(*peer);
        self.running.iter().any(|attempt| attempt.peer == wanted) || self.waiting.iter().any(|wish| wish.peer == wanted)
    }

    /// A wish that knows more than an attempt that runs.
    fn join_one(&mut self, now: Instant, delay: Duration) -> bool {
        let known = |attempt: &Attempt| self.waiting.iter().position(|wish| attempt.is_known_to(wish));
        let pair = self.running.iter().enumerate().find_map(|(at, attempt)| Some((at, known(attempt)?)));
        let Some((at, wish)) = pair else { return false };
        let Some(wish) = self.waiting.remove(wish) else { return false };
        self.running[at].join(wish.addresses, now, delay);
        true
    }

    fn begin_one(&mut self, now: Instant, delay: Duration) -> bool {
        if self.running.len() >= ATTEMPTS {
            return false;
        }
        let Some(next) = self.waiting.iter().position(|wish| self.may_begin(wish)) else { return false };
        let Some(wish) = self.waiting.remove(next) else { return false };
        let mut attempt = Attempt {
            peer: wish.peer,
            addresses: wish.addresses.iter().cloned().collect(),
            dials: HashSet::new(),
            later: stages(wish.addresses, now, delay),
            connected: false,
        };
        if let Some((_, first)) = attempt.later.pop_front() {
            self.steps.extend(attempt.dial(first));
        }
        self.running.push(attempt);
        true
    }

    fn may_begin(&self, wish: &Wish) -> bool {
        wish.peer.is_none() || self.running.iter().filter(|attempt| attempt.peer == wish.peer).count() < PER_PEER
    }

    fn continue_one(&mut self, now: Instant) -> bool {
        let is_due = |attempt: &&mut Attempt| attempt.later.front().is_some_and(|(at, _)| *at <= now);
        let Some(attempt) = self.running.iter_mut().find(is_due) else { return false };
        let Some((_, addresses)) = attempt.later.pop_front() else { return false };
        self.steps.extend(attempt.dial(addresses));
        true
    }

    fn ended(&mut self, id: ConnectionId, connected: bool) {
        let Some(at) = self.running.iter().position(|attempt| attempt.dials.contains(&id)) else { return };
        let attempt = &mut self.running[at];
        attempt.dials.remove(&id);
        attempt.connected |= connected;
        if attempt.connected {
            attempt.later.clear();
        }
        if !attempt.dials.is_empty() {
            return;
        }
        if let Some((_, addresses)) = attempt.later.pop_front() {
            self.steps.extend(attempt.dial(addresses));
            return;
        }
        let attempt = self.running.swap_remove(at);
        if !attempt.connected {
            self.steps.push_back(Step::Failed(attempt.peer));
        }
    }
}

impl Attempt {
    /// The wish is for all that this is made for, and for more.
    fn is_known_to(&self, wish: &Wish) -> bool {
        let has_all = || self.addresses.iter().all(|address| wish.addresses.contains(address));
        let has_more = || wish.addresses.iter().any(|address| !self.addresses.contains(address));
        self.peer.is_some() && self.peer == wish.peer && !self.connected && has_more() && has_all()
    }

    /// What is new is dialled beside the rest, in the same order.
    fn join(&mut self, addresses: Vec<Multiaddr>, now: Instant, delay: Duration) {
        let new: Vec<_> = addresses.into_iter().filter(|address| !self.addresses.contains(address)).collect();
        self.addresses.extend(new.iter().cloned());
        self.later.extend(stages(new, now, delay));
        self.later.make_contiguous().sort_by_key(|(at, _)| *at);
    }

    /// The condition is always: a dying connection must not keep us from making a new one, and
    /// whoever wishes for a dial has looked whether there is one that lives.
    fn dial(&mut self, addresses: Vec<Multiaddr>) -> Vec<Step> {
        let unique: BTreeSet<Multiaddr> = addresses.into_iter().collect();
        let dials: Vec<DialOpts> = match self.peer {
            Some(peer) => {
                let addresses = unique.into_iter().collect();
                vec![DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses).build()]
            }
            None => unique.into_iter().map(DialOpts::from).collect(),
        };
        self.dials.extend(dials.iter().map(DialOpts::connection_id));
        dials.into_iter().map(Step::Dial).collect()
    }
}

/// The addresses in the order in which they are dialled.
fn stages(addresses: Vec<Multiaddr>, now: Instant, delay: Duration) -> VecDeque<(Instant, Vec<Multiaddr>)> {
    let (quic, tcp): (Vec<_>, Vec<_>) = addresses.into_iter().partition(address::is_quic);
    let stages = [(now, quic), (now + delay, tcp)];
    stages.into_iter().filter(|(_, addresses)| !addresses.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(300);
    const QUIC: &str = "/ip4/10.0.0.2/udp/1/quic-v1";
    const TCP: &str = "/ip4/10.0.0.2/tcp/1";

    struct Bench {
        dials: Dials,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { dials: Dials::default(), now: Instant::now() }
        }

        fn wish(&mut self, peer: Option<PeerId>, addresses: &[&str]) {
            let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            self.dials.wish(Wish { peer, addresses });
        }

        fn dialled(&mut self) -> ConnectionId {
            match self.dials.poll(self.now, DELAY) {
                Some(Step::Dial(dial)) => dial.connection_id(),
                other => panic!("{other:?}"),
            }
        }

        fn failed(&mut self) -> Option<PeerId> {
            match self.dials.poll(self.now, DELAY) {
                Some(Step::Failed(peer)) => peer,
                other => panic!("{other:?}"),
            }
        }

        fn nothing(&mut self) {
            let step = self.dials.poll(self.now, DELAY);
            assert!(step.is_none(), "{step:?}");
        }
    }

    #[test]
    fn tcp_waits_for_its_turn() {
        let mut bench = Bench::new();
        bench.wish(Some(PeerId::random()), &[TCP, QUIC]);
        bench.dialled();
        bench.nothing();
        bench.now += DELAY;
        assert_eq!(bench.dials.due(), Some(bench.now));
        bench.dialled();
        bench.nothing();
    }

    #[test]
    fn tcp_comes_at_once_when_quic_fails_and_not_at_all_when_it_works() {
        let bob = PeerId::random();
        let mut bench = Bench::new();
        bench.wish(Some(bob), &[TCP, QUIC]);
        let quic = bench.dialled();
        bench.dials.failed(quic);
        let tcp = bench.dialled();
        bench.dials.failed(tcp);
        assert_eq!(bench.failed(), Some(bob));

        bench.wish(Some(bob), &[TCP, QUIC]);
        let quic = bench.dialled();
        bench.dials.succeeded(quic);
        bench.now += DELAY;
        bench.nothing();
        assert!(!bench.dials.is_trying(&bob));
    }

    #[test]
    fn an_attempt_with_a_connection_has_not_failed() {
        let mut bench = Bench::new();
        bench.wish(Some(PeerId::random()), &[TCP, QUIC]);
        let quic = bench.dialled();
        bench.now += DELAY;
        let tcp = bench.dialled();
        bench.dials.succeeded(tcp);
        bench.dials.failed(quic);
        bench.nothing();
    }

    #[test]
    fn what_becomes_known_later_does_not_wait_for_what_hangs() {
        let bob = Some(PeerId::random());
        let mut bench = Bench::new();
        bench.wish(bob, &[TCP]);
        let hanging = bench.dialled();
        bench.wish(bob, &[QUIC, TCP]);
        let quic = bench.dialled();
        bench.wish(bob, &[QUIC, TCP, "/ip4/10.0.0.2/tcp/443/ws"]);
        bench.nothing();
        bench.now += DELAY;
        let websocket = bench.dialled();
        bench.nothing();
        assert_eq!(bench.dials.running.len(), 1);
        bench.dials.failed(quic);
        bench.dials.failed(hanging);
        bench.nothing();
        bench.dials.failed(websocket);
        assert_eq!(bench.failed(), bob);
        bench.nothing();
    }

    #[test]
    fn a_stranger_is_dialled_at_each_address() {
        let mut bench = Bench::new();
        bench.wish(None, &["/ip4/10.0.0.2/tcp/1", "/ip4/10.0.0.3/tcp/1"]);
        let (one, other) = (bench.dialled(), bench.dialled());
        bench.dials.failed(one);
        bench.nothing();
        bench.dials.failed(other);
        assert_eq!(bench.failed(), None);
    }

    #[test]
    fn attempts_are_bounded_in_all_and_per_peer() {
        let bob = PeerId::random();
        let mut bench = Bench::new();
        for _ in 0..PER_PEER {
            bench.wish(Some(bob), &[QUIC]);
            bench.dialled();
        }
        bench.wish(Some(bob), &[QUIC]);
        bench.wish(Some(bob), &[TCP]);
        bench.nothing();
        assert_eq!(bench.dials.waiting.len(), 1, "the newer wish replaces the older");
        for _ in PER_PEER..ATTEMPTS {
            bench.wish(Some(PeerId::random()), &[QUIC]);
            bench.dialled();
        }
        bench.wish(Some(PeerId::random()), &[QUIC]);
        bench.nothing();
    }

    #[test]
    fn too_many_wishes_fail_instead_of_piling_up() {
        let mut bench = Bench::new();
        for _ in 0..ATTEMPTS {
            bench.wish(Some(PeerId::random()), &[QUIC]);
            bench.dialled();
        }
        for _ in 0..WAITING {
            bench.wish(Some(PeerId::random()), &[QUIC]);
        }
        let last = Some(PeerId::random());
        bench.wish(last, &[QUIC]);
        assert_eq!(bench.failed(), last);
        bench.wish(last, &[]);
        assert_eq!(bench.failed(), last);
    }
}
