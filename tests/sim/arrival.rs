//! The order in which events come, and what a bad network makes of it, loses nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pairwave_core::command::Command;
use pairwave_core::event::SignedEvent;
use pairwave_core::id::{EventId, RoomId};
use pairwave_core::log::{Log, MemoryLog};
use pairwave_core::room::{Acceptance, Room};
use pairwave_core::seat::Standing;
use pairwave_core::talk::{Kind, Message};
use rand_core::Rng;

use crate::checks::{agree, have_the_same, transcript};
use crate::scenes::{MINUTE, bring_in, found, invite, join, one_truth, remove, say, settle};
use crate::world::{At, World, human};

/// The events of a room, as signed.
pub type Events = BTreeMap<EventId, Vec<u8>>;

/// The events in this companion's log.
pub fn events(world: &World, room: RoomId, at: At) -> Events {
    let node = world.node(at);
    let view = node.room(&room).unwrap().view(node.log());
    let arrivals = view.arrivals(&room, 0, usize::MAX).unwrap();
    arrivals.iter().map(|(_, id)| (*id, view.get(&room, id).unwrap().unwrap().signed)).collect()
}

/// What a stranger makes of them: they come in some order, a few at a time, each of them once, and
/// once more whenever it is asked for after that.
pub fn in_any_order(world: &mut World, room: RoomId, events: &Events) -> Room {
    let mut stranger = Stranger::new(world, room);
    let order = shuffled(world, events.keys().copied().collect());
    stranger.take_all(world, events, order);
    stranger.nothing_is_lost(events)
}

/// As [`in_any_order`], but one of them comes when everything else has.
fn in_any_order_but(last: EventId, world: &mut World, room: RoomId, events: &Events) -> Room {
    let mut stranger = Stranger::new(world, room);
    let order = shuffled(world, events.keys().copied().filter(|id| *id != last).collect());
    stranger.withheld = Some(last);
    stranger.take_all(world, events, order);
    stranger.withheld = None;
    stranger.take_all(world, events, vec![last]);
    stranger.nothing_is_lost(events)
}

struct Stranger {
    room: Room,
    there: BTreeSet<EventId>,
    /// Asking for this one is in vain.
    withheld: Option<EventId>,
}

impl Stranger {
    fn new(world: &World, room: RoomId) -> Self {
        Self { room: Room::joining(room, world.member(0)), there: BTreeSet::new(), withheld: None }
    }

    fn take_all(&mut self, world: &mut World, events: &Events, order: Vec<EventId>) {
        let (mut coming, mut offered) = (VecDeque::from(order), 0);
        while !coming.is_empty() {
            let few = 1 + dice(world, 8);
            let batch: Vec<EventId> = (0..few).map_while(|_| coming.pop_front()).collect();
            offered += batch.len();
            assert!(offered < 50 * events.len(), "it asks for the same again and again");
            for id in self.take(events, &batch) {
                if !coming.contains(&id) && self.withheld != Some(id) {
                    coming.insert(dice(world, coming.len() + 1), id);
                }
            }
        }
    }

    fn nothing_is_lost(mut self, events: &Events) -> Room {
        self.room.settle(&MemoryLog::default()).unwrap();
        let lost: Vec<&EventId> = events.keys().filter(|id| !self.there.contains(id)).collect();
        assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), events.len());
        self.room
    }

    /// As a companion takes what comes in one message; returns what it asks for.
    fn take(&mut self, events: &Events, batch: &[EventId]) -> Vec<EventId> {
        let log = MemoryLog::default();
        let mut missing = Vec::new();
        for id in batch {
            let event = SignedEvent::decode(&events[id]).unwrap().verify().unwrap();
            match self.room.take(&log, event).unwrap() {
                Acceptance::Accepted(records) => self.there.extend(records.iter().map(|record| record.position.id)),
                Acceptance::Waiting { missing: parents } => missing.extend(parents),
                Acceptance::Duplicate | Acceptance::Unwanted(_) => (),
            }
        }
        self.room.settle_if_due(&log, 8).unwrap();
        missing.extend(self.room.needed_after_all());
        missing.retain(|id| !self.there.contains(id));
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}

