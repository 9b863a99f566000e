//! Planted faults: the same night with each of them, and each must be noticed, as what it is.

use std::time::Duration;

use pairwave_core::command::{Command, Outcome};
use pairwave_core::effect::Slot;
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::state::RoomState;
use pairwave_core::talk::{Kind, Message};

use crate::checks::{
    Check, agree, alike, has_what_it_claims, have_the_same, is_delivered, is_true, keys_are_renewed, same, transcript,
};
use crate::fault::{ACKNOWLEDGED, Fault, PRECIOUS};
use crate::reference::Library;
use crate::scenes::{MINUTE, bring_in, fork, found, question, remove, say};
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
    ($($name:ident: $fault:ident, $notice:literal;)*) => {
        $(#[test]
        fn $name() {
            let notice = night(Some(Fault::$fault)).expect_err("nobody noticed");
            assert!(notice.contains($notice), "noticed as {notice}");
        })*

        #[test]
        fn every_fault_is_planted() {
            assert_eq!([$(Fault::$fault),*], Fault::ALL);
        }
    };
}

noticed! {
    durable_before_it_is_synced_is_noticed: SaysDurableTooEarly, "acknowledged and not on carol's disk";
    speaking_before_writing_is_noticed: SpeaksBeforeWriting, "acknowledged and not on carol's disk";
    a_delivery_that_is_claimed_too_early_is_noticed: ClaimsDelivery, "delivered at carol, not on its disk";
    an_order_by_id_is_noticed: OrdersById, "at carol: order: ";
    a_doubled_event_is_noticed: DoublesEvents, "arrived twice";
    a_lost_event_is_noticed: LosesAMessage, "carol says that it has a message and has not";
    a_forgotten_append_is_noticed: ForgetsAnAppend, "acknowledged and not on carol's disk";
    a_swallowed_removal_is_noticed: SwallowsRemovals, "carol says that it has a removal and has not";
    lost_keys_are_noticed: LosesKeys, "carol has lost the room";
    a_key_that_is_not_renewed_is_noticed: KeepsTheFirstKey, "carol has a key of the newest epoch that who was removed has";
    a_hidden_fork_is_noticed: HidesForks, "carol says that it has a twin and has not";
    a_stale_reading_is_noticed: KeepsTheFirstReading, "unread after a restart: ";
    a_state_that_tells_another_story_is_noticed: TellsAnotherStory, "title: ";
    a_stale_state_is_noticed: KeepsTheFirstState, "newest word: ";
    a_tie_that_is_broken_the_other_way_is_noticed: BreaksTiesTheOtherWay, "effect: ";
    an_ignored_removal_is_noticed: IgnoresRemovals, "standing: ";
    an_epoch_that_does_not_start_is_noticed: StartsNoEpoch, "epochs: ";
    a_forgiven_fork_is_noticed: ForgivesForks, "forked: ";
    a_forgotten_marker_is_noticed: ForgetsTheMarker, "carol forked: ";
    misdelivered_frames_are_noticed: Misdelivers, "nothing is delivered at carol";
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
    let mut acknowledged = conversation(&mut world, room)?;
    fork(&mut world, room, DAVE);
    meet(&mut world, room, &[ALICE, BOB, CAROL, DAVE])?;
    acknowledged.push(power_failure(&mut world, room)?);
    reads(&mut world, room)?;
    acknowledged.push(older_copy(&mut world, room)?);
    let dave = world.member(DAVE);
    remove(&mut world, room, ALICE, dave);
    acknowledged.push(say(&mut world, room, BOB, PRECIOUS));
    meet(&mut world, room, &[ALICE, BOB, CAROL])?;
    keys_are_renewed(&world, room, &[ALICE, BOB, CAROL], DAVE)?;
    reads(&mut world, room)?;
    alone_with_the_log(&mut world, room, arrivals)?;
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
    same("they met", &met, &true)?;
    has_what_it_claims(world, room, CAROL, ALICE)
}

