//! Invites and who comes in through them.

use std::time::Duration;

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::RoomId;
use pairwave_core::mark::Mark;
use pairwave_core::members::Void;
use pairwave_core::notice::{JoinRefusal, Notice};
use pairwave_core::seat::Standing;

use crate::scenes::{MINUTE, bring_in, found, invite, join, one_truth, remove, say, settle};
use crate::world::{At, World, human};

fn refused(world: &mut World, room: RoomId, at: At, reason: JoinRefusal) {
    let told = Notice::JoinRefused { room, reason };
    let heard = world.run_until(2 * MINUTE, |world| world.machines[at].notices.contains(&told));
    assert!(heard, "{:?}", world.machines[at].notices);
    assert_eq!(world.node(at).joins().count(), 0);
}

#[test]
fn a_used_up_invite_says_so() {
    let mut world = World::new(30, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    let (_, invite) = invite(&mut world, room, 0, 1);
    join(&mut world, 1, invite.clone());
    world.run(MINUTE);
    assert_eq!(world.node(1).standing(&room), Standing::Member);
    join(&mut world, 2, invite);
    refused(&mut world, room, 2, JoinRefusal::UsedUp);
}

#[test]
fn an_expired_invite_says_so() {
    let mut world = World::new(31, &["alice", "bob"]);
    let room = found(&mut world, 0);
    let command = Command::Invite { room, by: human(), expires_in: MINUTE, uses: 1 };
    let Ok(Outcome::Invited { invite, .. }) = world.ask(0, command) else { panic!("no invite") };
    world.run(2 * MINUTE);
    join(&mut world, 1, invite);
    refused(&mut world, room, 1, JoinRefusal::Expired);
}

#[test]
fn a_revoked_invite_says_so() {
    let mut world = World::new(32, &["alice", "bob"]);
    let room = found(&mut world, 0);
    let (id, invite) = invite(&mut world, room, 0, 1);
    let close = Command::CloseInvite { room, by: human(), invite: id };
    world.ask(0, close.clone()).unwrap();
    assert_eq!(world.ask(0, close), Err(Refusal::NoSuchInvite));
    join(&mut world, 1, invite);
    refused(&mut world, room, 1, JoinRefusal::Revoked);
}

#[test]
fn who_was_removed_does_not_come_back_under_the_same_key() {
    let mut world = World::new(33, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    world.run(MINUTE);
    let (_, invite) = invite(&mut world, room, 0, 1);
    join(&mut world, 1, invite);
    refused(&mut world, room, 1, JoinRefusal::Removed);
}

#[test]
fn who_left_does_not_come_back_with_a_new_invite() {
    let mut world = World::new(37, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    world.ask(1, Command::Leave { room, by: human() }).unwrap();
    world.run(MINUTE);
    let (_, invite) = invite(&mut world, room, 0, 1);
    join(&mut world, 1, invite);
    refused(&mut world, room, 1, JoinRefusal::Left);
}

#[test]
fn a_knock_waits_until_any_member_is_back() {
    let mut world = World::new(34, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    let (_, invite) = invite(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    world.crash(0);
    world.crash(1);
    join(&mut world, 2, invite);
    world.run(10 * MINUTE);
    assert_eq!(world.node(2).standing(&room), Standing::Waiting);
    assert_eq!(world.node(2).joins().count(), 1);
    world.crash(2);
    world.start(2);
    world.start(1);
    let joined = world.run_until(10 * MINUTE, |world| world.node(2).standing(&room) == Standing::Member);
    assert!(joined, "bob did not open");
    let carol = world.member(2);
    let by = world.node(1).room(&room).unwrap().state().members.get(&carol).unwrap().admitted_by;
    assert_eq!(by, Some(world.member(1)));
    world.start(0);
    settle(&mut world, room, &[0, 1, 2]);
    one_truth(&world, room, &[0, 1, 2]);
}

#[test]
fn two_who_come_in_at_once_through_one_invite_both_stay_and_it_shows() {
    let mut world = World::new(35, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    let (id, invite) = invite(&mut world, room, 0, 1);
    settle(&mut world, room, &[0, 1]);
    world.partition(&[&[0, 2], &[1, 3]]);
    join(&mut world, 2, invite.clone());
    join(&mut world, 3, invite);
    world.run(10 * MINUTE);
    world.heal();
    settle(&mut world, room, &[0, 1, 2, 3]);
    one_truth(&world, room, &[0, 1, 2, 3]);
    let members = &world.node(0).room(&room).unwrap().state().members;
    let surplus = [2, 3].iter().filter(|at| members.get(&world.member(**at)).unwrap().surplus).count();
    assert_eq!(surplus, 1);
    assert_eq!(members.invite(&id).unwrap().used, 2);
}

#[test]
fn a_removal_closes_the_invites_that_were_open() {
    let mut world = World::new(36, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 3);
    let (id, invite) = invite(&mut world, room, 1, 5);
    settle(&mut world, room, &[0, 1, 3]);
    world.partition(&[&[0], &[1, 2, 3]]);
    let bob = world.member(1);
    let removal = remove(&mut world, room, 0, bob);
    join(&mut world, 2, invite.clone());
    let joined = world.run_until(5 * MINUTE, |world| world.node(2).standing(&room) == Standing::Member);
    assert!(joined, "nobody knows of the removal yet");
    world.run(MINUTE);
    say(&mut world, room, 3, "welcome, carol");
    world.heal();
    settle(&mut world, room, &[0, 3]);
    world.run(2 * MINUTE);
    let state = world.node(0).room(&room).unwrap().state();
    assert_eq!(state.members.invite(&id).unwrap().closed, Some(removal));
    assert!(state.members.get(&world.member(2)).is_none(), "the admission is void");
    let closed = Mark::Membership(Void::InviteClosed);
    let void = state.marks.newest().any(|(_, mark)| *mark == closed || *mark == Mark::Membership(Void::NotAMember));
    assert!(void);
    one_truth(&world, room, &[0, 3]);
}

#[test]
fn what_nobody_answers_is_given_up_when_told_to() {
    let mut world = World::new(37, &["alice", "bob"]);
    let room = found(&mut world, 0);
    let (_, invite) = invite(&mut world, room, 0, 1);
    world.crash(0);
    join(&mut world, 1, invite);
    world.run(Duration::from_secs(30));
    assert_eq!(world.ask(1, Command::CancelJoin { room }), Ok(Outcome::Done));
    assert_eq!(world.ask(1, Command::CancelJoin { room }), Err(Refusal::NoSuchRoom));
    world.start(0);
    world.run(2 * MINUTE);
    assert_eq!(world.node(1).standing(&room), Standing::Waiting);
}

/// Alice removed bob, and bob, who does not know it, let carol in. Dave hears them both.
fn let_in_by_somebody_removed(seed: u64) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 3);
    settle(&mut world, room, &[0, 1, 3]);
    world.partition(&[&[0], &[1, 2, 3]]);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    (world, room)
}

#[test]
fn who_was_let_in_for_nothing_is_out_and_may_come_in_again() {
    let (mut world, room) = let_in_by_somebody_removed(38);
    bring_in(&mut world, room, 1, 2);
    say(&mut world, room, 2, "hello, everybody");
    world.run(MINUTE);
    world.heal();
    let out = world.run_until(5 * MINUTE, |world| world.node(2).standing(&room) == Standing::Removed);
    assert!(out, "{:?}", world.node(2).standing(&room));
    assert!(world.machines[2].notices.contains(&Notice::Out { room }));
    world.run(MINUTE);
    world.crash(2);
    world.start(2);
    assert_eq!(world.node(2).standing(&room), Standing::Removed, "after a restart too");

    let (_, fresh) = invite(&mut world, room, 0, 1);
    join(&mut world, 2, fresh);
    assert_eq!(world.node(2).standing(&room), Standing::Waiting);
    let joined = world.run_until(5 * MINUTE, |world| world.node(2).standing(&room) == Standing::Member);
    assert!(joined, "{:?}", world.machines[2].notices);
    say(&mut world, room, 2, "hello again");
    for at in [0, 3] {
        say(&mut world, room, at, "welcome");
    }
    settle(&mut world, room, &[0, 2, 3]);
    one_truth(&world, room, &[0, 2, 3]);
    let by = world.node(3).room(&room).unwrap().state().members.get(&world.member(2)).unwrap().admitted_by;
    assert_eq!(by, Some(world.member(0)));
}

#[test]
fn who_was_let_in_and_is_turned_away_knocks_again() {
    let (mut world, room) = let_in_by_somebody_removed(39);
    // Made without knowledge of the removal, which therefore does not close it.
    let (_, invite) = invite(&mut world, room, 3, 5);
    settle(&mut world, room, &[1, 3]);
    world.crash(3);
    join(&mut world, 2, invite);
    let welcome = |world: &World| world.node(2).room(&room).is_some_and(|room| room.count() == 0);
    assert!(world.run_until(5 * MINUTE, welcome), "bob does not open");
    world.crash(1);
    world.run(MINUTE);
    assert!(welcome(&world) && world.node(2).standing(&room) == Standing::Waiting, "the log has not come");
    world.crash(2);
    world.start(2);
    world.start(3);
    world.heal();
    let joined = world.run_until(30 * MINUTE, |world| world.node(2).standing(&room) == Standing::Member);
    assert!(joined, "{:?}", world.machines[2].notices);
    settle(&mut world, room, &[0, 2, 3]);
    let by = world.node(0).room(&room).unwrap().state().members.get(&world.member(2)).unwrap().admitted_by;
    assert_ne!(by, Some(world.member(1)));
    one_truth(&world, room, &[0, 2, 3]);
}
