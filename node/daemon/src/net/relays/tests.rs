use libp2p::core::{Endpoint, transport::PortUse};

use super::token::{FORGOTTEN, STRANGERS_CIRCUIT};
use super::*;

struct Bench {
    relays: Relays,
    peers: Vec<PeerId>,
    now: Instant,
    connections: usize,
}

impl Bench {
    fn new(relays: usize, token: Option<&str>) -> Self {
        let peers: Vec<PeerId> = (0..relays).map(|_| PeerId::random()).collect();
        let mut bench = Self { relays: Relays::default(), peers, now: Instant::now(), connections: 0 };
        let addresses =
            ["/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/1"].map(|text| text.parse().unwrap()).to_vec();
        let wish =
            |peer: &PeerId| RelayAddress { peer: *peer, addresses: addresses.clone(), token: token.map(str::to_owned) };
        bench.relays.wish(bench.peers.iter().map(wish).collect(), bench.now);
        bench
    }

    fn steps(&mut self) -> Vec<Step> {
        std::iter::from_fn(|| self.relays.poll(self.now)).collect()
    }

    fn dialled(&mut self) -> Vec<PeerId> {
        self.steps().into_iter().filter_map(|step| if let Step::Dial(wish) = step { wish.peer } else { None }).collect()
    }

    fn reserved(&mut self) -> Vec<PeerId> {
        let steps = self.steps();
        let asked =
            steps.into_iter().filter_map(|step| if let Step::Reserve(peer, _) = step { Some(peer) } else { None });
        asked.collect()
    }

    fn connect(&mut self, relay: usize, address: &str) -> ConnectionId {
        self.connections += 1;
        let id = ConnectionId::new_unchecked(self.connections);
        let address = address.parse().unwrap();
        let endpoint = ConnectedPoint::Dialer { address, role_override: Endpoint::Dialer, port_use: PortUse::New };
        self.relays.connected(&self.peers[relay].clone(), id, &endpoint, self.now);
        id
    }

    fn introduce(&mut self, relay: usize, connection: ConnectionId) {
        let introduced = Introduced {
            peer: self.peers[relay],
            connection,
            agent: String::new(),
            protocols: [HOP, protocol::MAILBOX].map(str::to_owned).into(),
            observed: Multiaddr::empty(),
        };
        self.relays.introduced(&introduced, self.now);
    }

    /// How long it is not dialled.
    fn pause_of(&self, relay: usize) -> Duration {
        self.relays.relays[&self.peers[relay]].dial_at - self.now
    }

    /// Connects and introduces it.
    fn up(&mut self, relay: usize) -> ConnectionId {
        let id = self.connect(relay, QUIC);
        self.introduce(relay, id);
        id
    }

    /// Shows the token on a first connection, and is welcome; gives the connection that follows.
    fn welcomed(&mut self, relay: usize) -> ConnectionId {
        let peer = self.peers[relay];
        self.dialled();
        let first = self.up(relay);
        assert_eq!(self.presented(), 1);
        self.relays.welcomed(&peer, self.now);
        self.dialled();
        self.relays.closed(first, self.now);
        self.up(relay)
    }

    /// How often the token is shown now.
    fn presented(&mut self) -> usize {
        self.steps().iter().filter(|step| matches!(step, Step::Present(..))).count()
    }

    /// Makes the reservation that was asked for.
    fn made(&mut self, peer: &PeerId) -> ListenerId {
        let listener = ListenerId::next();
        self.relays.asked(peer, Some(listener), self.now);
        self.relays.reserved(peer, None, self.now);
        listener
    }
}

const QUIC: &str = "/ip4/192.0.2.1/udp/1/quic-v1";
const TCP: &str = "/ip4/192.0.2.1/tcp/1";

#[test]
fn a_relay_is_dialled_at_once_and_then_ever_more_rarely() {
    let mut bench = Bench::new(2, None);
    bench.dialled();
    bench.connect(0, QUIC);
    let peer = bench.peers[1];
    let mut last = Duration::ZERO;
    for _ in 0..8 {
        bench.relays.unreachable(&peer, bench.now);
        let pause = bench.pause_of(1);
        assert!(pause >= last.min(LONGEST_PAUSE) && pause <= LONGEST_PAUSE * 5 / 4, "{pause:?}");
        last = pause;
        bench.now += pause;
        bench.relays.relays.get_mut(&bench.peers[0]).unwrap().connections[0].since = bench.now;
        assert_eq!(bench.dialled(), [peer]);
        assert!(bench.dialled().is_empty(), "one dial at a time");
    }
    bench.relays.unreachable(&peer, bench.now);
    bench.relays.restart(bench.now);
    assert_eq!(bench.dialled(), [peer], "the network has changed");
}

