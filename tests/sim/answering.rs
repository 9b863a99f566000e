//! Joining where the inviter cannot be reached: the joiner sends a line back, and is dialled.

use std::time::Duration;

use pairwave_core::answer::Answer;
use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::id::RoomId;
use pairwave_core::seat::Standing;

use crate::scenes::{MINUTE, found, invite, join, one_truth, say, settle};
use crate::world::{World, human};

/// Alice, whom nobody can dial, has invited bob, and bob knows the line to send back.
fn out_of_reach(seed: u64) -> (World, RoomId, Answer) {
    let mut world = World::new(seed, &["alice", "bob"]);
    world.network.out_of_reach.insert(0);
    let room = found(&mut world, 0);
    let (_, invite) = invite(&mut world, room, 0, 1);
    join(&mut world, 1, invite);
    world.run(10 * MINUTE);
    assert_eq!(world.node(1).standing(&room), Standing::Waiting);
    let answer = world.node(1).answer_line(&room).expect("a line to send back");
    (world, room, answer)
}

#[test]
fn who_sends_a_line_back_is_dialled_and_let_in() {
    let (mut world, room, answer) = out_of_reach(60);
    let transport = world.machines[1].transport.clone();
    assert_eq!(answer.transport, transport);
    let line = answer.to_string().parse().unwrap();
    let answering = Outcome::Answering { room, transport: transport.clone() };
    assert_eq!(world.ask(0, Command::Answer { answer: line }), Ok(answering));
    let joined = world.run_until(MINUTE, |world| world.node(1).standing(&room) == Standing::Member);
    assert!(joined, "{:?}", world.machines[1].notices);
    assert_eq!(world.node(0).member_at(&room, &transport), Some(world.member(1)));
    assert_eq!(world.node(1).answer_line(&room), None);
    say(&mut world, room, 1, "hello alice");
    settle(&mut world, room, &[0, 1]);
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn a_joiner_who_comes_back_within_a_quarter_of_an_hour_is_still_dialled() {
    for (away, met) in [(10 * MINUTE, true), (20 * MINUTE, false)] {
        let (mut world, room, answer) = out_of_reach(61);
        world.crash(1);
        world.ask(0, Command::Answer { answer }).unwrap();
        world.run(away);
        world.start(1);
        world.run(2 * MINUTE);
        assert_eq!(world.node(1).standing(&room) == Standing::Member, met, "after {away:?}");
    }
}

#[test]
fn what_answers_no_open_invite_is_refused() {
    let (mut world, room, answer) = out_of_reach(62);
    let ask = |world: &mut World, at, answer: &Answer| world.ask(at, Command::Answer { answer: answer.clone() });
    let transport = world.machines[0].transport.clone();
    let own = Answer { transport, ..answer.clone() };
    assert_eq!(ask(&mut world, 0, &own), Err(Refusal::OwnAnswer));
    let mut foreign = answer.clone();
    foreign.label.0[0] ^= 1;
    assert_eq!(ask(&mut world, 0, &foreign), Err(Refusal::UnknownInvite));
    world.run(Duration::from_secs(25 * 3600));
    assert_eq!(ask(&mut world, 0, &answer), Err(Refusal::InviteExpired));
    let label = answer.label;
    let id = world.node(0).room(&room).unwrap().state().members.invite_by_label(&label).unwrap().id;
    world.ask(0, Command::CloseInvite { room, by: human(), invite: id }).unwrap();
    assert_eq!(ask(&mut world, 0, &answer), Err(Refusal::InviteRevoked));
}

#[test]
fn there_is_no_line_to_send_back_while_the_inviter_is_there() {
    let mut world = World::new(63, &["alice", "bob"]);
    let room = found(&mut world, 0);
    let (_, invite) = invite(&mut world, room, 0, 1);
    world.run(Duration::from_secs(1));
    join(&mut world, 1, invite);
    let met = world.run_until(MINUTE, |world| world.node(1).answer_line(&room).is_none());
    assert!(met, "connected, or in");
}
