//! Clocks that people set, and machines that sleep: what was said is there, once, in one order, and
//! nothing waits for years.

use std::time::Duration;

use pairwave_core::command::Command;
use pairwave_core::id::RoomId;
use pairwave_core::seat::Standing;

use crate::checks::{have_the_same, transcript};
use crate::post;
use crate::scenes::{MINUTE, bring_in, found, invite, is_linked, join, one_truth, pair, say, settle};
use crate::world::{At, World, human};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE_MS: i64 = 60_000;
const YEAR_MS: i64 = 365 * 24 * 60 * MINUTE_MS;

/// The room has a relay.
fn at_a_relay(world: &mut World, room: RoomId) {
    let relay = Command::AddRelay { room, by: human(), relay: post::name(0) };
    world.ask(0, relay).expect("a relay");
    world.set_relays(1);
    world.run(MINUTE);
}

fn restart(world: &mut World, at: At) {
    world.crash(at);
    world.start(at);
}

#[test]
fn a_clock_that_is_set_loses_nothing_and_the_order_is_the_rooms() {
    for off in [MINUTE_MS, -MINUTE_MS, 10 * YEAR_MS, -10 * YEAR_MS] {
        for restarts in [false, true] {
            let (mut world, room) = pair(90);
            say(&mut world, room, 1, "before");
            world.set_clock(1, off);
            if restarts {
                restart(&mut world, 1);
            }
            let said = say(&mut world, room, 1, "in another year");
            let answered = world.run_until(MINUTE, |world| {
                world.node(0).room(&room).unwrap().contains(world.node(0).log(), &said).unwrap()
            });
            assert!(answered, "{off}");
            say(&mut world, room, 0, "what time is it?");
            settle(&mut world, room, &[0, 1]);
            let texts: Vec<String> = transcript(&world, room, 0).into_iter().map(|(_, text)| text).collect();
            assert_eq!(texts, ["before", "in another year", "what time is it?"], "{off}");
            world.run(MINUTE);
            assert!(is_linked(&world, room, 0, 1) && is_linked(&world, room, 1, 0), "{off}");
            one_truth(&world, room, &[0, 1]);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_and_forth_leaves_the_link_as_it_was() {
    let (mut world, room) = pair(91);
    world.set_clock(1, -YEAR_MS);
    world.run(MINUTE);
    assert!(is_linked(&world, room, 0, 1) && is_linked(&world, room, 1, 0));
    let frames = world.network.frames;
    world.set_clock(1, 0);
    world.run(MINUTE);
    assert!(world.network.frames - frames < 200, "nothing but heartbeats");
}

#[test]
fn a_companion_whose_clock_ran_ahead_before_it_was_started_writes_letters_all_the_same() {
    let mut world = World::new(92, &["alice", "bob"]);
    let room = found(&mut world, 0);
    at_a_relay(&mut world, room);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    world.set_clock(0, 3 * YEAR_MS);
    world.run(MINUTE);
    say(&mut world, room, 1, "seen in three years");
    world.run(MINUTE);
    world.crash(1);
    world.run(MINUTE);
    world.crash(0);
    world.set_clock(0, 0);
    world.start(0);
    say(&mut world, room, 0, "for bob, who is away");
    world.run(10 * MINUTE);
    world.crash(0);
    world.start(1);
    let there = |world: &World| transcript(world, room, 1).iter().any(|(_, text)| text == "for bob, who is away");
    assert!(world.run_until(10 * MINUTE, there), "no letter was written");
}

#[test]
fn a_newcomer_whose_clock_ran_ahead_knocks_by_letter_again_all_the_same() {
    let mut world = World::new(93, &["alice", "bob"]);
    let room = found(&mut world, 0);
    at_a_relay(&mut world, room);
    let (_, invite) = invite(&mut world, room, 0, 1);
    world.crash(0);
    world.set_clock(1, 3 * YEAR_MS);
    join(&mut world, 1, invite);
    world.run(MINUTE);
    world.crash(1);
    world.set_clock(1, 0);
    world.start(1);
    world.run(HOUR);
    world.crash(1);
    world.start(0);
    world.run(10 * MINUTE);
    world.crash(0);
    world.start(1);
    let joined = world.run_until(HOUR, |world| world.node(1).standing(&room) == Standing::Member);
    assert!(joined, "the letter of today was never left");
}

#[test]
fn a_machine_that_slept_for_hours_has_everything_soon_after() {
    for at in [0, 1] {
        let (mut world, room) = pair(94);
        let other = 1 - at;
        world.sleep(at);
        say(&mut world, room, other, "good night");
        world.run(Duration::from_secs(10));
        assert!(!is_linked(&world, room, other, at), "who sleeps is away");
        world.run(8 * HOUR);
        say(&mut world, room, other, "good morning");
        world.wake(at);
        let soon = world.run_until(Duration::from_secs(12), |world| have_the_same(world, room, &[0, 1]));
        assert!(soon, "{at} is still half asleep");
        say(&mut world, room, at, "slept well");
        settle(&mut world, room, &[0, 1]);
        one_truth(&world, room, &[0, 1]);
        assert_eq!(transcript(&world, room, other).len(), 3);
    }
}

#[test]
fn a_nap_is_not_noticed() {
    let (mut world, room) = pair(95);
    world.sleep(1);
    say(&mut world, room, 0, "are you there?");
    world.run(Duration::from_secs(3));
    world.wake(1);
    world.run(Duration::from_secs(2));
    assert!(is_linked(&world, room, 0, 1) && is_linked(&world, room, 1, 0));
    assert!(have_the_same(&world, room, &[0, 1]));
}
