//! The relays of a room, and which of them a companion is told to be at.

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::relays::RelayError;
use pairwave_core::seat::Standing;

use crate::scenes::{MINUTE, bring_in, found, invite, join, one_truth, said, settle};
use crate::world::{At, World, human};

fn relay(host: u8) -> String {
    format!("/ip4/203.0.113.{host}/tcp/4011/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
}

fn add(world: &mut World, room: RoomId, at: At, relay: String) -> EventId {
    said(world.ask(at, Command::AddRelay { room, by: human(), relay }))
}

fn remove(world: &mut World, room: RoomId, at: At, relay: String) -> EventId {
    said(world.ask(at, Command::RemoveRelay { room, by: human(), relay }))
}

#[test]
fn all_members_are_told_to_be_at_the_relays_of_the_room() {
    let mut world = World::new(50, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    add(&mut world, room, 0, relay(1));
    settle(&mut world, room, &[0, 1]);
    add(&mut world, room, 1, format!("{}#prt-two", relay(2)));
    settle(&mut world, room, &[0, 1]);
    let both = [relay(1), format!("{}#prt-two", relay(2))];
    for at in [0, 1] {
        assert_eq!(world.machines[at].relays, both);
    }
    world.crash(1);
    world.start(1);
    assert_eq!(world.machines[1].relays, both, "after a restart too");
    remove(&mut world, room, 0, relay(2));
    settle(&mut world, room, &[0, 1]);
    assert_eq!(world.machines[1].relays, [relay(1)]);
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn what_cannot_be_added_or_removed_is_refused() {
    let mut world = World::new(51, &["alice"]);
    let room = found(&mut world, 0);
    add(&mut world, room, 0, relay(1));
    let (by, named) = (human(), relay(1));
    let mut ask = |command| world.ask(0, command).unwrap_err();
    assert_eq!(ask(Command::AddRelay { room, by, relay: named }), Refusal::RelayThere);
    assert_eq!(ask(Command::RemoveRelay { room, by, relay: relay(2) }), Refusal::NoSuchRelay);
    let nowhere = Command::AddRelay { room, by, relay: "/ip4/203.0.113.1/tcp/1".into() };
    assert_eq!(ask(nowhere), Refusal::NotARelay(RelayError::NoPeer));
}

#[test]
fn two_who_add_the_same_relay_apart_see_it_once() {
    let mut world = World::new(52, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    world.partition(&[&[0], &[1]]);
    add(&mut world, room, 0, relay(1));
    add(&mut world, room, 1, relay(1));
    world.heal();
    settle(&mut world, room, &[0, 1]);
    let state = world.node(0).room(&room).unwrap().state();
    assert_eq!((state.relays.iter().count(), state.marks.newest().count()), (1, 1));
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn who_joins_is_at_the_relays_of_the_invite_before_anybody_lets_it_in() {
    let mut world = World::new(53, &["alice", "bob"]);
    let room = found(&mut world, 0);
    add(&mut world, room, 0, relay(1));
    let (_, invite) = invite(&mut world, room, 0, 1);
    assert_eq!(invite.relays, [relay(1)]);
    world.crash(0);
    join(&mut world, 1, invite);
    assert_eq!(world.machines[1].relays, [relay(1)]);
    world.crash(1);
    world.start(1);
    assert_eq!(world.machines[1].relays, [relay(1)], "the wish is kept");
    assert_eq!(world.ask(1, Command::CancelJoin { room }), Ok(Outcome::Done));
    assert!(world.machines[1].relays.is_empty());
}

#[test]
fn who_is_out_of_a_room_does_not_use_its_relays() {
    let mut world = World::new(54, &["alice", "bob"]);
    let room = found(&mut world, 0);
    add(&mut world, room, 0, relay(1));
    bring_in(&mut world, room, 0, 1);
    world.ask(1, Command::Leave { room, by: human() }).unwrap();
    assert_eq!(world.node(1).standing(&room), Standing::Left);
    assert!(world.machines[1].relays.is_empty());
    world.run(MINUTE);
    assert_eq!(world.machines[0].relays, [relay(1)]);
}
