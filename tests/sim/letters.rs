//! Letters to those who are away: what they bring, and that nothing hangs on them.

use std::time::Duration;

use pairwave_core::command::Command;
use pairwave_core::delivery::Delivery;
use pairwave_core::effect::Slot;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::talk::{Kind, Message};
use pairwave_wire::hello::BlindedTag;
use pairwave_wire::lookup::LookupRequest;
use pairwave_wire::mailbox::{MailboxAnswer, MailboxRequest};
use rand_core::Rng;
use serde_bytes::ByteBuf;

use crate::post;
use crate::scenes::{MINUTE, bring_in, found, one_truth, say, settle};
use crate::world::{At, World, human};

const ALICE: At = 0;
const BOB: At = 1;
const CAROL: At = 2;
const SECOND: Duration = Duration::from_secs(1);

/// A room of two with so many relays, in which both have told their letter keys.
fn pair(seed: u64, relays: usize) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob"]);
    let room = found(&mut world, ALICE);
    bring_in(&mut world, room, ALICE, BOB);
    name_relays(&mut world, room, relays);
    world.set_relays(relays);
    world.run(10 * SECOND);
    (world, room)
}

fn name_relays(world: &mut World, room: RoomId, relays: usize) {
    for relay in 0..relays {
        let command = Command::AddRelay { room, by: human(), relay: post::name(relay) };
        world.ask(ALICE, command).expect("a relay");
    }
    world.run(SECOND);
}

fn state(world: &World, room: RoomId, event: EventId) -> Delivery {
    let delivery = world.node(ALICE).delivery(&room, &event).expect("the log can be read");
    delivery[&world.member(BOB)]
}

/// Alice says something while bob is away, and goes herself.
fn left_for_bob(world: &mut World, room: RoomId, count: usize) -> Vec<EventId> {
    world.crash(BOB);
    let said: Vec<EventId> =
        (0..count).map(|number| say(world, room, ALICE, &format!("while away {number}"))).collect();
    world.run(20 * SECOND);
    world.crash(ALICE);
    said
}

fn has(world: &World, at: At, room: RoomId, event: &EventId) -> bool {
    let node = world.node(at);
    node.room(&room).is_some_and(|seat| seat.contains(node.log(), event).expect("the log can be read"))
}

#[test]
fn who_was_away_reads_what_waits_although_nobody_is_there() {
    let (mut world, room) = pair(1, 2);
    world.crash(BOB);
    let event = say(&mut world, room, ALICE, "while away");
    assert!(state(&world, room, event) < Delivery::Stored);
    assert!(world.run_until(MINUTE, |world| state(world, room, event) == Delivery::Stored));
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| has(world, BOB, room, &event)));
    world.run(5 * SECOND);
    assert_eq!(world.post.waiting(), 0, "what is durable is discarded");
    world.start(ALICE);
    assert!(world.run_until(MINUTE, |world| state(world, room, event) >= Delivery::Delivered));
    settle(&mut world, room, &[ALICE, BOB]);
    one_truth(&world, room, &[ALICE, BOB]);
}

#[test]
fn a_long_absence_fits_into_a_few_letters() {
    let (mut world, room) = pair(2, 1);
    let said = left_for_bob(&mut world, room, 1_500);
    assert!(world.post.waiting() <= 12, "{}", world.post.waiting());
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| said.iter().all(|event| has(world, BOB, room, event))));
}

/// Also while somebody may come in by letter, for whom the same mailboxes are looked into.
#[test]
fn a_collection_goes_on_until_nothing_is_left() {
    let (mut world, room) = pair(4, 1);
    world.post.batch = 1;
    world.crash(BOB);
    let said: Vec<EventId> = (0..5)
        .map(|number| {
            let event = say(&mut world, room, ALICE, &format!("letter {number}"));
            assert!(world.run_until(MINUTE, |world| state(world, room, event) == Delivery::Stored));
            event
        })
        .collect();
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(5 * SECOND, |world| said.iter().all(|event| has(world, BOB, room, event))));
}

#[test]
fn without_a_relay_nobody_tells_letter_keys() {
    let mut world = World::new(3, &["alice", "bob"]);
    let room = found(&mut world, ALICE);
    bring_in(&mut world, room, ALICE, BOB);
    let before = world.node(ALICE).room(&room).map(|room| room.count());
    world.run(MINUTE);
    assert_eq!(world.node(ALICE).room(&room).map(|room| room.count()), before);
}

#[test]
fn lost_doubled_changed_and_replayed_letters_heal() {
    for seed in 10..40 {
        let (mut world, room) = pair(seed, 2);
        world.post.lose_one_in = 3;
        world.post.double_one_in = 2;
        world.post.change_one_in = 4;
        world.post.keeps_all = seed % 2 == 0;
        for _ in 0..3 {
            left_for_bob(&mut world, room, 5);
            world.start(BOB);
            world.run(5 * SECOND);
            say(&mut world, room, BOB, "to alice");
            world.run(20 * SECOND);
            world.crash(BOB);
            world.start(ALICE);
            world.run(20 * SECOND);
            world.start(BOB);
            world.run(20 * SECOND);
        }
        settle(&mut world, room, &[ALICE, BOB]);
        one_truth(&world, room, &[ALICE, BOB]);
    }
}