fn dice(world: &mut World, sides: usize) -> usize {
    usize::try_from(world.rng.next_u64() % sides as u64).unwrap()
}

fn shuffled<T>(world: &mut World, mut all: Vec<T>) -> Vec<T> {
    for at in (1..all.len()).rev() {
        let other = dice(world, at + 1);
        all.swap(at, other);
    }
    all
}

/// Bob was removed, and carol, who did not know it, heard him and let dave in, who heard him too.
fn who_heard_somebody_removed(seed: u64, go_on: &[At]) -> (World, RoomId) {
    let mut world = World::new(seed, &["alice", "bob", "carol", "dave"]);
    let room = found(&mut world, 0);
    for guest in [1, 2] {
        bring_in(&mut world, room, 0, guest);
        say(&mut world, room, guest, "hello");
    }
    settle(&mut world, room, &[0, 1, 2]);
    world.partition(&[&[0], &[1], &[2, 3]]);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    bring_in(&mut world, room, 2, 3);
    world.partition(&[&[0], &[1, 2, 3]]);
    for number in 0..3 {
        say(&mut world, room, 1, &format!("can you hear me? {number}"));
        world.run(MINUTE);
        say(&mut world, room, 3, &format!("I can {number}"));
        world.run(MINUTE);
    }
    world.heal();
    world.run(MINUTE);
    for at in go_on {
        say(&mut world, room, *at, "go on");
    }
    settle(&mut world, room, &[0, 2, 3]);
    one_truth(&world, room, &[0, 2, 3]);
    (world, room)
}

#[test]
fn first_contact_in_any_order_loses_nothing() {
    for (seed, go_on) in [(80, [0, 2, 3].as_slice()), (81, &[3])] {
        let (mut world, room) = who_heard_somebody_removed(seed, go_on);
        let events = events(&world, room, 0);
        let expected = world.node(0).room(&room).unwrap().state().to_bytes();
        for _ in 0..50 {
            assert_eq!(in_any_order(&mut world, room, &events).state().to_bytes(), expected);
        }
        for last in events.keys() {
            for _ in 0..4 {
                assert_eq!(in_any_order_but(*last, &mut world, room, &events).state().to_bytes(), expected);
            }
        }
    }
}

/// A network that tells of streams in any order, of much twice, and doubles and breaks streams. It
/// never gets better.
fn on_a_bad_network(world: &mut World) {
    world.network.jumbled = true;
    world.network.max_delay_ms = 300;
    world.network.double_one_in = 40;
    world.network.break_one_in = 60;
}

#[test]
fn a_bad_network_loses_nothing_at_first_contact() {
    for seed in 82..86 {
        let mut world = World::new(seed, &["alice", "bob"]);
        let room = found(&mut world, 0);
        for number in 0..30 {
            say(&mut world, room, 0, &format!("before bob {number}"));
        }
        on_a_bad_network(&mut world);
        let (_, invite) = invite(&mut world, room, 0, 1);
        join(&mut world, 1, invite);
        let joined = world.run_until(20 * MINUTE, |world| world.node(1).standing(&room) == Standing::Member);
        assert!(joined, "bob cannot get in");
        let met = world.run_until(20 * MINUTE, |world| have_the_same(world, room, &[0, 1]));
        assert!(met, "the log does not arrive");
        one_truth(&world, room, &[0, 1]);
    }
}

#[test]
fn a_bad_network_loses_nothing_of_what_is_said_all_along() {
    let mut world = World::new(86, &["alice", "bob"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    on_a_bad_network(&mut world);
    for number in 0..400 {
        let message = Message::new(Kind::Chat, number.to_string());
        world.command(number % 2, Command::Send { room, by: human(), message });
        world.run(std::time::Duration::from_millis(100));
    }
    let met = world.run_until(20 * MINUTE, |world| have_the_same(world, room, &[0, 1]));
    assert!(met, "something is lost");
    world.run(MINUTE);
    agree(&world, room, &[0, 1]).unwrap();
    let said: BTreeSet<String> = transcript(&world, room, 1).into_iter().map(|(_, text)| text).collect();
    assert_eq!(said.len(), 400);
    assert_eq!(transcript(&world, room, 0).len(), 400);
}
