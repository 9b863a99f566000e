//! Who says very much about membership: it costs the others little, fills no room and makes no keys.

use pairwave_core::event::Body;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::mark::Mark;
use pairwave_core::members::{Admitted, Left, Removed, Rotated, Void};

use crate::bodies::{Table, human, room_of, shuffled};
use crate::checks::mark_of;

const ALICE: usize = 0;
const BOB: usize = 1;
const MALLORY: usize = 2;
/// As many members as a room may have.
const FULL: usize = 32;

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

#[test]
fn a_room_holds_so_many_whoever_lets_them_in() {
    let mut table = Table::set();
    table.hear(MALLORY, 0xff);
    let invited = Body::Invited(pairwave_core::members::Invited {
        label: pairwave_wire::hello::InviteLabel([9; 16]),
        key: pairwave_core::key::KnockKey::new([9; 32]),
        expires_at: pairwave_core::time::Timestamp(2_000_000_000_000),
        uses: u32::MAX,
    });
    let invite = table.say(MALLORY, human(MALLORY), invited);
    let puppet = |table: &mut Table, number: usize| {
        let member = MemberId([100 + number as u8; 32]);
        let admitted = Admitted { member, invite, name: format!("puppet {number}") };
        table.say(MALLORY, human(MALLORY), Body::Admitted(admitted))
    };
    let puppets: Vec<EventId> = (0..40).map(|number| puppet(&mut table, number)).collect();
    assert_eq!(table.room().state().members.count(), FULL);
    assert_eq!(void(&table, puppets[FULL - 4]), None);
    assert!(puppets[FULL - 3..].iter().all(|id| void(&table, *id) == Some(Mark::Membership(Void::RoomFull))));
    table.hear(BOB, 0xff);
    table.say(BOB, human(BOB), Body::Left(Left {}));
    table.hear(MALLORY, 0xff);
    let after = puppet(&mut table, 50);
    assert_eq!(void(&table, after), None);
    let order: Vec<EventId> = table.said().collect();
    for seed in 0..5 {
        let other = room_of(&table, shuffled(&order, seed));
        assert!(other.state().to_bytes() == table.room().state().to_bytes());
    }
}

#[test]
fn who_renews_the_key_without_need_starts_no_epoch() {
    let mut table = Table::set();
    let epochs = |table: &Table| table.room().state().members.epochs().count();
    for _ in 0..300 {
        table.say(MALLORY, human(MALLORY), Body::Rotated(Rotated {}));
    }
    assert_eq!(epochs(&table), 1);
    table.hear(BOB, 0xff);
    table.say(BOB, human(BOB), Body::Left(Left {}));
    table.hear(ALICE, 0xff);
    for _ in 0..2 {
        table.say(ALICE, human(ALICE), Body::Rotated(Rotated {}));
    }
    assert_eq!(epochs(&table), 3, "genesis, leave, rotation");
}