#[test]
fn who_lost_the_ratchets_is_written_to_with_new_keys() {
    let (mut world, room) = pair(4, 1);
    left_for_bob(&mut world, room, 1);
    world.machines[BOB].disk.content().slots.remove(&(room, Slot::Ratchets));
    world.start(BOB);
    world.run(10 * SECOND);
    assert_eq!(world.node(BOB).letters(&room).unreadable, 1);
    world.start(ALICE);
    world.run(20 * SECOND);
    let said = left_for_bob(&mut world, room, 1);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| has(world, BOB, room, &said[0])));
}

#[test]
fn relays_that_refuse_are_asked_again() {
    let (mut world, room) = pair(5, 2);
    world.post.refuses = true;
    world.crash(BOB);
    let event = say(&mut world, room, ALICE, "while away");
    world.run(20 * SECOND);
    assert!(state(&world, room, event) < Delivery::Stored);
    assert!(world.node(ALICE).letters(&room).refused > 0);
    world.post.refuses = false;
    assert!(world.run_until(2 * MINUTE, |world| state(world, room, event) == Delivery::Stored));
}

#[test]
fn a_question_that_is_lost_with_its_connection_is_asked_again_soon() {
    let (mut world, room) = pair(8, 1);
    let said = left_for_bob(&mut world, room, 2);
    world.post.lose_answers = 3;
    world.start(BOB);
    assert!(world.run_until(15 * SECOND, |world| said.iter().all(|event| has(world, BOB, room, event))));
    assert_eq!(world.post.lose_answers, 0);
}

#[test]
fn a_relay_that_takes_no_letters_does_not_have_the_others_asked_all_the_time() {
    let (mut world, room) = pair(9, 2);
    world.post.mute = Some(0);
    left_for_bob(&mut world, room, 1);
    world.start(BOB);
    world.run(MINUTE);
    let asked = world.post.asked;
    world.run(10 * MINUTE);
    assert!(world.post.asked - asked <= 20, "{}", world.post.asked - asked);
}

#[test]
fn a_relay_that_is_killed_is_not_missed() {
    let (mut world, room) = pair(6, 2);
    let said = left_for_bob(&mut world, room, 2);
    world.set_relays(1);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| said.iter().all(|event| has(world, BOB, room, event))));
}

#[test]
fn a_crash_at_any_moment_of_a_letter_loses_nothing() {
    for after_ms in (0..1_200).step_by(40) {
        let (mut world, room) = pair(7, 2);
        world.crash(BOB);
        let event = say(&mut world, room, ALICE, "while away");
        world.run(6 * SECOND + Duration::from_millis(after_ms));
        world.crash(ALICE);
        world.start(ALICE);
        assert!(world.run_until(2 * MINUTE, |world| state(world, room, event) == Delivery::Stored), "{after_ms}");
        world.crash(ALICE);
        world.start(BOB);
        world.run(Duration::from_millis(after_ms));
        world.crash(BOB);
        world.start(BOB);
        assert!(world.run_until(MINUTE, |world| has(world, BOB, room, &event)), "{after_ms}");
    }
}

#[test]
fn a_third_member_reads_whatever_order_letters_come_in() {
    let mut world = World::new(8, &["alice", "bob", "carol"]);
    let room = found(&mut world, ALICE);
    bring_in(&mut world, room, ALICE, BOB);
    bring_in(&mut world, room, ALICE, CAROL);
    name_relays(&mut world, room, 2);
    world.set_relays(2);
    world.run(10 * SECOND);
    world.crash(CAROL);
    let mut said = Vec::new();
    for number in 0..10 {
        said.push(say(&mut world, room, number % 2, &format!("turn {number}")));
        world.run(3 * SECOND);
    }
    world.run(20 * SECOND);
    world.crash(ALICE);
    world.crash(BOB);
    // What waits for its parents is kept: its letter is gone.
    for _ in 0..40 {
        world.start(CAROL);
        world.run(Duration::from_millis(60));
        world.crash(CAROL);
    }
    world.start(CAROL);
    assert!(world.run_until(MINUTE, |world| said.iter().all(|event| has(world, CAROL, room, event))));
}

#[test]
fn a_relay_that_floods_is_asked_no_more_than_one_that_has_nothing() {
    let (mut world, room) = pair(11, 1);
    world.crash(BOB);
    world.post.floods = true;
    world.run(10 * SECOND);
    assert!(world.post.asked < 100, "{}", world.post.asked);
    world.post.asked = 0;
    world.run(10 * MINUTE);
    // Two questions a minute, for letters and for knock letters, and that what came may go.
    assert!(world.post.asked <= 44, "{}", world.post.asked);
    assert!(world.node(ALICE).letters(&room).unreadable > 0);
}

