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
    let void = state.marks.values().any(|mark| *mark == closed || *mark == Mark::Membership(Void::NotAMember));
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
