//! What things cost, counted in reads of the log: nobody waits for a companion that reads its
//! history over and over.

use std::time::Duration;

use pairwave_core::actions::{RequestState, Risk};
use pairwave_core::command::{Command, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::effect::Slot;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{RoomId, SessionId};
use pairwave_core::input::Input;
use pairwave_core::room::Room;
use pairwave_core::state::Equivocation;
use pairwave_core::talk::{Kind, Message};

use crate::bodies::{charter, finding};
use crate::checks::{agree, mark_of};
use crate::consenting::{act, agreed, fetch, state};
use crate::mallory::{chat, forge};
use crate::scenes::{MINUTE, bring_in, fork, found, one_truth, question, said, say, settle};
use crate::world::{At, World, human};

const AGENT: SessionId = SessionId([21; 16]);

fn agent() -> Speaker {
    Speaker { session: AGENT, origin: Origin::Agent }
}

fn people(seed: u64, names: &[&'static str]) -> (World, RoomId) {
    let mut world = World::new(seed, names);
    let room = found(&mut world, 0);
    let all: Vec<At> = (0..names.len()).collect();
    for guest in &all[1..] {
        bring_in(&mut world, room, 0, *guest);
        say(&mut world, room, *guest, "hello");
    }
    settle(&mut world, room, &all);
    (world, room)
}

/// Many messages, one after the other, without waiting for each reply.
fn talk(world: &mut World, room: RoomId, at: At, messages: usize, bytes: usize) {
    for number in 0..messages {
        let text = format!("{number} {}", "x".repeat(bytes));
        world.command(at, Command::Send { room, by: human(), message: Message::new(Kind::Chat, text) });
    }
    world.run(MINUTE);
    let replies = std::mem::take(&mut world.machines[at].replies);
    assert!(replies.len() >= messages && replies.values().all(Result::is_ok));
}

fn reads(world: &World, at: At) -> u64 {
    world.machines[at].disk.take_reads()
}

fn forget_reads(world: &World) {
    world.machines.iter().for_each(|machine| _ = machine.disk.take_reads());
}

/// What a restart of this machine makes of the log alone.
fn from_the_log_alone(world: &mut World, room: RoomId, at: At) -> Vec<u8> {
    world.crash(at);
    world.machines[at].disk.content().slots.remove(&(room, Slot::State));
    world.network.groups.insert(at, 99);
    world.start(at);
    world.node(at).room(&room).unwrap().state().to_bytes()
}

#[test]
fn two_who_were_apart_for_long_fold_each_stretch_a_few_times() {
    const EACH: usize = 600;
    let (mut world, room) = people(60, &["alice", "bob"]);
    world.partition(&[&[0], &[1]]);
    for at in [0, 1] {
        // So long that a message of the link holds a few of them: dozens of batches.
        talk(&mut world, room, at, EACH, 10_000);
    }
    forget_reads(&world);
    world.heal();
    settle(&mut world, room, &[0, 1]);
    world.run(MINUTE);
    for at in [0, 1] {
        let (reads, events) = (reads(&world, at), 2 * EACH as u64);
        println!("{reads} reads of {events} events at {at}");
        assert!(reads < 8 * events, "{reads} reads at {at}");
        assert!(world.node(at).room(&room).is_some_and(Room::is_settled));
    }
    agree(&world, room, &[0, 1]).unwrap();
}

#[test]
fn after_a_restart_a_late_event_is_folded_from_a_checkpoint_nearby() {
    const BEFORE: usize = 1500;
    for (since, bound) in [(20, 500), (250, 1300)] {
        let (mut world, room) = people(61, &["alice", "bob"]);
        talk(&mut world, room, 0, BEFORE, 10);
        settle(&mut world, room, &[0, 1]);
        world.partition(&[&[0], &[1]]);
        talk(&mut world, room, 0, since, 10);
        say(&mut world, room, 1, "late");
        world.crash(0);
        world.start(0);
        forget_reads(&world);
        world.heal();
        settle(&mut world, room, &[0, 1]);
        world.run(MINUTE);
        let reads = reads(&world, 0);
        println!("{reads} reads for one event that is {since} late");
        assert!(reads < bound, "{reads} reads for one event that is {since} late");
        one_truth(&world, room, &[0, 1]);
        let state = world.node(0).room(&room).unwrap().state().to_bytes();
        assert!(from_the_log_alone(&mut world, room, 0) == state);
    }
}

#[test]
fn a_link_costs_no_more_for_an_author_who_forked_late() {
    const BEFORE: u64 = 1000;
    let (mut world, room) = people(62, &["alice", "bob", "carol"]);
    forge(&mut world, room, 1, |pen| (0..BEFORE).for_each(|number| _ = pen.say(chat(&number.to_string()))));
    settle(&mut world, room, &[0, 1, 2]);
    world.crash(2);
    fork(&mut world, room, 1);
    settle(&mut world, room, &[0, 1]);
    world.start(2);
    forget_reads(&world);
    settle(&mut world, room, &[0, 1, 2]);
    for (at, name) in ["alice", "bob", "carol"].into_iter().enumerate() {
        let reads = reads(&world, at);
        println!("{reads} reads by {name}");
        assert!(reads < 4 * BEFORE, "{reads} reads by {name}");
        let state = world.node(at).room(&room).unwrap().state();
        assert_eq!(state.equivocations.get(&world.member(1)), Some(&Equivocation::Forked));
    }
    one_truth(&world, room, &[0, 1, 2]);
}

/// Each word of one who hears nothing, and goes on, belongs before all that was said since.
#[test]
fn who_hears_nothing_has_the_room_folded_again_only_so_often() {
    const BEFORE: u64 = 2000;
    let (mut world, room) = people(66, &["alice", "bob"]);
    world.mute(0, 1);
    let send = |world: &mut World, at, text: String| {
        world.command(at, Command::Send { room, by: human(), message: Message::new(Kind::Chat, text) })
    };
    (0..BEFORE).for_each(|number| _ = send(&mut world, 0, number.to_string()));
    forget_reads(&world);
    for number in 0..36 {
        send(&mut world, 1, format!("deaf {number}"));
        world.run(Duration::from_millis(150));
    }
    let reads = reads(&world, 0);
    println!("{reads} reads");
    assert!(reads > BEFORE, "nothing came late");
    assert!(reads < 14 * BEFORE, "{reads} reads");
    world.unmute();
    settle(&mut world, room, &[0, 1]);
    world.run(MINUTE);
    one_truth(&world, room, &[0, 1]);
}

/// Who forks and heals has every answer to a question of one branch looked for in the graph.
#[test]
fn of_what_lies_behind_a_fork_nothing_is_read_for_every_answer_again() {
    const BETWEEN: u64 = 500;
    const ANSWERS: u64 = 100;
    let (mut world, room) = people(65, &["alice", "bob"]);
    let twin = forge(&mut world, room, 1, |pen| {
        let before = pen.say(chat("before"));
        let first = pen.say(Body::Message(question("one?")));
        let twin = pen.write(Body::Message(question("two?")), |event| {
            event.seq -= 1;
            event.backlink = Some(before);
            event.parents = vec![before];
        });
        pen.write(chat("healed"), |event| event.parents.push(first));
        (0..BETWEEN).for_each(|number| _ = pen.say(chat(&number.to_string())));
        twin
    });
    settle(&mut world, room, &[0, 1]);
    forget_reads(&world);
    let answers = forge(&mut world, room, 1, |pen| {
        let mut answer = Message::new(Kind::Answer, "yes");
        answer.answers = Some(twin);
        (0..ANSWERS).map(|_| pen.say(Body::Message(answer.clone()))).collect::<Vec<_>>()
    });
    settle(&mut world, room, &[0, 1]);
    let state = world.node(0).room(&room).unwrap().state();
    assert!(answers.iter().all(|answer| mark_of(state, *answer).is_none()));
    let reads = reads(&world, 0);
    println!("{reads} reads for {ANSWERS} answers");
    assert!(reads < 4 * (BETWEEN + ANSWERS), "{reads} reads for {ANSWERS} answers");
    one_truth(&world, room, &[0, 1]);
}

#[test]
fn a_session_that_only_speaks_does_not_read_its_own_words() {
    let (mut world, room) = people(63, &["alice", "bob"]);
    world.ask(0, Command::SessionStarted { room, session: AGENT, origin: Origin::Agent }).unwrap();
    let through = world.node(0).room(&room).unwrap().last_arrival();
    world.ask(0, Command::Shown { room, by: agent(), through }).unwrap();
    for number in 0..300 {
        let message = Message::new(Kind::Chat, format!("step {number}"));
        world.command(0, Command::Send { room, by: agent(), message });
    }
    world.run(MINUTE);
    forget_reads(&world);
    assert_eq!(world.node(0).unread(&room, agent(), 10).unwrap(), []);
    let reads = reads(&world, 0);
    assert!(reads < 10, "{reads} reads to find nothing");
}

#[test]
fn after_a_clean_stop_the_log_is_not_read_again() {
    let (mut world, room) = people(62, &["alice", "bob"]);
    talk(&mut world, room, 0, 600, 10);
    say(&mut world, room, 0, "the last one");
    world.feed(0, Input::Ending);
    world.run(Duration::from_millis(100));
    world.crash(0);
    forget_reads(&world);
    world.start(0);
    let reads = reads(&world, 0);
    assert!(reads < 50, "{reads} reads at the start");
}

/// Requests that went all the way, by the hundred, and a charter and a floor: what is said after them
/// reads no more of the log than in a room without.
#[test]
fn a_room_in_full_use_reads_no_more_than_a_fresh_one() {
    let reads_of = |in_use: bool| {
        let (mut world, room) = agreed(64, &["alice", "bob"], charter(0));
        act(&mut world, room, 0, human(), Act::Claim { reason: None }).unwrap();
        for page in 0..if in_use { 150 } else { 0 } {
            let what = fetch(&world, 1, page);
            let request = said(act(&mut world, room, 0, human(), Act::Request(what.clone())));
            let approve = Act::Approve { request, hash: what.hash(), risk: Risk::Low, always: page % 2 == 0 };
            world.run(Duration::from_secs(1));
            for act in [approve, Act::Hand { request }, Act::Complete { request, ok: true, detail: None }] {
                world.command(1, Command::Act { room, by: human(), act });
            }
            world.run(Duration::from_secs(1));
        }
        let done = state(&world, room, 0).actions.iter().filter(|(_, it)| it.state() == RequestState::Done).count();
        assert_eq!(done, if in_use { 150 } else { 0 });
        settle(&mut world, room, &[0, 1]);
        forget_reads(&world);
        let started = std::time::Instant::now();
        for _ in 0..300 {
            world.command(0, Command::Send { room, by: human(), message: finding("look") });
        }
        world.run(MINUTE);
        println!("300 findings took {:?}, in full use: {in_use}", started.elapsed());
        [0, 1].map(|at| reads(&world, at))
    };
    let (fresh, used) = (reads_of(false), reads_of(true));
    println!("{fresh:?} reads in a fresh room, {used:?} in one in full use");
    for (fresh, used) in fresh.into_iter().zip(used) {
        assert!(used * 10 < fresh * 11 + 100, "{used} reads instead of {fresh}");
    }
}
