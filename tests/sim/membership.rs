//! Who goes, and who compared words with whom.

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::RoomId;
use pairwave_core::notice::{Notice, VerificationStep};
use pairwave_core::seat::Standing;
use pairwave_core::talk::{Kind, Message};

use crate::scenes::{MINUTE, bring_in, found, one_truth, remove, say, settle};
use crate::world::{At, World, human};

fn pair(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 2);
    settle(&mut world, room, &[0, 1, 2]);
    (world, room)
}

#[test]
fn a_removed_member_learns_it() {
    let (mut world, room) = pair(40);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    let told = world.run_until(2 * MINUTE, |world| world.node(1).standing(&room) == Standing::Removed);
    assert!(told);
    let message = Message::new(Kind::Chat, "but");
    assert_eq!(world.ask(1, Command::Send { room, by: human(), message }), Err(Refusal::NotAMember));
    say(&mut world, room, 0, "among us");
    settle(&mut world, room, &[0, 2]);
    one_truth(&world, room, &[0, 2]);
}

#[test]
fn after_somebody_left_the_key_is_renewed_by_the_one_whose_turn_it_is() {
    let (mut world, room) = pair(42);
    world.ask(1, Command::Leave { room, by: human() }).unwrap();
    world.run(MINUTE);
    settle(&mut world, room, &[0, 2]);
    assert_eq!(world.node(1).standing(&room), Standing::Left);
    let members = &world.node(2).room(&room).unwrap().state().members;
    assert_eq!(members.rotation_due(), None);
    assert_eq!(members.epochs().count(), 3, "genesis, leave, rotation");
    let mut epochs = members.epochs();
    let newest = epochs.next().unwrap();
    let (record, _) = world.node(2).room(&room).unwrap().event(world.node(2).log(), &newest).unwrap().unwrap();
    assert_eq!(record.author, world.member(0));
    one_truth(&world, room, &[0, 2]);
}

#[test]
fn the_next_renews_the_key_when_the_first_is_gone_too() {
    let (mut world, room) = pair(43);
    world.ask(0, Command::Leave { room, by: human() }).unwrap();
    settle(&mut world, room, &[1, 2]);
    let members = &world.node(2).room(&room).unwrap().state().members;
    assert_eq!(members.rotation_due(), None);
    let newest = members.epochs().next().unwrap();
    let (record, _) = world.node(2).room(&room).unwrap().event(world.node(2).log(), &newest).unwrap().unwrap();
    assert_eq!(record.author, world.member(1));
    one_truth(&world, room, &[1, 2]);
}

fn words(world: &mut World, room: RoomId, at: At, of: At) -> String {
    let member = world.member(of);
    match world.ask(at, Command::Verify { room, by: human(), member }) {
        Ok(Outcome::Words { say: Some(words), .. }) => words.0.join(" "),
        other => panic!("{other:?}"),
    }
}

fn heard(world: &mut World, room: RoomId, at: At, of: At, words: &str) -> Result<Outcome, Refusal> {
    let member = world.member(of);
    world.ask(at, Command::Heard { room, by: human(), member, words: words.into() })
}

#[test]
fn two_who_hear_each_others_words_are_verified() {
    let (mut world, room) = pair(44);
    let alices = words(&mut world, room, 0, 1);
    let bobs = words(&mut world, room, 1, 0);
    assert_ne!(alices, bobs);
    assert_eq!(words(&mut world, room, 0, 1), alices, "the same until they are entered");
    let done = Ok(Outcome::Words { say: None, verified: true });
    assert_eq!(heard(&mut world, room, 1, 0, &alices), done);
    assert_eq!(heard(&mut world, room, 0, 1, &bobs), done);
    settle(&mut world, room, &[0, 1, 2]);
    let [alice, bob, carol] = [0, 1, 2].map(|at| world.member(at));
    let state = world.node(2).room(&room).unwrap().state();
    assert!(state.verification.is_mutual(&alice, &bob));
    assert!(!state.verification.is_verified_by(&alice, &carol));
    one_truth(&world, room, &[0, 1, 2]);
}

#[test]
fn wrong_words_end_the_exchange() {
    let (mut world, room) = pair(45);
    let alices = words(&mut world, room, 0, 1);
    let bobs = words(&mut world, room, 1, 0);
    let wrong = heard(&mut world, room, 0, 1, &alices);
    assert!(wrong.is_err(), "my own words are not the ones to hear");
    world.run(MINUTE);
    assert!(heard(&mut world, room, 1, 0, &bobs).is_err());
    let [alice, bob] = [0, 1].map(|at| world.member(at));
    let state = world.node(0).room(&room).unwrap().state();
    assert!(!state.verification.is_verified_by(&alice, &bob) && !state.verification.is_verified_by(&bob, &alice));
}

#[test]
fn words_that_come_over_the_channel_void_the_exchange() {
    let (mut world, room) = pair(46);
    let alices = words(&mut world, room, 0, 1);
    words(&mut world, room, 1, 0);
    let message = Message::new(Kind::Chat, format!("listen: {alices}"));
    let refused = world.ask(0, Command::Send { room, by: human(), message: message.clone() });
    assert_eq!(refused, Err(Refusal::OwnWords));
    // Carol, who stands in between, says them for her.
    world.ask(2, Command::Send { room, by: human(), message }).unwrap();
    let alice = world.member(0);
    let void = Notice::Verification { room, member: alice, step: VerificationStep::Failed };
    let told = world.run_until(MINUTE, |world| world.machines[1].notices.contains(&void));
    assert!(told);
    assert!(heard(&mut world, room, 1, 0, &alices).is_err());
}

#[test]
fn the_right_words_prove_nothing_before_it_can_be_said() {
    let (mut world, room) = pair(47);
    let backup = world.machines[1].disk.copy();
    world.partition(&[&[0], &[1], &[2]]);
    for text in ["one", "two", "three"] {
        say(&mut world, room, 1, text);
    }
    world.run(MINUTE);
    world.crash(1);
    world.machines[1].disk.put_back(backup);
    world.partition(&[&[0, 1], &[2]]);
    world.start(1);
    world.run(MINUTE);
    let alices = words(&mut world, room, 0, 1);
    words(&mut world, room, 1, 0);
    let recovering = Err(Refusal::Recovering { missing: 3 });
    let [alice, bob] = [0, 1].map(|at| world.member(at));
    for _ in 0..2 {
        assert_eq!(heard(&mut world, room, 1, 0, &alices), recovering);
        let state = world.node(1).room(&room).unwrap().state();
        assert!(!state.verification.is_verified_by(&bob, &alice));
    }
    // Nobody has the later events: once all have said so, bob may go on.
    world.heal();
    world.run(MINUTE);
    let done = Ok(Outcome::Words { say: None, verified: true });
    for _ in 0..2 {
        assert_eq!(heard(&mut world, room, 1, 0, &alices), done);
    }
    settle(&mut world, room, &[0, 1, 2]);
    assert!(world.node(0).room(&room).unwrap().state().verification.is_verified_by(&bob, &alice));
    one_truth(&world, room, &[0, 1, 2]);
}
