//! Two who change their addresses at once, where nobody sees anybody on the local network: they hear
//! of each other through a third, or through a relay's lookup.

use std::time::Duration;

use pairwave_core::command::Command;
use pairwave_core::id::RoomId;

use crate::post;
use crate::scenes::{MINUTE, bring_in, found, is_linked, settle};
use crate::world::{At, World, human};

const ALICE: At = 0;
const BOB: At = 1;
const CAROL: At = 2;

/// A room without mDNS, in which all know each other.
fn room(seed: u64, names: &[&'static str]) -> (World, RoomId) {
    let mut world = World::new(seed, names);
    world.network.without_mdns = true;
    // What was announced at the start is gone.
    (0..names.len()).for_each(|at| world.crash(at));
    (0..names.len()).for_each(|at| world.start(at));
    let room = found(&mut world, ALICE);
    let all: Vec<At> = (0..names.len()).collect();
    for guest in 1..names.len() {
        bring_in(&mut world, room, ALICE, guest);
    }
    settle(&mut world, room, &all);
    for (at, to) in all.iter().flat_map(|at| (0..*at).map(move |to| (*at, to))) {
        assert!(world.run_until(MINUTE, |world| is_linked(world, room, at, to)), "{at} and {to}");
    }
    (world, room)
}

fn meet_again(world: &mut World, room: RoomId) {
    assert!(!is_linked(world, room, ALICE, BOB));
    let both = |world: &World| is_linked(world, room, ALICE, BOB) && is_linked(world, room, BOB, ALICE);
    assert!(world.run_until(2 * MINUTE, both));
}

#[test]
fn who_moved_at_once_meet_again_through_a_third() {
    for seed in 0..20 {
        let (mut world, room) = room(seed, &["alice", "bob", "carol"]);
        for _ in 0..3 {
            world.move_away(&[ALICE, BOB]);
            world.run(Duration::from_millis(10));
            meet_again(&mut world, room);
        }
        assert!(world.run_until(MINUTE, |world| is_linked(world, room, CAROL, BOB)));
    }
}

#[test]
fn who_moved_at_once_meet_again_through_a_lookup_alone() {
    for seed in 0..20 {
        let (mut world, room) = room(seed, &["alice", "bob"]);
        let command = Command::AddRelay { room, by: human(), relay: post::name(0) };
        world.ask(ALICE, command).expect("a relay");
        world.set_relays(1);
        world.run(MINUTE);
        for _ in 0..3 {
            world.move_away(&[ALICE, BOB]);
            world.run(Duration::from_millis(10));
            meet_again(&mut world, room);
        }
    }
}
