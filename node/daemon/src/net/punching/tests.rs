//! Whom we punch to, with what, and where that may lead.

use super::*;

fn parsed(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

#[test]
fn quic_has_a_head_start_where_it_may_do() {
    let (relay, bob, asked) = (PeerId::random(), PeerId::random(), ConnectionId::new_unchecked(1));
    let quic = format!("/ip4/203.0.113.8/udp/7/quic-v1/p2p/{bob}");
    let (near, tcp) = ("/ip4/192.168.1.9/udp/7/quic-v1", "/ip4/203.0.113.8/tcp/7");
    let dialled = |punching: &mut Punching, texts: &[&str]| {
        punching.asked.insert(asked);
        let addresses: Vec<Multiaddr> = texts.iter().map(|text| parsed(text)).collect();
        let dial = punching.handle_pending_outbound_connection(asked, Some(bob), &addresses, Endpoint::Dialer);
        (dial.is_ok(), punching.pending.drain(..).count(), punching.later.len())
    };
    let mut punching = Punching::new(PeerId::random());
    assert_eq!(dialled(&mut punching, &[&quic, tcp]), (false, 2, 0), "UDP does not get out");
    punching.observed(relay, ConnectionId::new_unchecked(2), parsed("/ip4/203.0.113.9/udp/7/quic-v1"));
    assert_eq!(dialled(&mut punching, &[near, tcp]), (false, 1, 0), "QUIC would lead into another network");
    assert_eq!(dialled(&mut punching, &[tcp]), (false, 1, 0));
    assert_eq!(dialled(&mut punching, &[&quic, tcp]), (false, 1, 1));
    let due = punching.due().unwrap();
    punching.tend(due - HEAD_START);
    assert_eq!(punching.pending.len(), 0);
    punching.tend(due);
    assert_eq!((punching.pending.len(), punching.due()), (1, None));
    punching.pending.clear();
    dialled(&mut punching, &[&quic, tcp]);
    punching.direct.insert(ConnectionId::new_unchecked(9), bob);
    punching.tend(punching.due().unwrap());
    assert_eq!(punching.pending.len(), 0, "there is a direct way");
}

#[test]
fn the_first_stand_in_that_connects_is_the_one_that_was_asked_for() {
    let (bob, id) = (PeerId::random(), ConnectionId::new_unchecked(1));
    let mut punching = Punching::new(PeerId::random());
    let asked = Asked { id, role: Endpoint::Dialer };
    for _ in 0..2 {
        let addresses = vec![parsed("/ip4/203.0.113.8/tcp/7")];
        punching.dial(StandIn { asked, peer: bob, addresses, role: Endpoint::Listener });
    }
    let ids: Vec<ConnectionId> = punching.stand_ins.keys().copied().collect();
    let as_it_is = |id| Asked { id, role: Endpoint::Listener };
    assert_eq!(punching.settle(ids[0], Endpoint::Listener), asked);
    assert_eq!(punching.settle(ids[1], Endpoint::Listener), as_it_is(ids[1]));
    let other = ConnectionId::new_unchecked(7);
    assert_eq!(punching.settle(other, Endpoint::Listener), as_it_is(other));
}

#[test]
fn two_circuits_that_cross_do_not_give_both_sides_the_same_part_over_tcp() {
    let (alice, bob) = (PeerId::random(), PeerId::random());
    let roles = |me: PeerId, peer: PeerId| {
        let mut punching = Punching::new(me);
        punching.observed(PeerId::random(), ConnectionId::new_unchecked(2), parsed("/ip4/203.0.113.9/udp/7/quic-v1"));
        for (number, role) in [Endpoint::Dialer, Endpoint::Listener].into_iter().enumerate() {
            let addresses = ["/ip4/203.0.113.8/udp/7/quic-v1", "/ip4/203.0.113.8/tcp/7"].map(parsed).to_vec();
            punching.dial_in_turn(Asked { id: ConnectionId::new_unchecked(10 + number), role }, peer, addresses);
        }
        punching.later.iter().map(|(_, stand_in)| stand_in.role).collect::<Vec<_>>()
    };
    let (hers, his) = (roles(alice, bob), roles(bob, alice));
    assert_eq!((hers[0], his[0]), (hers[1], his[1]), "whichever circuit comes first");
    assert_ne!(hers[0], his[0]);
}

#[test]
fn where_tcp_gets_in_is_guessed_beside_what_relays_see() {
    let relay = PeerId::random();
    let mut punching = Punching::new(PeerId::random());
    let own = [parsed("/ip4/192.168.1.2/tcp/5"), parsed("/ip6/2001:db8::2/tcp/6")];
    punching.set_own(own.into(), Vec::new());
    assert_eq!(punching.candidates_now().len(), 2);
    let (quic, tcp) = (parsed("/ip4/203.0.113.9/udp/7/quic-v1"), parsed("/ip4/203.0.113.9/tcp/8"));
    punching.observed(relay, ConnectionId::new_unchecked(1), quic.clone());
    assert!(punching.candidates_now().contains(&parsed("/ip4/203.0.113.9/tcp/5")));
    punching.observed(relay, ConnectionId::new_unchecked(2), tcp.clone());
    let candidates = punching.candidates_now();
    assert!([quic, tcp, parsed("/ip4/203.0.113.9/tcp/5")].iter().all(|address| candidates.contains(address)));
}

#[test]
fn what_was_seen_of_us_once_is_no_candidate_for_ever() {
    let (bob, relay) = (PeerId::random(), PeerId::random());
    let mut punching = Punching::new(PeerId::random());
    for port in 1..4 {
        punching.want(bob);
        punching.observed.clear();
        punching.observed(
            relay,
            ConnectionId::new_unchecked(port),
            parsed(&format!("/ip4/203.0.113.9/udp/{port}/quic-v1")),
        );
        punching.prepare(ConnectionId::new_unchecked(9), &bob, true);
        assert_eq!(punching.candidates.len(), 1);
    }
}

#[test]
fn only_who_is_wanted_is_told_where_we_are_and_dialled() {
    let (bob, mallory, relay) = (PeerId::random(), PeerId::random(), PeerId::random());
    let mut punching = Punching::new(PeerId::random());
    punching.observed(relay, ConnectionId::new_unchecked(1), parsed("/ip4/203.0.113.9/udp/7/quic-v1"));
    punching.want(bob);
    punching.prepare(ConnectionId::new_unchecked(2), &bob, true);
    assert_eq!((punching.candidates.len(), punching.runs.len()), (1, 1));
    punching.prepare(ConnectionId::new_unchecked(3), &mallory, true);
    assert_eq!((punching.candidates.len(), punching.runs.len()), (0, 1));
    (0..WANTED).for_each(|_| punching.want(PeerId::random()));
    assert!(!punching.wants(&bob) && punching.wanted.len() == WANTED);
}

#[test]
fn a_punch_leads_only_where_a_peer_may_be() {
    let (bob, connection) = (PeerId::random(), ConnectionId::new_unchecked(1));
    let mut punching = Punching::new(PeerId::random());
    let network = Interface { name: "eth0".into(), ip: "192.168.1.2".parse().unwrap(), prefix: 24 };
    punching.set_own(BTreeSet::new(), vec![network]);
    let mut dial = |texts: &[&str]| {
        punching.asked.insert(connection);
        let addresses: Vec<Multiaddr> = texts.iter().map(|text| parsed(text)).collect();
        let role = Endpoint::Listener;
        let dial = punching.handle_pending_outbound_connection(connection, Some(bob), &addresses, role);
        (dial.is_ok(), punching.pending.drain(..).count())
    };
    let good = ["/ip4/203.0.113.9/udp/7/quic-v1", "/ip4/192.168.1.9/tcp/7", "/ip6/2001:db8::1/tcp/7"];
    assert_eq!(dial(&good), (false, 2));
    for bad in [
        "/ip4/127.0.0.1/tcp/7",
        "/ip4/0.0.0.0/tcp/7",
        "/ip4/224.0.0.1/udp/7/quic-v1",
        "/ip4/169.254.169.254/tcp/80",
        "/ip4/192.168.2.9/tcp/7",
        "/ip6/fe80::1/tcp/7",
        "/ip6/::ffff:127.0.0.1/tcp/7",
        "/dns4/a.example/tcp/7",
        "/ip4/203.0.113.9/tcp/7/ws",
    ] {
        assert_eq!(dial(&[bad]), (false, 0), "{bad}");
        assert_eq!(dial(&[bad, good[0]]), (false, 1), "{bad}: the others are dialled");
    }
    assert_eq!(dial(&[good[0]; CANDIDATES + 1]), (false, 1));
}

#[test]
fn being_seen_again_is_no_news_until_we_move() {
    let relay = PeerId::random();
    let mut punching = Punching::new(PeerId::random());
    let observed = |punching: &mut Punching, text: &str| {
        let connection = ConnectionId::new_unchecked(1);
        punching.observed.clear();
        punching.observed(relay, connection, parsed(text))
    };
    let (quic, tcp) = ("/ip4/203.0.113.9/udp/7/quic-v1", "/ip4/203.0.113.9/tcp/7");
    assert!(observed(&mut punching, quic) && observed(&mut punching, tcp));
    assert!(!observed(&mut punching, quic) && !observed(&mut punching, "/ip4/203.0.113.9/tcp/8"));
    punching.moved();
    assert!(observed(&mut punching, quic));
    for port in 1..99 {
        observed(&mut punching, &format!("/ip4/203.0.113.8/udp/{port}/quic-v1"));
    }
    assert_eq!(punching.seen.len(), SEEN);
}
