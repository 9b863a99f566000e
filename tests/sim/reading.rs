//! What sessions are given: everything, once, whichever of them are there.

use pairwave_core::command::{Command, Speaker};
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId, SessionId};
use pairwave_core::talk::{Address, Kind, Message};

use crate::scenes::{bring_in, found, said, say, settle};
use crate::world::{At, HUMAN, World, human};

const FIRST: SessionId = SessionId([11; 16]);
const SECOND: SessionId = SessionId([12; 16]);
const BOB: At = 1;

fn room(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, BOB);
    settle(&mut world, room, &[0, BOB]);
    (world, room)
}

/// The human of a machine, or one of its agents.
fn by(session: SessionId) -> Speaker {
    let origin = if session == HUMAN { Origin::Human } else { Origin::Agent };
    Speaker { session, origin }
}

fn start(world: &mut World, room: RoomId, session: SessionId) {
    world.ask(BOB, Command::SessionStarted { room, session, origin: Origin::Agent }).unwrap();
}

fn unread(world: &World, room: RoomId, session: SessionId) -> Vec<EventId> {
    let unread = world.node(BOB).unread(&room, by(session), 100).unwrap();
    unread.into_iter().map(|(_, event)| event).collect()
}

fn show(world: &mut World, room: RoomId, session: SessionId) {
    let through = world.node(BOB).room(&room).unwrap().last_arrival();
    world.ask(BOB, Command::Shown { room, by: by(session), through }).unwrap();
}

fn whisper(world: &mut World, room: RoomId, session: SessionId, text: &str) -> EventId {
    let mut message = Message::new(Kind::Chat, text);
    message.to = Some(Address { member: world.member(BOB), session: Some(session) });
    said(world.ask(0, Command::Send { room, by: human(), message }))
}

fn speak(world: &mut World, room: RoomId, session: SessionId, text: &str) -> EventId {
    said(world.ask(BOB, Command::Send { room, by: by(session), message: Message::new(Kind::Chat, text) }))
}

#[test]
fn a_new_session_starts_with_what_no_session_was_shown() {
    let (mut world, room) = room(50);
    start(&mut world, room, FIRST);
    say(&mut world, room, 0, "shown to the first");
    settle(&mut world, room, &[0, BOB]);
    show(&mut world, room, FIRST);
    world.ask(BOB, Command::SessionEnded { room, session: FIRST }).unwrap();
    let missed = say(&mut world, room, 0, "shown to nobody");
    settle(&mut world, room, &[0, BOB]);
    start(&mut world, room, SECOND);
    assert_eq!(unread(&world, room, SECOND), [missed]);
}

#[test]
fn two_sessions_both_get_what_is_said_to_all() {
    let (mut world, room) = room(51);
    start(&mut world, room, FIRST);
    start(&mut world, room, SECOND);
    let said = say(&mut world, room, 0, "to both");
    settle(&mut world, room, &[0, BOB]);
    assert_eq!(unread(&world, room, FIRST), [said]);
    show(&mut world, room, FIRST);
    assert_eq!(unread(&world, room, FIRST), []);
    assert_eq!(unread(&world, room, SECOND), [said]);
}

#[test]
fn what_is_said_to_one_session_goes_to_it_alone() {
    let (mut world, room) = room(52);
    start(&mut world, room, FIRST);
    start(&mut world, room, SECOND);
    let said = whisper(&mut world, room, SECOND, "to the second");
    settle(&mut world, room, &[0, BOB]);
    assert_eq!(unread(&world, room, FIRST), []);
    assert_eq!(unread(&world, room, SECOND), [said]);
}

#[test]
fn what_is_said_to_a_session_that_is_gone_is_not_lost() {
    let (mut world, room) = room(53);
    start(&mut world, room, FIRST);
    start(&mut world, room, SECOND);
    world.ask(BOB, Command::SessionEnded { room, session: FIRST }).unwrap();
    let said = whisper(&mut world, room, FIRST, "are you there?");
    settle(&mut world, room, &[0, BOB]);
    world.crash(BOB);
    world.start(BOB);
    start(&mut world, room, SECOND);
    assert_eq!(unread(&world, room, SECOND), [said]);
    show(&mut world, room, SECOND);
    assert_eq!(unread(&world, room, SECOND), []);
    start(&mut world, room, FIRST);
    assert_eq!(unread(&world, room, FIRST), [], "somebody was given it");
}

#[test]
fn what_is_said_to_a_session_that_only_speaks_is_not_passed_over() {
    let (mut world, room) = room(55);
    start(&mut world, room, FIRST);
    show(&mut world, room, FIRST);
    speak(&mut world, room, FIRST, "one");
    let whispered = whisper(&mut world, room, FIRST, "for you alone");
    settle(&mut world, room, &[0, BOB]);
    speak(&mut world, room, FIRST, "two");
    let to_all = say(&mut world, room, 0, "for everybody");
    settle(&mut world, room, &[0, BOB]);
    speak(&mut world, room, FIRST, "three");
    assert_eq!(unread(&world, room, FIRST), [whispered, to_all]);
}

#[test]
fn what_the_human_saw_is_still_new_to_the_agents() {
    let (mut world, room) = room(56);
    let before = say(&mut world, room, 0, "at night");
    settle(&mut world, room, &[0, BOB]);
    assert_eq!(unread(&world, room, HUMAN), [before]);
    show(&mut world, room, HUMAN);
    start(&mut world, room, FIRST);
    assert_eq!(unread(&world, room, FIRST), [before], "the page was open, no agent was there");
    show(&mut world, room, FIRST);
    world.ask(BOB, Command::SessionEnded { room, session: FIRST }).unwrap();
    let whispered = whisper(&mut world, room, FIRST, "for the agent that will be back");
    settle(&mut world, room, &[0, BOB]);
    assert_eq!(unread(&world, room, HUMAN), []);
    show(&mut world, room, HUMAN);
    start(&mut world, room, FIRST);
    assert_eq!(unread(&world, room, FIRST), [whispered]);
}

#[test]
fn what_the_agents_were_given_is_still_new_to_the_human() {
    let (mut world, room) = room(57);
    start(&mut world, room, FIRST);
    let said = say(&mut world, room, 0, "to everybody");
    settle(&mut world, room, &[0, BOB]);
    show(&mut world, room, FIRST);
    assert_eq!(unread(&world, room, HUMAN), [said]);
    assert_eq!(world.node(BOB).unread_count(&room, human()), 1);
}

#[test]
fn the_author_hears_what_was_shown() {
    use pairwave_core::delivery::Delivery;
    let (mut world, room) = room(54);
    start(&mut world, room, FIRST);
    let said = say(&mut world, room, 0, "seen?");
    settle(&mut world, room, &[0, BOB]);
    let bob = world.member(BOB);
    let delivery = |world: &World| world.node(0).delivery(&room, &said).unwrap()[&bob];
    assert_eq!(delivery(&world), Delivery::Delivered);
    show(&mut world, room, FIRST);
    world.run(std::time::Duration::from_secs(5));
    assert_eq!(delivery(&world), Delivery::Shown);
}