#[test]
fn where_no_relay_can_be_reached_all_are_tried_often_for_a_while() {
    let mut bench = Bench::new(1, None);
    let peer = bench.peers[0];
    let start = bench.now;
    let (mut often, mut last) = (0, Duration::ZERO);
    while bench.now < start + 2 * HOPEFUL {
        assert_eq!(bench.dialled(), [peer]);
        bench.relays.unreachable(&peer, bench.now);
        last = bench.pause_of(0);
        let is_often = bench.now < start + HOPEFUL;
        assert!(!is_often || last <= HOPEFUL_PAUSE * 5 / 4, "{last:?}");
        often += usize::from(is_often);
        bench.now += last;
    }
    assert!((90..150).contains(&often) && last >= LONGEST_PAUSE, "{often}, {last:?}");
    bench.dialled();
    bench.connect(0, QUIC);
    assert_eq!(bench.relays.cut_off_since, None);
}

#[test]
fn what_else_is_named_of_a_relay_does_not_wait_for_a_dial_that_hangs() {
    let mut bench = Bench::new(1, None);
    let peer = bench.peers[0];
    let named = |texts: &[&str]| {
        let addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
        vec![RelayAddress { peer, addresses, token: None }]
    };
    bench.dialled();
    bench.relays.wish(named(&[QUIC, TCP]), bench.now);
    assert!(bench.dialled().is_empty(), "that was known");
    bench.relays.wish(named(&[QUIC, TCP, "/ip4/192.0.2.1/tcp/443/ws"]), bench.now);
    let steps = bench.steps();
    assert!(matches!(&steps[..], [Step::Dial(wish)] if wish.addresses.len() == 3), "{steps:?}");
}

#[test]
fn a_reservation_waits_for_the_introduction_and_is_asked_for_once() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    let id = bench.connect(0, QUIC);
    assert!(bench.reserved().is_empty());
    bench.introduce(0, id);
    let peer = bench.peers[0];
    assert_eq!(bench.reserved(), [peer]);
    assert!(bench.reserved().is_empty());
    assert!(bench.relays.circuits().is_empty());
    bench.made(&peer);
    assert_eq!(bench.relays.circuits().len(), 2);
}

#[test]
fn whoever_does_not_say_who_it_is_is_left() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    let id = bench.connect(0, QUIC);
    bench.now += INTRODUCTION;
    assert!(matches!(bench.steps()[..], [Step::Close(closed)] if closed == id));
    assert!(bench.relays.due(bench.now).is_some(), "it is dialled again later");
}

#[test]
fn two_are_reserved_the_nearest_first_and_another_takes_over() {
    let mut bench = Bench::new(4, None);
    bench.dialled();
    let ids: Vec<ConnectionId> = (0..4).map(|relay| bench.up(relay)).collect();
    for (relay, millis) in [(0, 90), (1, 20), (2, 30), (3, 40)] {
        bench.relays.set_rtt(ids[relay], Duration::from_millis(millis));
    }
    let peers = bench.peers.clone();
    assert_eq!(bench.relays.near(), [peers[1], peers[2], peers[3], peers[0]]);
    let mut asked = Vec::new();
    while let Some(step) = bench.relays.poll(bench.now) {
        if let Step::Reserve(peer, _) = step {
            bench.made(&peer);
            asked.push(peer);
        }
    }
    assert_eq!(asked, peers[1..3]);
    bench.relays.closed(ids[1], bench.now);
    assert_eq!(bench.reserved()[0], peers[3]);
}

