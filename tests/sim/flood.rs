//! Somebody who says very much: it is marked and told to the last word, and takes no room from others.

use pairwave_core::command::Command;
use pairwave_core::event::Body;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::MemoryLog;
use pairwave_core::mark::Mark;
use pairwave_core::notice::Notice;
use pairwave_core::talk::{Kind, Message};
use pairwave_core::verification::Verified;

use crate::bodies::{Table, human as person, room_of, shuffled};
use crate::checks::mark_of;
use crate::scenes::{MINUTE, bring_in, found, one_truth, remove, say, settle};
use crate::world::{World, human};

const ALICE: usize = 0;
const MALLORY: usize = 2;

fn void(table: &mut Table, at: usize) -> EventId {
    table.say(at, person(at), Body::Verified(Verified { member: MemberId([77; 32]) }))
}

fn chat(text: &str) -> Message {
    Message::new(Kind::Chat, text)
}

#[test]
fn a_flood_without_effect_is_marked_to_the_last_in_any_order_and_takes_nobodys_reason() {
    let mut table = Table::set();
    let of_alice = void(&mut table, ALICE);
    let bytes = table.room().state().to_bytes().len();
    let (mut marked, mut counts) = (Vec::new(), Vec::new());
    for number in 0..400 {
        marked.push(void(&mut table, MALLORY));
        if number % 3 == 0 {
            counts.push(table.say(MALLORY, person(MALLORY), Body::Message(chat("and yet"))));
        }
    }
    let (room, log) = (table.room(), MemoryLog::default());
    let mark = |id: &EventId| room.mark(&log, id).unwrap();
    assert_eq!(mark(&of_alice), Some(Mark::NoSuchMember));
    assert_eq!(mark(&marked[0]), Some(Mark::OneOfMany));
    assert_eq!(mark(&marked[399]), Some(Mark::NoSuchMember));
    assert!(marked.iter().all(|id| mark(id).is_some()));
    assert!(counts.iter().all(|id| mark(id).is_none()));
    let grown = room.state().to_bytes().len() - bytes;
    assert!(grown < 30_000, "by {grown} bytes");
    let order: Vec<EventId> = table.said().collect();
    for seed in 0..3 {
        let other = room_of(&table, shuffled(&order, seed));
        assert!(other.state().to_bytes() == room.state().to_bytes());
    }
}

#[test]
fn what_a_removal_undoes_is_told_however_much_it_is() {
    let mut world = World::new(70, &["alice", "bob", "carol"]);
    let room = found(&mut world, 0);
    bring_in(&mut world, room, 0, 1);
    bring_in(&mut world, room, 0, 2);
    settle(&mut world, room, &[0, 1, 2]);
    world.partition(&[&[0], &[1, 2]]);
    let bob = world.member(1);
    remove(&mut world, room, 0, bob);
    for number in 0..400 {
        let message = chat(&format!("number {number}"));
        world.command(1, Command::Send { room, by: human(), message });
    }
    world.run(MINUTE);
    say(&mut world, room, 2, "I heard all of it");
    world.heal();
    settle(&mut world, room, &[0, 2]);
    let undone = |notice: &&Notice| matches!(notice, Notice::Undone { .. });
    assert_eq!(world.machines[2].notices.iter().filter(undone).count(), 400);
    let state = world.node(2).room(&room).unwrap().state();
    assert!(state.marks.newest().all(|(id, _)| mark_of(state, *id) == Some(Mark::NotAMember)));
    one_truth(&world, room, &[0, 2]);
}
