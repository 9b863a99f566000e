//! Joining by letter: newcomer and members are never there at the same time.

use std::time::Duration;

use pairwave_core::command::{Command, Outcome};
use pairwave_core::effect::Slot;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::invite::Invite;
use pairwave_core::notice::{JoinRefusal, Notice};
use pairwave_core::seat::Standing;

use crate::post;
use crate::scenes::{MINUTE, bring_in, found, invite, join, one_truth, remove, say, settle};
use crate::world::{At, World, human};

const ALICE: At = 0;
const BOB: At = 1;
const CAROL: At = 2;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Alice's room with so many relays.
pub fn room(seed: u64, names: &[&'static str], relays: usize) -> (World, RoomId) {
    let mut world = World::new(seed, names);
    let room = found(&mut world, ALICE);
    for relay in 0..relays {
        let command = Command::AddRelay { room, by: human(), relay: post::name(relay) };
        world.ask(ALICE, command).expect("a relay");
    }
    world.set_relays(relays);
    world.run(5 * SECOND);
    (world, room)
}

/// Each of them is there for a while, and nobody else.
pub fn alone(world: &mut World, at: At, duration: Duration) {
    world.start(at);
    world.run(duration);
    world.crash(at);
}

/// Bob has the room's own key: what he says opens for alice, who comes when he has gone.
pub fn opens_a_letter(world: &mut World, room: RoomId) {
    let hello = say(world, room, BOB, "hello, alice");
    world.run(30 * SECOND);
    world.crash(BOB);
    world.start(ALICE);
    assert!(world.run_until(MINUTE, |world| has(world, ALICE, room, &hello)));
}

/// Bob holds an invite of alice, who has gone.
pub fn invited(seed: u64, relays: usize) -> (World, RoomId, EventId, Invite) {
    let (mut world, room) = room(seed, &["alice", "bob"], relays);
    say(&mut world, room, ALICE, "before bob");
    let (id, invite) = invite(&mut world, room, ALICE, 1);
    world.run(SECOND);
    world.crash(ALICE);
    (world, room, id, invite)
}

pub fn is_in(world: &World, at: At, room: RoomId) -> bool {
    world.node(at).standing(&room) == Standing::Member
}

pub fn has(world: &World, at: At, room: RoomId, event: &EventId) -> bool {
    let node = world.node(at);
    node.room(&room).is_some_and(|seat| seat.contains(node.log(), event).expect("the log can be read"))
}

fn left_at_a_relay(world: &World) -> bool {
    world.node(BOB).joins().any(|joining| joining.left_at.is_some())
}

#[test]
fn who_is_never_there_when_the_inviter_is_gets_in() {
    let (mut world, room, _, invite) = invited(1, 2);
    join(&mut world, BOB, invite);
    assert!(world.run_until(MINUTE, left_at_a_relay), "bob leaves a letter");
    world.crash(BOB);
    world.start(ALICE);
    let bob = world.member(BOB);
    assert!(world.run_until(MINUTE, |world| world.node(ALICE).room(&room).unwrap().is_member(&bob)));
    world.run(10 * SECOND);
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)), "the reply brings him in");
    assert!(world.machines[BOB].notices.contains(&Notice::Joined { room }));
    world.run(30 * SECOND);
    assert_eq!(world.node(BOB).joins().count(), 0);
    // And the letters of both go the usual way.
    let back = say(&mut world, room, BOB, "hello, alice");
    world.run(30 * SECOND);
    world.crash(BOB);
    world.start(ALICE);
    assert!(world.run_until(MINUTE, |world| has(world, ALICE, room, &back)));
    world.start(BOB);
    settle(&mut world, room, &[ALICE, BOB]);
    one_truth(&world, room, &[ALICE, BOB]);
    world.run(5 * MINUTE);
    assert_eq!(world.post.waiting(), 0, "nothing stays behind");
}

#[test]
fn what_is_said_after_the_admission_finds_the_newcomer_too() {
    let (mut world, room, _, invite) = invited(2, 1);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    world.start(ALICE);
    world.run(20 * SECOND);
    let welcome = say(&mut world, room, ALICE, "welcome, bob");
    world.run(20 * SECOND);
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(2 * MINUTE, |world| has(world, BOB, room, &welcome)));
}

#[test]
fn a_long_log_comes_in_several_letters() {
    let (mut world, room, _, invite) = invited(3, 1);
    world.start(ALICE);
    let said: Vec<EventId> =
        (0..1_200).map(|number| say(&mut world, room, ALICE, &format!("{number} {}", "x".repeat(700)))).collect();
    world.run(5 * SECOND);
    world.crash(ALICE);
    world.start(BOB);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, ALICE, MINUTE);
    assert!((4..=9).contains(&world.post.waiting()), "{}", world.post.waiting());
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    assert!(said.iter().all(|event| has(&world, BOB, room, event)));
}