#[test]
fn the_first_to_answer_waits_for_those_that_may_be_nearer_but_not_for_long() {
    let mut bench = Bench::new(3, None);
    bench.dialled();
    let far = bench.up(0);
    bench.relays.set_rtt(far, Duration::from_millis(90));
    assert!(bench.reserved().is_empty(), "two have not told how far away they are");
    let (near, nearer) = (bench.up(1), bench.up(2));
    assert!(bench.reserved().is_empty());
    bench.relays.set_rtt(near, Duration::from_millis(20));
    bench.relays.set_rtt(nearer, Duration::from_millis(10));
    let peers = bench.peers.clone();
    let mut asked = Vec::new();
    while let Some(step) = bench.relays.poll(bench.now) {
        if let Step::Reserve(peer, _) = step {
            bench.made(&peer);
            asked.push(peer);
        }
    }
    assert_eq!(asked, [peers[2], peers[1]]);

    let mut bench = Bench::new(3, None);
    bench.dialled();
    bench.up(0);
    assert!(bench.reserved().is_empty());
    let due = bench.relays.due(bench.now).unwrap();
    assert_eq!(due, bench.now + WEIGHING);
    bench.now = due;
    assert_eq!(bench.reserved(), [bench.peers[0]], "the others do not answer");

    let mut bench = Bench::new(3, None);
    bench.dialled();
    let only = bench.up(0);
    bench.relays.set_rtt(only, Duration::from_millis(90));
    for dead in [1, 2] {
        bench.relays.unreachable(&bench.peers[dead].clone(), bench.now);
    }
    assert_eq!(bench.reserved(), [bench.peers[0]], "nobody else is to be waited for");
}

#[test]
fn a_refused_reservation_is_asked_for_elsewhere_and_later_again() {
    let mut bench = Bench::new(2, None);
    bench.dialled();
    bench.up(0);
    let peer = bench.peers[0];
    bench.reserved();
    let listener = ListenerId::next();
    bench.relays.asked(&peer, Some(listener), bench.now);
    assert!(bench.relays.lost(listener, Some("full".into()), bench.now));
    assert!(!bench.relays.lost(listener, None, bench.now));
    let why = |bench: &Bench| bench.relays.status().into_iter().filter_map(|relay| relay.why).collect::<Vec<_>>();
    assert!(why(&bench).contains(&"full".to_owned()));
    assert!(bench.reserved().is_empty());
    // Soon at first, for it may just have been started anew; ever more rarely if it goes on.
    for pause in [1, 2, 4, 8, 16, 32, 60, 60].map(Duration::from_secs) {
        bench.now += pause - Duration::from_millis(1);
        assert!(bench.reserved().is_empty());
        bench.now += Duration::from_millis(1);
        assert_eq!(bench.reserved(), [peer]);
        let listener = ListenerId::next();
        bench.relays.asked(&peer, Some(listener), bench.now);
        bench.relays.lost(listener, Some("full".into()), bench.now);
    }
}

#[test]
fn a_token_is_shown_first_and_the_connection_made_anew() {
    let mut bench = Bench::new(1, Some("prt-1"));
    let peer = bench.peers[0];
    bench.dialled();
    let first = bench.up(0);
    assert!(matches!(&bench.steps()[..], [Step::Present(_, token)] if token == "prt-1"));
    assert!(bench.relays.near().is_empty(), "it could be asked, but not for long");
    bench.relays.welcomed(&peer, bench.now);
    let steps = bench.steps();
    assert!(steps.iter().any(|step| matches!(step, Step::Close(id) if *id == first)), "{steps:?}");
    assert!(steps.iter().any(|step| matches!(step, Step::Dial(_))), "{steps:?}");
    bench.relays.closed(first, bench.now);
    bench.up(0);
    assert_eq!((bench.reserved(), bench.relays.near()), (vec![peer], vec![peer]));
    // A relay may forget us without our losing it.
    bench.made(&peer);
    bench.relays.reserved(&peer, Some(STRANGERS_CIRCUIT), bench.now);
    assert!(bench.steps().is_empty());
    bench.now += FORGOTTEN;
    bench.relays.reserved(&peer, Some(STRANGERS_CIRCUIT), bench.now);
    assert!(matches!(&bench.steps()[..], [Step::Present(..)]));
    bench.relays.not_welcomed(&peer, "no".into());
    assert_eq!(bench.relays.near(), [peer]);
}