fn conversation(world: &mut World, room: RoomId) -> Result<Vec<EventId>, String> {
    let mut said = vec![speak(world, room, CAROL, Message::new(Kind::Chat, "how deep?"))?];
    let asked = speak(world, room, BOB, question("how deep?"))?;
    is_delivered(world, room, asked, BOB, CAROL)?;
    world.run(Duration::from_secs(10));
    for number in 0..20 {
        said.push(speak(world, room, number % 3, Message::new(Kind::Chat, format!("well, {number}")))?);
    }
    let mut answer = Message::new(Kind::Answer, "seven");
    answer.answers = Some(asked);
    said.push(speak(world, room, CAROL, answer)?);
    world.run(Duration::from_secs(10));
    for at in [ALICE, BOB] {
        world.command(at, Command::Name { room, by: human(), session: None, name: "chief".into() });
    }
    world.run(Duration::from_secs(10));
    is_true(world, &mut Library::default(), CAROL, room)?;
    Ok(said)
}

/// Says something, which is on the speaker's disk when it is acknowledged.
fn speak(world: &mut World, room: RoomId, at: At, message: Message) -> Result<EventId, String> {
    let text = message.text.clone();
    match world.ask(at, Command::Send { room, by: human(), message }) {
        Ok(Outcome::Said { event, .. }) if world.machines[at].disk.holds(room, event) => Ok(event),
        Ok(_) => Err(format!("{text:?} is acknowledged and not on {}'s disk", world.machines[at].name)),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// In the very moment in which carol's word was acknowledged.
fn power_failure(world: &mut World, room: RoomId) -> Result<EventId, String> {
    world.run(MINUTE);
    let event = speak(world, room, CAROL, Message::new(Kind::Chat, ACKNOWLEDGED))?;
    let before = state(world, room)?;
    world.crash(CAROL);
    world.start(CAROL);
    alike(&state(world, room)?, &before)?;
    world.run(MINUTE);
    Ok(event)
}

fn state(world: &World, room: RoomId) -> Result<RoomState, String> {
    let here = world.node(CAROL).room(&room).ok_or("carol has lost the room")?;
    Ok(here.state().clone())
}

/// Carol's human reads everything, and nothing is left to read, after a restart either.
fn reads(world: &mut World, room: RoomId) -> Check {
    let through = world.node(CAROL).room(&room).map_or(0, |room| room.last_arrival());
    let start = Command::SessionStarted { room, session: HUMAN, origin: Origin::Human };
    let shown = Command::Shown { room, by: human(), through };
    for command in [start, shown] {
        world.ask(CAROL, command).map_err(|refusal| refusal.to_string())?;
    }
    same("unread", &world.node(CAROL).unread_count(&room, human()), &0)
}

/// Carol's home comes back from an older copy, and at once she wants to speak.
fn older_copy(world: &mut World, room: RoomId) -> Result<EventId, String> {
    let backup = world.machines[CAROL].disk.copy();
    let event = speak(world, room, CAROL, Message::new(Kind::Chat, "after the copy"))?;
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
    Ok(event)
}

/// What carol's companion makes of what it kept, with nobody there to mend it.
fn alone_with_the_log(world: &mut World, room: RoomId, first: u64) -> Check {
    world.run(MINUTE);
    let before = state(world, room)?;
    world.crash(CAROL);
    world.partition(&[&[ALICE, BOB, DAVE], &[CAROL]]);
    world.start(CAROL);
    alike(&state(world, room)?, &before)?;
    world.crash(CAROL);
    world.machines[CAROL].disk.content().slots.remove(&(room, Slot::State));
    world.start(CAROL);
    alike(&state(world, room)?, &before)?;
    is_true(world, &mut Library::default(), CAROL, room)?;
    let arrivals = world.node(CAROL).room(&room).map_or(0, |room| room.last_arrival());
    same("there is more than at first", &(arrivals > first), &true)?;
    same("unread after a restart", &world.node(CAROL).unread_count(&room, human()), &0)
}
