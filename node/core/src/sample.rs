//! Events for the tests beside the rules: well placed, by whoever is named.

use crate::event::{Body, Event, Origin, VERSION};
use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::log::Position;
use crate::time::Timestamp;

pub(crate) const ALICE: MemberId = MemberId([1; 32]);
pub(crate) const BOB: MemberId = MemberId([2; 32]);
pub(crate) const MALLORY: MemberId = MemberId([3; 32]);

pub(crate) fn event(author: MemberId, origin: Origin, body: Body) -> Event {
    let back = EventId([8; 32]);
    Event {
        version: VERSION,
        room: Some(RoomId([9; 32])),
        author,
        seq: 2,
        backlink: Some(back),
        parents: vec![back],
        claimed_time: Timestamp(1_700_000_000_000),
        session: SessionId([author.0[0]; 16]),
        origin,
        body,
    }
}

/// The place of the event that came as this one.
pub(crate) fn position(number: u16) -> Position {
    let mut id = [0; 32];
    id[..2].copy_from_slice(&number.to_be_bytes());
    Position { depth: u64::from(number), id: EventId(id) }
}
