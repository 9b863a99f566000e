//! However much a member makes others know: what honest companions tell each other, they take.

use pairwave_core::effect::Slot;
use pairwave_core::epochs::EpochKeys;
use pairwave_core::event::Body;
use pairwave_core::id::{MemberId, RoomId};
use pairwave_core::key::KnockKey;
use pairwave_core::members::Invited;
use pairwave_core::peers::Peers;
use pairwave_wire::TransportId;
use pairwave_wire::hello::InviteLabel;

use crate::checks::have_the_same;
use crate::mallory::{forge, pen_time, three};
use crate::scenes::{MINUTE, is_linked, pair, say};
use crate::world::{At, World};

/// Two that know it all link anew, and hear each other.
fn link_anew(world: &mut World, room: RoomId, one: At, other: At) {
    for at in [one, other] {
        world.crash(at);
        world.start(at);
    }
    for (at, to) in [(one, other), (other, one)] {
        world.run(MINUTE);
        assert!(is_linked(world, room, at, to), "{at} has no link to {to}");
        say(world, room, at, "do you hear me?");
    }
    world.run(MINUTE);
    assert!(is_linked(world, room, one, other));
    assert!(have_the_same(world, room, &[one, other]));
}

fn keys(world: &World, room: RoomId, at: At) -> usize {
    let slots = world.machines[at].disk.saved(room);
    let keys = slots.iter().find(|(slot, _)| *slot == Slot::Keys).and_then(|(_, bytes)| EpochKeys::decode(bytes));
    keys.map_or(0, |keys| keys.len())
}

/// They start nothing, and of keys that nobody has a use for few are kept.
#[test]
fn rotations_that_nobody_needed_keep_nobody_from_linking() {
    let (mut world, room) = three(80);
    forge(&mut world, room, 1, |pen| (0..300).for_each(|_| pen.rotate()));
    world.run(MINUTE);
    for at in [0, 2] {
        assert!(keys(&world, room, at) < 100, "{at} knows {}", keys(&world, room, at));
    }
    world.partition(&[&[0, 2], &[1]]);
    link_anew(&mut world, room, 0, 2);
}

#[test]
fn who_was_away_for_many_epochs_finds_back() {
    for (stays, goes) in [(0, 2), (2, 0)] {
        let (mut world, room) = three(81);
        world.partition(&[&[1, stays], &[goes]]);
        forge(&mut world, room, 1, |pen| (0..40).for_each(|_| pen.rotate()));
        world.run(MINUTE);
        assert_eq!((keys(&world, room, goes), keys(&world, room, stays)), (1, 41));
        world.partition(&[&[stays, goes], &[1]]);
        world.run(MINUTE);
        link_anew(&mut world, room, stays, goes);
        assert_eq!((keys(&world, room, goes), keys(&world, room, stays)), (41, 41));
    }
}

#[test]
fn more_authors_than_one_message_names_are_told_in_several() {
    let (mut world, room) = three(82);
    forge(&mut world, room, 1, |pen| (0..1100).for_each(|number| pen.invent(number)));
    world.run(MINUTE);
    assert!(have_the_same(&world, room, &[0, 1, 2]));
    world.partition(&[&[0, 2], &[1]]);
    link_anew(&mut world, room, 0, 2);
    for (at, other) in [(0, 2), (2, 0)] {
        assert_eq!(world.node(at).pending(&room, &world.member(other)), (0, 0));
    }
}

#[test]
fn of_more_ways_than_one_message_names_the_first_are_told() {
    let (mut world, room) = pair(83);
    say(&mut world, room, 1, "I know so many");
    let invented: Vec<MemberId> = forge(&mut world, room, 1, |pen| {
        let (label, key) = (InviteLabel([9; 16]), KnockKey::new([9; 32]));
        let invite = pen.say(Body::Invited(Invited { label, key, expires_at: pen_time(), uses: 100 }));
        (0..100).map(|number| pen.admit(number, invite).0.member()).collect()
    });
    world.crash(0);
    let mut peers = Peers::default();
    for (number, member) in (0u8..).zip(invented) {
        let transport = TransportId::new([number; 38]).expect("of that length");
        peers.met(member, &transport, &[]);
    }
    world.machines[0].disk.content().slots.insert((room, Slot::Peers), peers.encode());
    world.start(0);
    world.run(MINUTE);
    link_anew(&mut world, room, 0, 1);
}
