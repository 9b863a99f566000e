//! A disk that cannot be read for a while: the room is closed, and read again when it can be.

use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::RoomId;
use pairwave_core::input::Input;
use pairwave_core::notice::Notice;
use pairwave_core::talk::{Kind, Message};

use crate::checks::transcript;
use crate::scenes::{MINUTE, bring_in, found, one_truth, said, say, settle};
use crate::world::{At, World, human};

/// Alice, whose disk is scratched, and bob.
fn scratched(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    say(&mut world, room, 0, "before");
    say(&mut world, room, 1, "so far so good");
    settle(&mut world, room, &[0, 1]);
    world.machines[0].disk.content().unreadable = true;
    (world, room)
}

fn send(room: RoomId, text: &str) -> Command {
    Command::Send { room, by: human(), message: Message::new(Kind::Chat, text) }
}

fn is_closed(world: &World, room: RoomId) -> bool {
    world.node(0).room(&room).is_none()
}

fn times(world: &World, room: RoomId, at: At, text: &str) -> usize {
    transcript(world, room, at).iter().filter(|(_, said)| said == text).count()
}

#[test]
fn what_was_refused_because_the_log_failed_may_be_said_again_and_stands_once() {
    let (mut world, room) = scratched(70);
    assert!(matches!(world.ask(0, send(room, "twice?")), Err(Refusal::StoreFailed { .. })));
    assert!(is_closed(&world, room));
    assert_eq!(world.ask(0, send(room, "too soon")), Err(Refusal::NoSuchRoom));
    world.run(MINUTE);
    let reopenings = |notice: &Notice| matches!(notice, Notice::Reopening { room: of, .. } if *of == room);
    assert!(world.machines[0].notices.iter().filter(|notice| reopenings(notice)).count() > 2, "it is tried again");
    assert!(is_closed(&world, room));
    assert_eq!(times(&world, room, 1, "twice?"), 0, "sent, although it was refused");

    world.machines[0].disk.content().unreadable = false;
    assert!(world.run_until(MINUTE, |world| !is_closed(world, room)), "nobody read it again");
    let event = said(world.ask(0, send(room, "twice?")));
    settle(&mut world, room, &[0, 1]);
    for at in [0, 1] {
        assert_eq!(times(&world, room, at, "twice?"), 1);
        assert!(transcript(&world, room, at).iter().any(|(id, _)| *id == event));
        assert!(world.node(at).room(&room).unwrap().state().equivocations.is_empty());
    }
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn what_a_peer_says_while_the_log_fails_comes_when_it_is_read_again() {
    let (mut world, room) = scratched(71);
    say(&mut world, room, 1, "can you hear me?");
    assert!(world.run_until(MINUTE, |world| is_closed(world, room)), "it goes on without its log");
    world.run(MINUTE);
    world.machines[0].disk.content().unreadable = false;
    assert!(world.run_until(MINUTE, |world| !is_closed(world, room)));
    settle(&mut world, room, &[0, 1]);
    assert_eq!(times(&world, room, 0, "can you hear me?"), 1);
    say(&mut world, room, 0, "now I can");
    settle(&mut world, room, &[0, 1]);
    one_truth(&world, room, &[0, 1]);
}

/// What was on its way to the disk when the room was closed is in the room that is read again.
#[test]
fn what_was_being_written_when_the_log_failed_is_not_written_over() {
    let (mut world, room) = scratched(72);
    world.machines[0].disk.content().unreadable = false;
    world.machines[0].stalled = true;
    let under_way = world.command(0, send(room, "under way"));
    world.machines[0].disk.content().unreadable = true;
    let refused = world.command(0, send(room, "refused"));
    world.run(Duration::from_secs(1));
    assert!(is_closed(&world, room));
    world.machines[0].disk.content().unreadable = false;
    world.machines[0].stalled = false;
    assert!(world.run_until(MINUTE, |world| !is_closed(world, room)));
    let replies = &world.machines[0].replies;
    assert!(matches!(replies[&under_way], Ok(Outcome::Said { .. })));
    assert!(matches!(replies[&refused], Err(Refusal::StoreFailed { .. })));
    say(&mut world, room, 0, "after");
    settle(&mut world, room, &[0, 1]);
    let texts: Vec<String> = transcript(&world, room, 1).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts[2..], ["under way", "after"]);
    assert!(world.node(1).room(&room).unwrap().state().equivocations.is_empty());
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn a_write_that_failed_closes_the_room_and_nothing_of_it_leaves() {
    let (mut world, room) = scratched(73);
    world.machines[0].disk.content().unreadable = false;
    world.machines[0].stalled = true;
    let lost = world.command(0, send(room, "lost"));
    world.fail_writes(0);
    assert!(is_closed(&world, room));
    world.machines[0].stalled = false;
    world.run(MINUTE);
    assert!(!world.machines[0].replies.contains_key(&lost), "acknowledged, although it was not written");
    world.feed(0, Input::NetworkChanged);
    say(&mut world, room, 0, "after");
    settle(&mut world, room, &[0, 1]);
    assert_eq!(times(&world, room, 1, "lost"), 0);
    assert_eq!(times(&world, room, 1, "after"), 1);
    assert!(world.node(1).room(&room).unwrap().state().equivocations.is_empty());
    one_truth(&world, room, &[0, 1]);
}
