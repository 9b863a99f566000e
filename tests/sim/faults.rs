//! Planted faults: the same night with each of them, and each must be noticed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use pairwave_core::command::Command;
use pairwave_core::effect::Slot;
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::talk::{Kind, Message};

use crate::checks::{Check, agree, have_the_same, is_true, same, transcript};
use crate::fault::{Fault, PRECIOUS};
use crate::reference::Library;
use crate::scenes::{MINUTE, bring_in, fork, found, question, remove, said, say};
use crate::world::{At, HUMAN, World, human};

const ALICE: At = 0;
const BOB: At = 1;
const CAROL: At = 2;
const DAVE: At = 3;

#[test]
fn a_night_without_faults_passes() {
    night(None).unwrap();
}

macro_rules! noticed {
    ($($name:ident: $fault:ident,)*) => {
        $(#[test]
        fn $name() {
            let fault = Fault::$fault;
            let night = catch_unwind(AssertUnwindSafe(|| night(Some(fault))));
            assert!(!matches!(night, Ok(Ok(()))), "nobody noticed {fault:?}");
        })*

        #[test]
        fn every_fault_is_planted() {
            assert_eq!([$(Fault::$fault),*], Fault::ALL);
        }
    };
}

noticed! {
    durable_before_it_is_synced_is_noticed: SaysDurableTooEarly,
    speaking_before_writing_is_noticed: SpeaksBeforeWriting,
    an_order_by_id_is_noticed: OrdersById,
    a_doubled_event_is_noticed: DoublesEvents,
    a_lost_event_is_noticed: LosesAMessage,
    a_swallowed_removal_is_noticed: SwallowsRemovals,
    lost_keys_are_noticed: LosesKeys,
    a_hidden_fork_is_noticed: HidesForks,
    a_stale_reading_is_noticed: KeepsTheFirstReading,
    a_state_that_tells_another_story_is_noticed: TellsAnotherStory,
    a_forgotten_marker_is_noticed: ForgetsTheMarker,
    misdelivered_frames_are_noticed: Misdelivers,
}

/// Four people through everything that can happen to carol's disk.
fn night(fault: Option<Fault>) -> Check {
    let mut world = World::new(7, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, ALICE);
    for guest in [BOB, CAROL, DAVE] {
        bring_in(&mut world, room, ALICE, guest);
    }
    meet(&mut world, room, &[ALICE, BOB, CAROL, DAVE])?;
    let arrivals = world.node(CAROL).room(&room).map_or(0, |room| room.last_arrival());
    world.machines[CAROL].disk.content().fault = fault;
    let mut acknowledged = vec![conversation(&mut world, room)];
    fork(&mut world, room, DAVE);
    meet(&mut world, room, &[ALICE, BOB, CAROL, DAVE])?;
    acknowledged.push(power_failure(&mut world, room));
    reads(&mut world, room)?;
    acknowledged.push(older_copy(&mut world, room));
    let dave = world.member(DAVE);
    remove(&mut world, room, ALICE, dave);
    acknowledged.push(say(&mut world, room, BOB, PRECIOUS));
    meet(&mut world, room, &[ALICE, BOB, CAROL])?;
    reads(&mut world, room)?;
    alone_with_the_log(&mut world, room, fault, arrivals)?;
    meet(&mut world, room, &[ALICE, BOB, CAROL])?;
    let carol = world.member(CAROL);
    let forked = world.node(ALICE).room(&room).is_some_and(|room| room.state().equivocations.contains_key(&carol));
    same("carol forked", &forked, &false)?;
    for event in acknowledged {
        let times = transcript(&world, room, CAROL).iter().filter(|(id, _)| *id == event).count();
        same("times that an acknowledged event is there", &times, &1)?;
    }
    agree(&world, room, &[ALICE, BOB, CAROL])
}

fn meet(world: &mut World, room: RoomId, among: &[At]) -> Check {
    world.heal();
    world.run(Duration::from_secs(10));
    let met = world.run_until(5 * MINUTE, |world| have_the_same(world, room, among));
    same("they met", &met, &true)
}

fn conversation(world: &mut World, room: RoomId) -> EventId {
    let asked = said(world.ask(BOB, Command::Send { room, by: human(), message: question("how deep?") }));
    world.run(Duration::from_secs(10));
    for number in 0..20 {
        say(world, room, number % 3, &format!("well, {number}"));
    }
    let mut answer = Message::new(Kind::Answer, "seven");
    answer.answers = Some(asked);
    said(world.ask(CAROL, Command::Send { room, by: human(), message: answer }))
}

/// In the very moment in which carol's word was acknowledged.
fn power_failure(world: &mut World, room: RoomId) -> EventId {
    world.run(MINUTE);
    let event = say(world, room, CAROL, "acknowledged");
    world.crash(CAROL);
    world.start(CAROL);
    world.run(MINUTE);
    event
}

/// Carol's human reads everything, and nothing is left to read, after a restart either.
fn reads(world: &mut World, room: RoomId) -> Check {
    let through = world.node(CAROL).room(&room).map_or(0, |room| room.last_arrival());
    let start = Command::SessionStarted { room, session: HUMAN, origin: Origin::Human };
    let shown = Command::Shown { room, session: HUMAN, through };
    for command in [start, shown] {
        world.ask(CAROL, command).map_err(|refusal| refusal.to_string())?;
    }
    same("unread", &world.node(CAROL).unread_count(&room, &HUMAN), &0)
}

/// Carol's home comes back from an older copy, and at once she wants to speak.
fn older_copy(world: &mut World, room: RoomId) -> EventId {
    let backup = world.machines[CAROL].disk.copy();
    let event = say(world, room, CAROL, "after the copy");
    world.run(MINUTE);
    world.crash(CAROL);
    world.machines[CAROL].disk.put_back(backup);
    world.partition(&[&[ALICE, BOB, DAVE], &[CAROL]]);
    world.start(CAROL);
    let message = Message::new(Kind::Chat, "too soon");
    world.command(CAROL, Command::Send { room, by: human(), message });
    world.run(MINUTE);
    world.heal();
    world.run(MINUTE);
    event
}

/// What carol's companion makes of its log, with nobody there to mend it.
fn alone_with_the_log(world: &mut World, room: RoomId, fault: Option<Fault>, first: u64) -> Check {
    world.run(MINUTE);
    let before = world.node(CAROL).room(&room).map(|room| room.state().to_bytes());
    world.crash(CAROL);
    world.partition(&[&[ALICE, BOB, DAVE], &[CAROL]]);
    if fault != Some(Fault::TellsAnotherStory) {
        world.machines[CAROL].disk.content().slots.remove(&(room, Slot::State));
    }
    world.start(CAROL);
    is_true(world, &mut Library::default(), CAROL, room)?;
    let here = world.node(CAROL).room(&room).ok_or("carol has lost the room")?;
    same("there is more than at first", &(here.last_arrival() > first), &true)?;
    same("unread after a restart", &world.node(CAROL).unread_count(&room, &HUMAN), &0)?;
    same("state", &(Some(here.state().to_bytes()) == before), &true)
}
