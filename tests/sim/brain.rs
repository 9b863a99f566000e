//! The brain between people: whose entry counts, whoever hears of it when.

use pairwave_core::brain::{Kind, Remembered};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{EventId, SessionId};
use pairwave_core::mark::Mark;
use pairwave_core::members::Removed;

use crate::bodies::{Table, finding, human, room_of};
use crate::checks::mark_of;

const ALL: u8 = 0xff;

fn entry(content: &str, supersedes: Option<EventId>) -> Body {
    let entry = Remembered::new(Kind::Fact, "the parser", content);
    Body::Remembered(Remembered { supersedes, ..entry })
}

fn remember(table: &mut Table, at: usize, content: &str, supersedes: Option<EventId>) -> EventId {
    table.hear(at, ALL);
    table.say(at, human(at), entry(content, supersedes))
}

fn latest(table: &Table, of: EventId) -> Option<EventId> {
    table.room().state().brain.superseded_by(&of)
}

fn mark(table: &Table, of: EventId) -> Option<Mark> {
    mark_of(table.room().state(), of)
}

#[test]
fn anybody_supersedes_and_a_copy_brings_an_entry_back() {
    let mut table = Table::set();
    let old = remember(&mut table, 0, "recursive", None);
    let new = remember(&mut table, 1, "a table", Some(old));
    assert_eq!((latest(&table, old), latest(&table, new)), (Some(new), None));
    let back = remember(&mut table, 2, "recursive", Some(new));
    assert_eq!((latest(&table, old), latest(&table, new), latest(&table, back)), (Some(back), Some(back), None));
}

#[test]
fn who_supersedes_at_the_same_moment_settles_identically() {
    let mut table = Table::set();
    let old = remember(&mut table, 0, "recursive", None);
    (1..3).for_each(|at| table.hear(at, ALL));
    let both =
        [table.say(1, human(1), entry("a table", Some(old))), table.say(2, human(2), entry("a stack", Some(old)))];
    let counts = latest(&table, old).expect("one of them");
    assert_eq!(both.map(|id| latest(&table, id).is_none()), both.map(|id| id == counts));
    assert!(both.contains(&counts) && both.iter().all(|id| mark(&table, *id).is_none()));
    let mut order: Vec<EventId> = table.said().collect();
    let state = room_of(&table, order.clone()).state().to_bytes();
    order.reverse();
    assert!(room_of(&table, order).state().to_bytes() == state);
}

#[test]
fn what_supersedes_no_entry_that_its_author_can_have_seen_has_no_effect() {
    let mut table = Table::set();
    let unseen = remember(&mut table, 0, "recursive", None);
    let early = table.say(1, human(1), entry("a table", Some(unseen)));
    assert_eq!(mark(&table, early), Some(Mark::NotAnEntry));
    table.hear(0, ALL);
    let said = table.say(0, human(0), Body::Message(finding("found")));
    for place in [said, early] {
        let id = remember(&mut table, 2, "a stack", Some(place));
        assert_eq!(mark(&table, id), Some(Mark::NotAnEntry));
    }
    assert_eq!(latest(&table, unseen), None);
    let empty = remember(&mut table, 2, " ", None);
    assert_eq!(mark(&table, empty), Some(Mark::Empty));
}

#[test]
fn the_brain_needs_the_gate_and_neither_floor_nor_hops() {
    let mut table = Table::set();
    let agent = Speaker { session: SessionId([70; 16]), origin: Origin::Agent };
    for at in [1, 2, 1, 2, 1] {
        table.hear(at, ALL);
        let id = table.say(at, agent, entry("recursive", None));
        assert_eq!(mark(&table, id), None);
    }
    assert_eq!(table.room().state().hops.count(), 0);
}

#[test]
fn an_entry_counts_again_when_what_superseded_it_never_was() {
    let mut table = Table::set();
    let before = remember(&mut table, 2, "a stack", None);
    let old = remember(&mut table, 0, "recursive", None);
    let new = remember(&mut table, 2, "a table", Some(old));
    assert_eq!(latest(&table, old), Some(new));
    let removed = Removed { member: table.member(2), last: Some(before), reason: None };
    table.say(0, human(0), Body::Removed(removed));
    assert_eq!((mark(&table, new), latest(&table, old)), (Some(Mark::NotAMember), None));
}