#[test]
fn any_member_opens_and_is_believed_because_the_log_says_so() {
    let (mut world, room) = room(4, &["alice", "bob", "carol"], 2);
    bring_in(&mut world, room, ALICE, CAROL);
    let (_, invite) = invite(&mut world, room, ALICE, 1);
    settle(&mut world, room, &[ALICE, CAROL]);
    world.crash(ALICE);
    world.crash(CAROL);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, CAROL, 20 * SECOND);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    let by = world.node(BOB).room(&room).unwrap().state().members.get(&world.member(BOB)).unwrap().admitted_by;
    assert_eq!(by, Some(world.member(CAROL)));
    opens_a_letter(&mut world, room);
}

#[test]
fn after_a_removal_the_newcomer_has_the_keys_of_the_present() {
    let (mut world, room) = room(5, &["alice", "bob", "carol"], 1);
    bring_in(&mut world, room, ALICE, CAROL);
    settle(&mut world, room, &[ALICE, CAROL]);
    world.crash(CAROL);
    let carol = world.member(CAROL);
    remove(&mut world, room, ALICE, carol);
    let (_, invite) = invite(&mut world, room, ALICE, 1);
    world.run(5 * SECOND);
    world.crash(ALICE);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, ALICE, 20 * SECOND);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    opens_a_letter(&mut world, room);
}

#[test]
fn a_crash_at_any_moment_only_delays() {
    for after_ms in (0..7_000).step_by(130) {
        let (mut world, room, _, invite) = invited(6, 2);
        join(&mut world, BOB, invite);
        world.run(4 * SECOND + Duration::from_millis(after_ms / 4));
        world.crash(BOB);
        alone(&mut world, BOB, 20 * SECOND);
        alone(&mut world, ALICE, Duration::from_millis(after_ms / 20));
        alone(&mut world, ALICE, 20 * SECOND);
        alone(&mut world, BOB, Duration::from_millis(after_ms / 20));
        world.start(BOB);
        assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)), "{after_ms}");
        world.start(ALICE);
        settle(&mut world, room, &[ALICE, BOB]);
        one_truth(&world, room, &[ALICE, BOB]);
    }
}

#[test]
fn whatever_relays_do_to_letters_heals() {
    for seed in 10..40 {
        let (mut world, room, _, invite) = invited(seed, 2);
        let World { post, rng, .. } = &mut world;
        post.cheats(rng);
        join(&mut world, BOB, invite);
        world.run(20 * SECOND);
        world.crash(BOB);
        let came_in = (0..30).any(|_| {
            alone(&mut world, ALICE, 20 * SECOND);
            world.run(15 * MINUTE);
            world.start(BOB);
            world.run(20 * SECOND);
            let is_in = is_in(&world, BOB, room);
            world.crash(BOB);
            is_in
        });
        assert!(came_in, "seed {seed}");
        world.start(ALICE);
        world.start(BOB);
        settle(&mut world, room, &[ALICE, BOB]);
        one_truth(&world, room, &[ALICE, BOB]);
        let bob = world.member(BOB);
        let members = &world.node(ALICE).room(&room).unwrap().state().members;
        assert!(members.get(&bob).is_some_and(|bob| !bob.surplus));
    }
}

/// What bob hears when he comes back after alice has read his letter.
fn hears(world: &mut World, room: RoomId, invite: Invite, reason: JoinRefusal) {
    join(world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(world, ALICE, 20 * SECOND);
    world.start(BOB);
    let told = Notice::JoinRefused { room, reason };
    assert!(world.run_until(MINUTE, |world| world.machines[BOB].notices.contains(&told)), "{reason:?}");
    assert_eq!(world.node(BOB).joins().count(), 0);
    world.run(MINUTE);
    assert_eq!(world.post.waiting(), 0);
}

#[test]
fn a_revoked_invite_says_so_in_a_letter() {
    let (mut world, room, id, invite) = invited(50, 2);
    world.start(ALICE);
    world.ask(ALICE, Command::CloseInvite { room, by: human(), invite: id }).unwrap();
    world.run(SECOND);
    world.crash(ALICE);
    hears(&mut world, room, invite, JoinRefusal::Revoked);
}

#[test]
fn an_expired_invite_says_so_in_a_letter() {
    let (mut world, room) = room(51, &["alice", "bob"], 1);
    let command = Command::Invite { room, by: human(), expires_in: MINUTE, uses: 1 };
    let Ok(Outcome::Invited { invite, .. }) = world.ask(ALICE, command) else { panic!("no invite") };
    world.run(2 * MINUTE);
    world.crash(ALICE);
    hears(&mut world, room, invite, JoinRefusal::Expired);
}

#[test]
fn a_used_up_invite_says_so_in_a_letter() {
    let (mut world, room) = room(52, &["alice", "bob", "carol"], 1);
    let (_, invite) = invite(&mut world, room, ALICE, 1);
    join(&mut world, CAROL, invite.clone());
    assert!(world.run_until(MINUTE, |world| is_in(world, CAROL, room)));
    world.crash(CAROL);
    world.crash(ALICE);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, CAROL, 20 * SECOND);
    world.start(BOB);
    world.run(MINUTE);
    assert_eq!(world.node(BOB).joins().count(), 1, "carol's no is none: bob does not know her");
    world.crash(BOB);
    alone(&mut world, ALICE, 20 * SECOND);
    world.start(BOB);
    let told = Notice::JoinRefused { room, reason: JoinRefusal::UsedUp };
    assert!(world.run_until(2 * MINUTE, |world| world.machines[BOB].notices.contains(&told)));
}

