//! Links of which the two sides do not think the same. The heartbeat ends them, nothing is lost, and
//! nothing comes twice.

use std::time::Duration;

use pairwave_core::id::RoomId;

use crate::checks::{have_the_same, transcript};
use crate::scenes::{MINUTE, bring_in, found, is_linked, one_truth, pair, say, settle};
use crate::world::{At, World};

/// A link of which nothing is heard is over after this. What was heard last may be a moment old.
const SILENCE: Duration = Duration::from_secs(6);
/// And soon after that there is a new one.
const BACK: Duration = Duration::from_secs(12);

/// Everybody has what was said, once, and makes the same of it.
fn all_is_well(world: &mut World, room: RoomId, among: &[At], said: &[&str]) {
    assert!(world.run_until(BACK, |world| have_the_same(world, room, among)), "it did not arrive");
    for at in among {
        for text in said {
            let times = transcript(world, room, *at).iter().filter(|(_, other)| other == text).count();
            assert_eq!(times, 1, "{text} at {at}");
        }
    }
    one_truth(world, room, among);
}

#[test]
fn bytes_that_go_one_way_only_end_the_link_in_six_seconds() {
    for (from, to) in [(0, 1), (1, 0)] {
        let (mut world, room) = pair(80);
        world.mute(from, to);
        say(&mut world, room, from, "does not get there");
        say(&mut world, room, to, "gets there");
        world.run(Duration::from_secs(1));
        let heard = |world: &World, text| transcript(world, room, from).iter().any(|(_, said)| said == text);
        assert!(heard(&world, "gets there"), "the other way is open");
        world.run(SILENCE);
        assert!(!is_linked(&world, room, to, from), "who hears nothing hangs up");
        assert!(!is_linked(&world, room, from, to), "and is heard doing so");
        world.run(5 * MINUTE);
        world.unmute();
        let linked = world.run_until(MINUTE, |world| is_linked(world, room, 0, 1) && is_linked(world, room, 1, 0));
        assert!(linked);
        all_is_well(&mut world, room, &[0, 1], &["does not get there", "gets there"]);
    }
}

#[test]
fn a_short_silence_one_way_loses_and_doubles_nothing() {
    for (from, to) in [(0, 1), (1, 0)] {
        let (mut world, room) = pair(81);
        world.mute(from, to);
        say(&mut world, room, from, "late");
        world.run(Duration::from_secs(3));
        world.unmute();
        say(&mut world, room, from, "later");
        world.run(Duration::from_secs(1));
        assert!(is_linked(&world, room, 0, 1) && is_linked(&world, room, 1, 0), "three seconds are no reason");
        all_is_well(&mut world, room, &[0, 1], &["late", "later"]);
    }
}

#[test]
fn a_link_that_only_one_side_believes_in_is_over_in_six_seconds_and_made_anew() {
    for (gone, at) in [(0, 1), (1, 0)] {
        let (mut world, room) = pair(82);
        world.forget_connection(gone, at);
        world.run(Duration::from_millis(100));
        say(&mut world, room, at, "into nothing");
        say(&mut world, room, gone, "where are you?");
        all_is_well(&mut world, room, &[0, 1], &["into nothing", "where are you?"]);
        world.run(BACK);
        assert!(is_linked(&world, room, 0, 1) && is_linked(&world, room, 1, 0));
    }
}

#[test]
fn who_lost_its_power_and_came_back_is_linked_again_though_nobody_was_told() {
    for at in [0, 1] {
        let (mut world, room) = pair(83);
        world.vanish(at);
        say(&mut world, room, 1 - at, "to one who is gone");
        world.start(at);
        say(&mut world, room, at, "I am back");
        all_is_well(&mut world, room, &[0, 1], &["to one who is gone", "I am back"]);
    }
}

#[test]
fn who_is_gone_untold_is_away_after_six_seconds() {
    let (mut world, room) = pair(84);
    world.vanish(1);
    world.run(Duration::from_secs(3));
    assert!(is_linked(&world, room, 0, 1), "too soon to say");
    world.run(SILENCE - Duration::from_secs(3));
    assert!(!is_linked(&world, room, 0, 1));
}

#[test]
fn a_third_carries_between_two_whose_bytes_go_one_way_for_good() {
    let mut world = World::new(85, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 2);
    settle(&mut world, room, &[0, 1, 2]);
    world.mute(0, 1);
    world.run(Duration::from_secs(8));
    say(&mut world, room, 0, "past carol");
    say(&mut world, room, 1, "and back");
    all_is_well(&mut world, room, &[0, 1, 2], &["past carol", "and back"]);
}