#[test]
fn a_relay_that_was_lost_is_shown_the_token_again_and_each_loss_only_once() {
    let mut bench = Bench::new(1, Some("prt-1"));
    let peer = bench.peers[0];
    for _ in 0..5 {
        let second = bench.welcomed(0);
        assert_eq!(bench.presented(), 0, "the connection that was made anew is no loss");
        // Also where those that it knows get no more than strangers.
        bench.made(&peer);
        bench.relays.reserved(&peer, Some(STRANGERS_CIRCUIT), bench.now);
        bench.introduce(0, second);
        assert_eq!(bench.presented(), 0);
        bench.now += STEADY;
        bench.relays.closed(second, bench.now);
    }
}

#[test]
fn a_refused_token_is_told_whatever_else_happens_and_shown_again_after_a_loss() {
    let mut bench = Bench::new(1, Some("prt-wrong"));
    let peer = bench.peers[0];
    bench.dialled();
    let id = bench.up(0);
    assert_eq!(bench.presented(), 1);
    bench.relays.not_welcomed(&peer, "unknown".into());
    assert_eq!(bench.reserved(), [peer], "as a stranger");
    bench.made(&peer);
    let refused = |bench: &Bench| bench.relays.status()[0].token_refused.clone();
    assert_eq!(refused(&bench), Some("unknown".into()));
    bench.now += STEADY;
    bench.relays.closed(id, bench.now);
    assert_eq!(refused(&bench), None);
    bench.relays.not_welcomed(&peer, "the relay did not answer".into());
    bench.dialled();
    bench.up(0);
    assert_eq!(bench.presented(), 1, "an answer that comes too late is none");
}

#[test]
fn another_token_is_shown_at_once() {
    let mut bench = Bench::new(1, Some("prt-wrong"));
    let peer = bench.peers[0];
    bench.dialled();
    bench.up(0);
    bench.steps();
    bench.relays.not_welcomed(&peer, "unknown".into());
    let wish = RelayAddress { token: Some("prt-right".into()), ..bench.relays.relays[&peer].wish.clone() };
    bench.relays.wish(vec![wish.clone()], bench.now);
    assert!(bench.steps().iter().any(|step| matches!(step, Step::Present(_, token) if token == "prt-right")));
    bench.relays.wish(vec![wish], bench.now);
    assert_eq!(bench.presented(), 0);
}

#[test]
fn tcp_is_added_for_those_who_look_for_a_direct_way() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    bench.up(0);
    bench.steps();
    bench.relays.widen();
    let dials = bench.steps();
    assert!(matches!(&dials[..], [Step::Dial(wish)] if wish.addresses.len() == 1), "{dials:?}");
    bench.relays.unreachable(&bench.peers[0].clone(), bench.now);
    bench.now += LONGEST_PAUSE;
    assert!(bench.dialled().is_empty(), "it does not get through");
    bench.relays.widen();
    assert_eq!(bench.dialled().len(), 1);
    let tcp = bench.connect(0, TCP);
    bench.introduce(0, tcp);
    assert!(bench.dialled().is_empty());
    bench.relays.narrow();
    assert!(matches!(bench.steps()[..], [Step::Close(closed)] if closed == tcp), "QUIC is enough to wait with");
    bench.relays.closed(tcp, bench.now);
    bench.now += LONGEST_PAUSE;
    assert!(bench.dialled().is_empty());
    bench.relays.widen();
    assert_eq!(bench.dialled().len(), 1);
}

#[test]
fn websocket_alone_is_not_enough_for_a_direct_way() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    let id = bench.connect(0, "/ip4/192.0.2.1/tcp/443/ws");
    bench.introduce(0, id);
    assert_eq!(bench.dialled().len(), 1);
}

#[test]
fn what_is_no_longer_wished_for_is_left() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    let id = bench.up(0);
    let peer = bench.peers[0];
    bench.reserved();
    let listener = bench.made(&peer);
    bench.relays.wish(Vec::new(), bench.now);
    let steps = bench.steps();
    assert!(steps.iter().any(|step| matches!(step, Step::Close(closed) if *closed == id)));
    assert!(steps.iter().any(|step| matches!(step, Step::Release(released) if *released == listener)));
    assert!(bench.relays.circuits().is_empty() && bench.relays.due(bench.now).is_none());
}