#[test]
fn two_who_let_the_same_newcomer_in_at_once_are_one_admission() {
    let (mut world, room) = room(53, &["alice", "bob", "carol"], 2);
    bring_in(&mut world, room, ALICE, CAROL);
    let (_, invite) = invite(&mut world, room, ALICE, 1);
    settle(&mut world, room, &[ALICE, CAROL]);
    world.crash(ALICE);
    world.crash(CAROL);
    world.post.keeps_all = true;
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, ALICE, 20 * SECOND);
    alone(&mut world, CAROL, 20 * SECOND);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    world.start(ALICE);
    world.start(CAROL);
    settle(&mut world, room, &[ALICE, BOB, CAROL]);
    one_truth(&world, room, &[ALICE, BOB, CAROL]);
    let members = &world.node(BOB).room(&room).unwrap().state().members;
    assert!(!members.get(&world.member(BOB)).unwrap().surplus);
}

#[test]
fn a_wish_that_is_given_up_leaves_nothing_here() {
    let (mut world, room, _, invite) = invited(54, 1);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    assert_eq!(world.ask(BOB, Command::CancelJoin { room }), Ok(Outcome::Done));
    world.run(SECOND);
    let slots = world.machines[BOB].disk.content().slots.clone();
    assert!(slots.keys().all(|(of, _)| *of != room), "{:?}", slots.keys());
}

#[test]
fn a_relay_that_refuses_for_long_only_delays() {
    let (mut world, room, _, invite) = invited(62, 1);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    world.post.refuses = true;
    world.start(ALICE);
    world.run(60 * MINUTE);
    world.post.refuses = false;
    world.run(2 * MINUTE);
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
}

#[test]
fn who_is_let_in_live_meanwhile_has_one_membership_and_its_letters() {
    let (mut world, room, _, invite) = invited(55, 1);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.start(ALICE);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    settle(&mut world, room, &[ALICE, BOB]);
    one_truth(&world, room, &[ALICE, BOB]);
    assert_eq!(world.post.waiting(), 0);
    world.crash(BOB);
    let said = say(&mut world, room, ALICE, "while away");
    world.run(20 * SECOND);
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| has(world, BOB, room, &said)));
}

#[test]
fn the_letter_is_left_again_ever_more_rarely() {
    let (mut world, _, _, invite) = invited(56, 1);
    join(&mut world, BOB, invite);
    world.run(DAY);
    assert!((3..=14).contains(&world.post.waiting()), "{}", world.post.waiting());
    let slots = world.machines[BOB].disk.content().slots.len();
    assert!(slots > 0);
}

#[test]
fn relays_learn_nothing_but_sizes() {
    let (mut world, room, _, invite) = invited(57, 2);
    join(&mut world, BOB, invite.clone());
    world.run(20 * SECOND);
    world.crash(BOB);
    alone(&mut world, ALICE, 20 * SECOND);
    alone(&mut world, BOB, 20 * SECOND);
    let (alice, bob) = (world.member(ALICE), world.member(BOB));
    let planted: [&[u8]; 8] = [b"before bob", &room.0, &alice.0, &bob.0, &invite.label.0, b"10.0.0.", b"alice", b"bob"];
    assert!(world.post.seen.len() >= 4);
    for secret in planted {
        assert!(!world.post.learnt(secret), "{}", String::from_utf8_lossy(secret));
    }
}

#[test]
fn an_open_invite_has_the_mailbox_looked_at_although_nobody_is_away() {
    let (mut world, _) = room(58, &["alice"], 1);
    world.run(MINUTE);
    world.post.asked = 0;
    world.run(10 * MINUTE);
    assert_eq!(world.post.asked, 0, "nobody is expected");
    let room = world.node(ALICE).rooms().next().unwrap().id();
    invite(&mut world, room, ALICE, 1);
    world.run(10 * MINUTE);
    assert!((8..=22).contains(&world.post.asked), "{}", world.post.asked);
    world.run(DAY);
    world.post.asked = 0;
    world.run(DAY);
    assert!(world.post.asked < 100, "the invite has expired: {}", world.post.asked);
}

#[test]
fn keys_that_were_lost_do_not_keep_a_newcomer_out() {
    let (mut world, room, _, invite) = invited(59, 1);
    join(&mut world, BOB, invite);
    world.run(20 * SECOND);
    world.crash(BOB);
    world.machines[BOB].disk.content().slots.remove(&(room, Slot::Ratchets));
    alone(&mut world, ALICE, 20 * SECOND);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| is_in(world, BOB, room)));
    world.run(30 * SECOND);
    world.crash(BOB);
    world.start(ALICE);
    world.run(20 * SECOND);
    let said = say(&mut world, room, ALICE, "while away");
    world.run(20 * SECOND);
    world.crash(ALICE);
    world.start(BOB);
    assert!(world.run_until(MINUTE, |world| has(world, BOB, room, &said)));
}
