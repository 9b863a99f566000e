//! What the companion has given to this session and the agent has not been handed: the rest of a
//! long inbox, or what came for a wait that was cancelled. The companion gives each item once, so
//! nothing that it gave may be dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use pairwave_api::{Failure, InboxView, Item, RoomRef};
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Held {
    rooms: Mutex<HashMap<RoomRef, Slot>>,
    changed: Notify,
}

#[derive(Default)]
struct Slot {
    items: VecDeque<Item>,
    more: bool,
    /// A wait is under way at the companion.
    waiting: bool,
    failure: Option<Failure>,
}

impl Held {
    /// Keeps what an inbox or a wait gave.
    pub(crate) fn put(&self, room: &RoomRef, view: InboxView) {
        let mut rooms = self.rooms();
        let slot = rooms.entry(room.clone()).or_default();
        slot.items.extend(view.items);
        slot.more = view.more;
        drop(rooms);
        self.changed.notify_waiters();
    }

    /// Takes the first items: `show` makes of all what fits and says how many those are. With it comes
    /// whether there is more. `None` if nothing is held.
    pub(crate) fn take<T>(&self, room: &RoomRef, show: impl FnOnce(&[Item]) -> (T, usize)) -> Option<(T, bool)> {
        let mut rooms = self.rooms();
        let slot = rooms.get_mut(room).filter(|slot| !slot.items.is_empty())?;
        let (shown, count) = show(slot.items.make_contiguous());
        slot.items.drain(..count);
        let more = slot.more || !slot.items.is_empty();
        rooms.retain(|_, slot| !slot.is_idle());
        Some((shown, more))
    }

    /// What would be taken, left where it is.
    pub(crate) fn peek(&self, room: &RoomRef) -> Vec<Item> {
        self.rooms().get(room).map(|slot| slot.items.iter().cloned().collect()).unwrap_or_default()
    }

    /// Marks that a wait begins; `false` if one is under way already.
    pub(crate) fn begin_wait(&self, room: &RoomRef) -> bool {
        let mut rooms = self.rooms();
        let slot = rooms.entry(room.clone()).or_default();
        !std::mem::replace(&mut slot.waiting, true)
    }

    /// Keeps what the wait came to and wakes everybody who waits here.
    pub(crate) fn end_wait(&self, room: &RoomRef, outcome: Result<InboxView, Failure>) {
        let mut rooms = self.rooms();
        let slot = rooms.entry(room.clone()).or_default();
        slot.waiting = false;
        match outcome {
            Ok(view) if view.timed_out => {}
            Ok(view) => {
                slot.items.extend(view.items);
                slot.more = view.more;
            }
            Err(failure) => slot.failure = Some(failure),
        }
        rooms.retain(|_, slot| !slot.is_idle());
        drop(rooms);
        self.changed.notify_waiters();
    }

    /// The failure that ended the last wait, once.
    pub(crate) fn failure(&self, room: &RoomRef) -> Option<Failure> {
        let mut rooms = self.rooms();
        let failure = rooms.get_mut(room)?.failure.take();
        rooms.retain(|_, slot| !slot.is_idle());
        failure
    }

    /// Resolves when something changes after this call.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomRef, Slot>> {
        self.rooms.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Slot {
    fn is_idle(&self) -> bool {
        self.items.is_empty() && !self.waiting && self.failure.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fake::message;

    #[test]
    fn rooms_are_not_mixed_up() {
        let held = Held::default();
        held.put(&Some("a".into()), view(&["a1"]));
        held.put(&None, view(&["b1"]));
        assert_eq!(held.take(&Some("a".into()), all).unwrap().0, ["a1"]);
        assert_eq!(held.take(&None, all).unwrap().0, ["b1"]);
        assert!(held.take(&None, all).is_none());
    }

    #[test]
    fn what_does_not_fit_stays_in_order() {
        let held = Held::default();
        held.put(&None, InboxView { more: true, ..view(&["1", "2", "3"]) });
        let (first, more) = held.take(&None, |items| (ids(&items[..2]), 2)).unwrap();
        assert!(more);
        assert_eq!(first, ["1", "2"]);
        let (rest, more) = held.take(&None, all).unwrap();
        assert_eq!(rest, ["3"]);
        assert!(more, "the companion has more");
    }

    #[test]
    fn one_wait_at_a_time_and_nothing_is_left_behind() {
        let held = Held::default();
        assert!(held.begin_wait(&None));
        assert!(!held.begin_wait(&None));
        held.end_wait(&None, Ok(InboxView { timed_out: true, ..view(&["standing"]) }));
        assert!(held.take(&None, all).is_none(), "what had been there before is nothing new");
        assert!(held.begin_wait(&None));
        held.end_wait(&None, Ok(view(&["1"])));
        assert_eq!(held.take(&None, all).unwrap().0, ["1"]);
        assert!(held.rooms().is_empty());
    }

    fn view(ids: &[&str]) -> InboxView {
        InboxView { items: ids.iter().map(|id| message(id, "text")).collect(), timed_out: false, more: false }
    }

    fn all(items: &[Item]) -> (Vec<String>, usize) {
        (ids(items), items.len())
    }

    fn ids(items: &[Item]) -> Vec<String> {
        items.iter().map(|item| item.id.clone()).collect()
    }
}
