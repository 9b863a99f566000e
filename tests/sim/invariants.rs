//! The invariants of the core, each a test of its name. `one_door` stands beside the door.

use std::collections::BTreeSet;
use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::effect::Slot;
use pairwave_core::mark::Mark;
use pairwave_core::members::Void;
use pairwave_core::talk::{Kind, Message};

use crate::arrival::{events, in_any_order};
use crate::chaos::{NAMES, evening};
use crate::checks::{mark_of, transcript};
use crate::scenes::{MINUTE, bring_in, fork, found, one_truth, remove, say, settle};
use crate::world::{World, human};

#[test]
fn the_log_is_the_truth() {
    let (mut world, room) = evening(100, 40);
    for (at, name) in NAMES.iter().enumerate() {
        if !world.is_up(at) || world.node(at).room(&room).is_none() {
            continue;
        }
        world.run(MINUTE);
        let state = world.node(at).room(&room).unwrap().state().to_bytes();
        world.network.groups.insert(at, 99);
        world.crash(at);
        world.start(at);
        let with_checkpoint = world.node(at).room(&room).unwrap().state().to_bytes();
        world.crash(at);
        world.machines[at].disk.content().slots.remove(&(room, Slot::State));
        world.start(at);
        let without = world.node(at).room(&room).unwrap().state().to_bytes();
        assert!(with_checkpoint == state && without == state, "{name}");
    }
}

#[test]
fn order_is_data() {
    let (mut world, room) = evening(200, 40);
    let events = events(&world, room, 0);
    let expected = world.node(0).room(&room).unwrap().state().to_bytes();
    for _ in 0..8 {
        assert_eq!(in_any_order(&mut world, room, &events).state().to_bytes(), expected);
    }
}

#[test]
fn order_is_data_for_forks_and_removals_too() {
    let mut world = World::new(8, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 2);
    settle(&mut world, room, &[0, 1, 2]);
    fork(&mut world, room, 1);
    world.partition(&[&[0], &[1, 2]]);
    world.run(MINUTE);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    say(&mut world, room, 1, "they do not know yet");
    world.run(MINUTE);
    say(&mut world, room, 2, "nor do I");
    world.heal();
    settle(&mut world, room, &[0, 2]);
    one_truth(&world, room, &[0, 2]);
    let events = events(&world, room, 0);
    let expected = world.node(0).room(&room).unwrap().state().to_bytes();
    for _ in 0..100 {
        assert_eq!(in_any_order(&mut world, room, &events).state().to_bytes(), expected);
    }
}

#[test]
fn write_then_speak() {
    let mut world = World::new(9, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    let had = world.node(1).room(&room).unwrap().count();
    world.machines[0].stalled = true;
    let message = Message::new(Kind::Chat, "not yet");
    let token = world.command(0, Command::Send { room, by: human(), message });
    world.run(Duration::from_secs(4));
    assert!(!world.machines[0].replies.contains_key(&token), "acknowledged before it was durable");
    assert_eq!(world.node(1).room(&room).unwrap().count(), had, "sent before it was durable");
    assert_ne!(world.node(0).room(&room).unwrap().have(), world.node(0).room(&room).unwrap().known());
    world.crash(0);
    world.machines[0].stalled = false;
    world.start(0);
    say(&mut world, room, 0, "now");
    settle(&mut world, room, &[0, 1]);
    one_truth(&world, room, &[0, 1]);
    assert_eq!(transcript(&world, room, 1).len(), 1);
    assert!(world.node(1).room(&room).unwrap().state().equivocations.is_empty());
}

#[test]
fn outcomes_are_values() {
    let mut world = World::new(10, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    // Alice alone hears carol, so that bob is not above her.
    world.partition(&[&[0, 2], &[1]]);
    bring_in(&mut world, room, 0, 2);
    world.heal();
    settle(&mut world, room, &[0, 1, 2]);
    let [alice, carol] = [0, 2].map(|at| world.member(at));
    let remove = |member| Command::Remove { room, by: human(), member, reason: None };
    assert_eq!(world.ask(1, remove(alice)), Err(Refusal::Founder));
    assert_eq!(world.ask(1, remove(carol)), Err(Refusal::NotAbove));
    let message = Message::new(Kind::Question, "well?");
    let missing = Refusal::FieldMissing { kind: "question", field: "expected_format" };
    assert_eq!(world.ask(1, Command::Send { room, by: human(), message }), Err(missing));
    let message = Message::new(Kind::Chat, "x".repeat(200_000));
    let long = world.ask(1, Command::Send { room, by: human(), message });
    assert!(matches!(long, Err(Refusal::TooLong { field: "text", got: 200_000, .. })));
    let forgeries = crate::mallory::break_every_rule(&mut world, room, 1);
    say(&mut world, room, 0, "did you see that?");
    settle(&mut world, room, &[0, 2]);
    let state = world.node(2).room(&room).unwrap().state();
    for (what, id, mark) in forgeries {
        assert_eq!(mark_of(state, id), Some(mark), "{what}");
    }
    one_truth(&world, room, &[0, 2]);
}

#[test]
fn removal_beats_concurrency() {
    let mut world = World::new(11, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, 0);
    for guest in [1, 2] {
        bring_in(&mut world, room, 0, guest);
    }
    say(&mut world, room, 1, "before");
    settle(&mut world, room, &[0, 1, 2]);
    world.partition(&[&[0], &[1, 2, 3]]);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    let concurrent = say(&mut world, room, 1, "meanwhile");
    bring_in(&mut world, room, 1, 3);
    let of_the_guest = say(&mut world, room, 3, "hello everybody");
    world.run(MINUTE);
    let carols = say(&mut world, room, 2, "I heard bob and dave");
    world.heal();
    settle(&mut world, room, &[0, 2]);
    let state = world.node(0).room(&room).unwrap().state();
    assert_eq!(mark_of(state, concurrent), Some(Mark::NotAMember));
    assert_eq!(mark_of(state, of_the_guest), Some(Mark::NotAMember));
    assert_eq!(mark_of(state, carols), None);
    assert!(state.marks.newest().any(|(_, mark)| *mark == Mark::Membership(Void::NotAMember)));
    let standing: BTreeSet<_> = state.members.iter().map(|(member, _)| *member).collect();
    assert_eq!(standing, BTreeSet::from([world.member(0), world.member(2)]));
    one_truth(&world, room, &[0, 2]);
}

#[test]
fn replay_a_bug() {
    let (world, _) = evening(300, 40);
    for (at, name) in NAMES.iter().enumerate() {
        let machine = &world.machines[at];
        let recording = machine.recording.as_ref().unwrap();
        let again = recording.replay(world.identity(at), machine.transport.clone());
        assert_eq!(again.len(), recording.effects.len(), "{name}");
        for (number, (again, first)) in again.iter().zip(&recording.effects).enumerate() {
            assert!(again == first, "effect {number} of {name}: {again} instead of {first}");
        }
    }
    assert!(world.machines.iter().any(|machine| machine.recording.as_ref().unwrap().inputs.len() > 500));
}

#[test]
fn a_repeated_key_says_it_once() {
    let mut world = World::new(12, &["alice"]);
    let room = found(&mut world, 0);
    let mut message = Message::new(Kind::Chat, "once");
    message.key = Some("attempt".into());
    let send = Command::Send { room, by: human(), message };
    let Ok(Outcome::Said { event, repeated: false }) = world.ask(0, send.clone()) else { panic!("not said") };
    assert_eq!(world.ask(0, send), Ok(Outcome::Said { event, repeated: true }));
}
