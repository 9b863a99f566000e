//! What people do, played on the table.

use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::{EventId, MemberId, RoomId};
use pairwave_core::invite::Invite;
use pairwave_core::notice::Notice;
use pairwave_core::seat::Standing;
use pairwave_core::state::Equivocation;
use pairwave_core::talk::{Field, Kind, Message};

use crate::checks::{agree, have_the_same, is_true};
use crate::reference::Library;
use crate::world::{At, World, human};

pub const MINUTE: Duration = Duration::from_secs(60);

pub fn found(world: &mut World, at: At) -> RoomId {
    let command = Command::Create { by: human(), title: "parser".into(), name: world.machines[at].name.into() };
    match world.ask(at, command) {
        Ok(Outcome::Created { room }) => room,
        other => panic!("{other:?}"),
    }
}

pub fn bring_in(world: &mut World, room: RoomId, host: At, guest: At) {
    let (_, invite) = invite(world, room, host, 1);
    join(world, guest, invite);
    let joined = world.run_until(MINUTE, |world| world.node(guest).standing(&room) == Standing::Member);
    assert!(joined, "{} did not get in", world.machines[guest].name);
}

pub fn join(world: &mut World, guest: At, invite: Invite) {
    let name = world.machines[guest].name.into();
    world.ask(guest, Command::Join { invite, name }).expect("the wish is kept");
}

pub fn invite(world: &mut World, room: RoomId, host: At, uses: u32) -> (EventId, Invite) {
    let command = Command::Invite { room, by: human(), expires_in: 24 * 60 * MINUTE, uses };
    let Ok(Outcome::Invited { id, invite }) = world.ask(host, command) else { panic!("no invite") };
    (id, invite)
}

pub fn say(world: &mut World, room: RoomId, at: At, text: &str) -> EventId {
    let message = Message::new(Kind::Chat, text);
    said(world.ask(at, Command::Send { room, by: human(), message }))
}

pub fn question(text: &str) -> Message {
    let mut question = Message::new(Kind::Question, text);
    question.fields.insert("expected_format".into(), Field::Text("free text".into()));
    question
}

pub fn remove(world: &mut World, room: RoomId, at: At, member: MemberId) -> EventId {
    said(world.ask(at, Command::Remove { room, by: human(), member, reason: None }))
}

pub fn said(result: Result<Outcome, Refusal>) -> EventId {
    match result {
        Ok(Outcome::Said { event, .. }) => event,
        other => panic!("{other:?}"),
    }
}

/// Runs until these hold the same events, everything included that goes round later.
pub fn settle(world: &mut World, room: RoomId, among: &[At]) {
    world.run(Duration::from_secs(5));
    let settled = world.run_until(10 * MINUTE, |world| have_the_same(world, room, among));
    assert!(settled, "no agreement");
}

/// All of them see one room, and it is what the reference says.
pub fn one_truth(world: &World, room: RoomId, among: &[At]) {
    let mut library = Library::default();
    for at in among {
        is_true(world, &mut library, *at, room).unwrap();
    }
    agree(world, room, among).unwrap();
}

#[test]
fn two_people_meet_and_talk() {
    let mut world = World::new(1, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    say(&mut world, room, 0, "hello bob");
    say(&mut world, room, 1, "hello alice");
    let arrived =
        world.run_until(MINUTE, |world| (0..2).all(|at| world.node(at).unread(&room, human(), 9).unwrap().len() == 1));
    assert!(arrived);
}

#[test]
fn a_home_restored_from_an_older_copy_takes_its_events_back_before_it_writes() {
    let mut world = World::new(2, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    world.run(MINUTE);
    let backup = world.machines[1].disk.copy();
    for number in 0..5 {
        say(&mut world, room, 1, &format!("after the backup: {number}"));
    }
    world.run(MINUTE);
    let own_seq = world.node(1).room(&room).unwrap().own_seq();
    world.crash(1);
    world.machines[1].disk.put_back(backup);
    world.partition(&[&[0], &[1]]);
    world.start(1);
    let message = Message::new(Kind::Chat, "too early");
    let early = world.ask(1, Command::Send { room, by: human(), message });
    assert_eq!(early, Err(Refusal::Recovering { missing: 5 }));
    world.heal();
    let back = world.run_until(MINUTE, |world| world.node(1).room(&room).unwrap().own_seq() == own_seq);
    assert!(back);
    say(&mut world, room, 1, "and on it goes");
    world.run(MINUTE);
    let alice = world.node(0).room(&room).unwrap().state();
    assert!(alice.equivocations.is_empty());
}

#[test]
fn a_home_that_forked_all_the_same_is_healed() {
    let mut world = World::new(3, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    fork(&mut world, room, 1);
    settle(&mut world, room, &[0, 1]);
    let bob = world.member(1);
    let forked = |world: &World| world.node(0).room(&room).unwrap().state().equivocations.get(&bob).copied();
    assert_eq!(forked(&world), Some(Equivocation::Forked));
    assert!(world.machines[0].notices.contains(&Notice::Equivocation { room, member: bob }));
    say(&mut world, room, 1, "I had to take my backup");
    settle(&mut world, room, &[0, 1]);
    assert_eq!(forked(&world), Some(Equivocation::Healed));
    one_truth(&world, room, &[0, 1]);
}

/// Brings back an older copy of a home, without the marker, where nobody can tell it so, and
/// speaks there.
pub fn fork(world: &mut World, room: RoomId, at: At) {
    let backup = world.machines[at].disk.copy();
    say(world, room, at, "the first tale");
    world.run(MINUTE);
    world.crash(at);
    world.machines[at].disk.put_back(backup);
    world.machines[at].disk.content().own_seq.clear();
    world.partition(&[&[at]]);
    world.network.groups.insert(at, 99);
    world.start(at);
    say(world, room, at, "the second tale");
    world.heal();
}

#[test]
fn who_was_away_gets_everything() {
    let mut world = World::new(4, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    world.crash(1);
    for number in 0..2100 {
        let message = Message::new(Kind::Chat, format!("number {number}"));
        world.command(0, Command::Send { room, by: human(), message });
    }
    world.run(MINUTE);
    world.start(1);
    settle(&mut world, room, &[0, 1]);
    assert!(world.node(1).room(&room).unwrap().count() > 2100);
    assert_eq!(world.node(1).unread(&room, human(), 5000).unwrap().len(), 2100);
    agree(&world, room, &[0, 1]).unwrap();
}

#[test]
fn a_third_carries_between_two_who_never_meet() {
    let mut world = World::new(5, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 2);
    settle(&mut world, room, &[0, 1, 2]);
    world.partition(&[&[0], &[1, 2]]);
    say(&mut world, room, 0, "from alice");
    say(&mut world, room, 2, "from carol");
    world.run(MINUTE);
    for meeting in [[[0, 1].as_slice(), &[2]], [&[0], &[1, 2]], [&[0, 1], &[2]]] {
        world.partition(&meeting);
        world.run(2 * MINUTE);
    }
    assert!(have_the_same(&world, room, &[0, 1, 2]));
    one_truth(&world, room, &[0, 1, 2]);
}

/// Alice and bob in a room, with everything.
pub fn pair(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    (world, room)
}

pub fn is_linked(world: &World, room: RoomId, at: At, to: At) -> bool {
    world.node(at).presence(&room, &world.member(to)).link.is_some()
}
