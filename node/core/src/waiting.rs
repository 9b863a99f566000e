//! Events that came before their parents.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::limits;

use crate::event::{Event, VerifiedEvent};
use crate::id::{EventId, MemberId};

/// Events that wait for parents, bounded.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    events: BTreeMap<EventId, Entry>,
    /// Missing parent → who waits for it.
    children: BTreeMap<EventId, BTreeSet<EventId>>,
    counter: u64,
}

#[derive(Debug)]
struct Entry {
    event: VerifiedEvent,
    missing: BTreeSet<EventId>,
    number: u64,
}

impl Waiting {
    /// Keeps an event until its `missing` parents are there. Where there are too many, the oldest
    /// one of the author with the most goes; it is asked for again when it is needed.
    pub fn insert(&mut self, event: VerifiedEvent, missing: &[EventId]) {
        let id = event.id();
        for parent in missing {
            self.children.entry(*parent).or_default().insert(id);
        }
        self.counter += 1;
        let missing = missing.iter().copied().collect();
        self.events.insert(id, Entry { event, missing, number: self.counter });
        if self.events.len() > limits::WAITING {
            self.drop_one();
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
    pub fn is_needed(&self, id: &EventId, counts: impl Fn(&Event) -> bool) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = vec![*id];
        while let Some(parent) = next.pop() {
            for child in self.children.get(&parent).into_iter().flatten().filter(|child| seen.insert(**child)) {
                if self.events.get(child).is_some_and(|entry| counts(entry.event.event())) {
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
            if entry.missing.is_empty()
                && let Some(entry) = self.events.remove(&child)
            {
                complete.push(entry.event);
            }
        }
        complete
    }

    fn drop_one(&mut self) {
        let mut counts: BTreeMap<MemberId, usize> = BTreeMap::new();
        for entry in self.events.values() {
            *counts.entry(entry.event.event().author).or_default() += 1;
        }
        let worst = counts.into_iter().max_by_key(|(_, count)| *count).map(|(author, _)| author);
        let of_worst = self.events.iter().filter(|(_, entry)| Some(entry.event.event().author) == worst);
        let Some(oldest) = of_worst.min_by_key(|(_, entry)| entry.number).map(|(id, _)| *id) else { return };
        self.events.remove(&oldest);
        for children in self.children.values_mut() {
            children.remove(&oldest);
        }
        self.children.retain(|_, children| !children.is_empty());
    }
}
