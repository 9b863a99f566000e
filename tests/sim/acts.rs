//! Who says very much about membership: it costs the others little.

use pairwave_core::event::Body;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::mark::Mark;
use pairwave_core::members::{Admitted, Left, Removed, Void};

use crate::bodies::{Table, human};
use crate::checks::mark_of;

const ALICE: usize = 0;
const BOB: usize = 1;
const MALLORY: usize = 2;

fn admit(table: &mut Table, by: usize, member: MemberId, name: &str) -> EventId {
    let invite = table.invite();
    table.say(by, human(by), Body::Admitted(Admitted { member, invite, name: name.into() }))
}

fn void(table: &Table, id: EventId) -> Option<Mark> {
    mark_of(table.room().state(), id)
}

#[test]
fn of_a_membership_event_without_effect_little_is_kept_however_long_it_is() {
    let mut table = Table::set();
    table.hear(ALICE, 0xff);
    let last = table.say(BOB, human(BOB), Body::Left(Left {}));
    table.hear(ALICE, 0xff);
    let removed = |table: &Table, last, reason: &str| {
        Body::Removed(Removed { member: table.member(BOB), last: Some(last), reason: Some(reason.into()) })
    };
    let body = removed(&table, last, &"x".repeat(4097));
    let too_long = table.say(ALICE, human(ALICE), body);
    let named = admit(&mut table, ALICE, MemberId([77; 32]), &"n".repeat(65));
    assert_eq!(void(&table, too_long), Some(Mark::Membership(Void::TooLong)));
    assert_eq!(void(&table, named), Some(Mark::Membership(Void::TooLong)));
    let before = table.room().checkpoint().len();
    for _ in 0..100 {
        let body = removed(&table, last, &"x".repeat(10_000));
        table.say(MALLORY, human(MALLORY), body);
    }
    let grown = table.room().checkpoint().len() - before;
    assert!(grown < 100 * 600, "by {grown} bytes");
    let body = removed(&table, last, &"x".repeat(4096));
    let fits = table.say(ALICE, human(ALICE), body);
    assert_eq!(void(&table, fits), None);
}