#[test]
fn connections_go_with_the_address_that_they_may_leave_from() {
    let mut bench = Bench::new(2, None);
    bench.dialled();
    let near = bench.connect(0, "/ip4/127.0.0.1/tcp/1");
    let named = bench.connect(1, "/dns4/relay.example/tcp/1");
    assert_eq!(bench.relays.leaving_from("127.0.0.1".parse().unwrap()), {
        let mut both = vec![(bench.peers[0], near), (bench.peers[1], named)];
        both.sort();
        both.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    });
    assert_eq!(bench.relays.leaving_from("10.9.9.9".parse().unwrap()), [named]);
}

#[test]
fn a_relay_that_closes_tcp_beside_quic_is_not_dialled_over_tcp_again() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    bench.up(0);
    bench.relays.widen();
    assert_eq!(bench.dialled().len(), 1);
    let tcp = bench.connect(0, TCP);
    bench.relays.closed(tcp, bench.now);
    assert!(bench.dialled().is_empty(), "it would be closed at once again");
    bench.now += LONGEST_PAUSE;
    assert!(bench.dialled().is_empty());
    bench.relays.widen();
    assert_eq!(bench.dialled().len(), 1);
}

#[test]
fn quic_is_dialled_again_beside_tcp() {
    let mut bench = Bench::new(1, None);
    bench.dialled();
    let quic = bench.up(0);
    let tcp = bench.connect(0, TCP);
    bench.introduce(0, tcp);
    bench.relays.closed(quic, bench.now);
    assert!(bench.dialled().is_empty(), "not at once");
    bench.now += LONGEST_PAUSE;
    let dials = bench.steps();
    let is_quic = |wish: &Wish| wish.addresses.iter().all(address::is_quic);
    assert!(dials.iter().any(|step| matches!(step, Step::Dial(wish) if is_quic(wish))), "{dials:?}");
    bench.relays.unreachable(&bench.peers[0].clone(), bench.now);
    bench.now += LONGEST_PAUSE;
    assert!(bench.dialled().is_empty(), "it does not get through");
}

#[test]
fn a_spare_relay_that_closes_an_idle_connection_rests_until_it_is_needed() {
    let mut bench = Bench::new(3, None);
    bench.dialled();
    let ids: Vec<ConnectionId> = (0..3).map(|relay| bench.up(relay)).collect();
    bench.now += WEIGHING;
    let mut reserved = Vec::new();
    while let Some(step) = bench.relays.poll(bench.now) {
        if let Step::Reserve(peer, _) = step {
            bench.made(&peer);
            reserved.push(peer);
        }
    }
    let spare = bench.peers.iter().position(|peer| !reserved.contains(peer)).unwrap();
    let kept = bench.peers.iter().position(|peer| reserved.contains(peer)).unwrap();
    bench.now += STEADY;
    bench.relays.closed(ids[spare], bench.now);
    assert!(bench.dialled().is_empty());
    bench.relays.closed(ids[kept], bench.now);
    assert_eq!(bench.dialled().len(), 2);
}

#[test]
fn a_relay_that_does_not_say_that_it_is_there_is_made_anew_at_once() {
    let mut bench = Bench::new(1, None);
    let peer = bench.peers[0];
    bench.dialled();
    let id = bench.up(0);
    bench.reserved();
    bench.made(&peer);
    bench.now += STEADY;
    for _ in 0..2 {
        bench.relays.doubt(&peer, bench.now);
        bench.relays.doubt(&peer, bench.now);
        assert!(matches!(bench.steps()[..], [Step::Ask(asked)] if asked == peer), "it is asked once");
        assert_eq!(bench.relays.due(bench.now), Some(bench.now + DOUBT));
        bench.relays.answered(&peer);
        bench.now += DOUBT;
        assert!(bench.steps().is_empty());
    }
    bench.relays.doubt(&peer, bench.now);
    bench.steps();
    bench.now += DOUBT;
    let steps = bench.steps();
    assert!(matches!(&steps[..], [Step::Close(closed), Step::Dial(_)] if *closed == id), "{steps:?}");
    bench.relays.closed(id, bench.now);
    bench.relays.doubt(&peer, bench.now);
    assert!(bench.steps().is_empty(), "there is nothing to doubt");
}
