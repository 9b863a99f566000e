//! Events that came before their parents.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::limits;

use crate::event::{Event, SignedEvent, VerifiedEvent};
use crate::id::{EventId, MemberId};

/// What may wait, in bytes.
const ROOM: usize = 16 * 1024 * 1024;
/// What an event weighs beside its own bytes: so no more than [`limits::WAITING`] find room.
const EACH: usize = ROOM / limits::WAITING;

/// Events that wait for parents, bounded.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    events: BTreeMap<EventId, Entry>,
    /// Missing parent → who waits for it.
    children: BTreeMap<EventId, BTreeSet<EventId>>,
    weight: usize,
    counter: u64,
}

/// The event as it came, and what is asked of it meanwhile: what it says would take up more.
#[derive(Debug)]
struct Entry {
    signed: Vec<u8>,
    place: Place,
    missing: BTreeSet<EventId>,
    number: u64,
}

/// Where an event that waits is to stand.
#[derive(Debug)]
pub(crate) struct Place {
    pub author: MemberId,
    pub parents: Vec<EventId>,
}

impl Waiting {
    /// Keeps an event until its `missing` parents are there. Where it is too much, the oldest of
    /// whoever has most goes, and is asked for again when it is needed. All whom the room does not
    /// `know` count as one: anybody can be many of them.
    pub fn insert(&mut self, event: VerifiedEvent, missing: &[EventId], know: impl Fn(&MemberId) -> bool) {
        let (id, Event { author, parents, .. }, signed) = event.into_parts();
        for parent in missing {
            self.children.entry(*parent).or_default().insert(id);
        }
        self.counter += 1;
        self.weight += EACH + signed.len();
        let missing = missing.iter().copied().collect();
        self.events.insert(id, Entry { signed, place: Place { author, parents }, missing, number: self.counter });
        while self.weight > ROOM {
            self.drop_one(&know);
        }
    }

    /// What an event that waits is waiting for.
    pub fn missing_of(&self, id: &EventId) -> Option<Vec<EventId>> {
        self.events.get(id).map(|entry| entry.missing.iter().copied().collect())
    }

    /// Does any event wait for this one?
    pub fn is_waited_for(&self, id: &EventId) -> bool {
        self.children.contains_key(id)
    }

    /// Does an event of which `counts` is true wait for this one, directly or through others?
    pub fn is_needed(&self, id: &EventId, counts: impl Fn(&Place) -> bool) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![*id];
        while let Some(parent) = next.pop() {
            for child in self.children.get(&parent).into_iter().flatten().filter(|child| seen.insert(**child)) {
                if self.events.get(child).is_some_and(|entry| counts(&entry.place)) {
                    return true;
                }
                next.push(*child);
            }
        }
        false
    }

    /// This event is there now: those that waited for nothing else come out.
    pub fn arrived(&mut self, id: &EventId) -> Vec<VerifiedEvent> {
        let mut complete = Vec::new();
        for child in self.children.remove(id).unwrap_or_default() {
            let Some(entry) = self.events.get_mut(&child) else { continue };
            entry.missing.remove(id);
            if entry.missing.is_empty() {
                complete.extend(self.take(&child).and_then(Entry::open));
            }
        }
        complete
    }

    fn take(&mut self, id: &EventId) -> Option<Entry> {
        let entry = self.events.remove(id)?;
        self.weight -= EACH + entry.signed.len();
        for parent in &entry.missing {
            let Some(children) = self.children.get_mut(parent) else { continue };
            children.remove(id);
            if children.is_empty() {
                self.children.remove(parent);
            }
        }
        Some(entry)
    }

    fn drop_one(&mut self, know: impl Fn(&MemberId) -> bool) {
        let mut weights: BTreeMap<Option<MemberId>, (usize, u64, EventId)> = BTreeMap::new();
        for (id, entry) in &self.events {
            let owner = Some(entry.place.author).filter(&know);
            let (weight, oldest, which) = weights.entry(owner).or_insert((0, u64::MAX, *id));
            *weight += EACH + entry.signed.len();
            if entry.number < *oldest {
                (*oldest, *which) = (entry.number, *id);
            }
        }
        if let Some((.., oldest)) = weights.into_values().max_by_key(|(weight, ..)| *weight) {
            self.take(&oldest);
        }
    }
}

impl Entry {
    /// It was verified when it came.
    fn open(self) -> Option<VerifiedEvent> {
        SignedEvent::decode(&self.signed).ok()?.verify().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Origin};
    use crate::key::Identity;
    use crate::sample;
    use crate::talk::{Kind, Message};

    const MISSING: EventId = EventId([7; 32]);

    fn identity(number: u32) -> Identity {
        let mut secret = [1; 32];
        secret[..4].copy_from_slice(&number.to_be_bytes());
        Identity::from_secret(&secret)
    }

    /// What somebody says under a key of its own, below a parent that nobody has.
    fn event(number: u32, bytes: usize) -> VerifiedEvent {
        let identity = identity(number);
        let body = Body::Message(Message::new(Kind::Chat, "x".repeat(bytes)));
        let mut event = sample::event(identity.member(), Origin::Human, body);
        (event.seq, event.backlink, event.parents) = (2, Some(MISSING), vec![MISSING]);
        VerifiedEvent::sign(&identity, event).unwrap()
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_and_in_number_under_any_keys() {
        for bytes in [1, 200_000] {
            let mut waiting = Waiting::default();
            (0..1200).for_each(|number| waiting.insert(event(number, bytes), &[MISSING], |_| false));
            let held: usize = waiting.events.values().map(|entry| entry.signed.len()).sum();
            assert!(held <= ROOM && waiting.events.len() <= limits::WAITING, "{held} in {}", waiting.events.len());
            assert_eq!(waiting.children[&MISSING].len(), waiting.events.len());
            let came = waiting.arrived(&MISSING);
            assert!(came.contains(&event(1199, bytes)) && !came.contains(&event(0, bytes)));
            assert_eq!((waiting.weight, waiting.events.len(), waiting.children.len()), (0, 0, 0));
        }
    }

    #[test]
    fn throwaway_keys_push_out_nothing_of_whom_the_room_knows() {
        let known = identity(5000).member();
        let mut waiting = Waiting::default();
        let honest = event(5000, 200_000);
        waiting.insert(honest.clone(), &[MISSING], |author| *author == known);
        (0..200).for_each(|number| waiting.insert(event(number, 100_000), &[MISSING], |author| *author == known));
        assert!(waiting.arrived(&MISSING).contains(&honest));
    }

    #[test]
    fn what_was_dropped_is_waited_for_no_more() {
        let mut waiting = Waiting::default();
        let other = EventId([8; 32]);
        waiting.insert(event(0, 200_000), &[MISSING, other], |_| false);
        (1..200).for_each(|number| waiting.insert(event(number, 200_000), &[MISSING], |_| false));
        assert!(waiting.is_waited_for(&MISSING) && !waiting.is_waited_for(&other));
    }
}