#[test]
fn many_letters_at_two_relays_come_without_a_pause() {
    for seed in 60..64 {
        let (mut world, room) = pair(seed, 2);
        world.crash(BOB);
        let mut said = Vec::new();
        for number in 0..250 {
            said.push(say(&mut world, room, ALICE, &format!("while away {number}")));
            world.run(Duration::from_millis(400));
        }
        world.run(20 * SECOND);
        world.crash(ALICE);
        assert!(world.post.waiting() > 400, "{}", world.post.waiting());
        world.start(BOB);
        let began = world.now;
        assert!(world.run_until(5 * MINUTE, |world| said.iter().all(|event| has(world, BOB, room, event))));
        let all_read = world.now.since(began);
        assert!(world.run_until(5 * MINUTE, |world| world.post.waiting() == 0));
        let all_gone = world.now.since(began);
        assert!(all_read < 20 * SECOND && all_gone < 20 * SECOND, "{all_read:?}, {all_gone:?}");
    }
}

#[test]
fn letters_that_cannot_be_read_do_not_delay_the_others() {
    let (mut world, room) = pair(65, 2);
    world.crash(BOB);
    for number in 0..8 {
        say(&mut world, room, ALICE, &format!("for lost ratchets {number}"));
        world.run(4 * SECOND);
    }
    world.machines[BOB].disk.content().slots.remove(&(room, Slot::Ratchets));
    world.crash(ALICE);
    let waiting = world.post.waiting() as u64;
    assert!(waiting >= 12, "{waiting}");
    world.start(BOB);
    let looked_at = |world: &World| {
        let counts = world.node(BOB).letters(&room);
        counts.unreadable + counts.repeated
    };
    assert!(world.run_until(20 * SECOND, |world| looked_at(world) >= waiting), "{}", looked_at(&world));
}

/// Three who come and go, move and speak, where relays do to letters and records whatever they could
/// do: in the end all have the same, and it is what the reference says.
#[test]
fn whatever_relays_do_is_healed_by_links() {
    for seed in 100..120 {
        let mut world = World::new(seed, &["alice", "bob", "carol"]);
        let everybody = [ALICE, BOB, CAROL];
        let room = found(&mut world, ALICE);
        bring_in(&mut world, room, ALICE, BOB);
        bring_in(&mut world, room, ALICE, CAROL);
        name_relays(&mut world, room, 3);
        world.set_relays(3);
        world.run(10 * SECOND);
        world.network.without_mdns = seed % 2 == 0;
        for step in 0..40 {
            if step % 10 == 0 {
                let World { post, rng, .. } = &mut world;
                post.cheats(rng);
            }
            let at = world.rng.next_u64() as usize % everybody.len();
            match world.rng.next_u64() % 8 {
                0 | 1 if world.is_up(at) => world.crash(at),
                2 if world.is_up(at) => world.move_away(&[at]),
                3 => world.set_relays(1 + step % 3),
                _ if world.is_up(at) => {
                    let message = Message::new(Kind::Chat, format!("{step}"));
                    world.command(at, Command::Send { room, by: human(), message });
                }
                _ => world.start(at),
            }
            let pause = Duration::from_millis(1 << (world.rng.next_u64() % 15));
            world.run(pause);
        }
        world.post.is_honest();
        for at in everybody {
            if !world.is_up(at) {
                world.start(at);
            }
        }
        world.network.without_mdns = false;
        world.heal();
        settle(&mut world, room, &everybody);
        one_truth(&world, room, &everybody);
        let state = world.node(ALICE).room(&room).expect("a member").state();
        assert!(state.equivocations.is_empty());
    }
}

#[test]
fn relays_learn_nothing_but_sizes() {
    let (mut world, room) = pair(9, 2);
    left_for_bob(&mut world, room, 3);
    world.start(BOB);
    world.run(20 * SECOND);
    let (alice, bob) = (world.member(ALICE), world.member(BOB));
    let planted: [&[u8]; 8] = [
        b"while away",
        &room.0,
        &alice.0,
        &bob.0,
        b"10.0.0.",
        b"alice",
        b"bob",
        world.machines[ALICE].transport.as_bytes(),
    ];
    assert!(world.post.seen.len() >= 4);
    for secret in planted {
        assert!(!world.post.learnt(secret), "{}", String::from_utf8_lossy(secret));
    }
}

/// The check above finds what is there.
#[test]
fn what_a_relay_is_told_is_found() {
    let (mut world, _) = pair(9, 2);
    let needle = b"a needle";
    for at in [0, 500, 1024 - needle.len()] {
        let mut letter = vec![0xa5; 1024];
        letter[at..at + needle.len()].copy_from_slice(needle);
        world.post.told.clear();
        let relay = world.post.connected().remove(1).transport;
        let World { post, rng, .. } = &mut world;
        let request = MailboxRequest::Deposit { at: BlindedTag([1; 32]), letter: ByteBuf::from(letter) };
        assert_eq!(post.mail(ALICE, &relay, request, rng), Some(MailboxAnswer::Stored));
        assert!(post.learnt(needle), "at {at}");
        let request = LookupRequest::Publish { at: BlindedTag([1; 32]), record: ByteBuf::from(needle.to_vec()) };
        post.told.clear();
        assert!(!post.learnt(needle));
        assert!(post.look_up(ALICE, &relay, request, rng).is_some());
        assert!(post.learnt(needle));
    }
}
