//! Which events have no effect, and why. However many an author breaks rules with: the reasons of its
//! newest are kept, and of all before them one bit each.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId};
use crate::log::Record;
use crate::mark::Mark;

/// Most reasons of one author that are kept.
const REASONS: usize = 256;
/// Bytes of a page.
const PAGE: usize = 64;
/// Numbers in a page.
const NUMBERS: u64 = 8 * PAGE as u64;

/// The events of a room that have no effect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks {
    /// Shared with the checkpoints of the state, which are many and mostly the same.
    authors: BTreeMap<MemberId, Arc<Author>>,
}

/// Those of one author.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Author {
    reasons: BTreeMap<EventId, Mark>,
    /// The same by their place in the order, with their numbers.
    newest: VecDeque<(u64, EventId)>,
    /// All others, by number. Twins of a fork share theirs, so both are without effect.
    others: BTreeMap<u64, Arc<Page>>,
}

/// One bit each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Page(#[serde(with = "serde_bytes")] [u8; PAGE]);

impl Marks {
    /// Why this event of `author` has no effect, if it has none.
    pub fn of(&self, author: &MemberId, seq: u64, id: &EventId) -> Option<Mark> {
        let author = self.authors.get(author)?;
        let among_others = || author.others.get(&(seq / NUMBERS)).is_some_and(|page| page.holds(seq));
        author.reasons.get(id).copied().or_else(|| among_others().then_some(Mark::OneOfMany))
    }

    /// Those whose reason is kept: the newest of each author.
    pub fn newest(&self) -> impl Iterator<Item = (&EventId, &Mark)> {
        self.authors.values().flat_map(|author| &author.reasons)
    }

    /// Takes the next one in the order.
    pub(crate) fn add(&mut self, record: &Record, mark: Mark) {
        let author = Arc::make_mut(self.authors.entry(record.author).or_default());
        author.reasons.insert(record.position.id, mark);
        author.newest.push_back((record.seq, record.position.id));
        if author.newest.len() > REASONS
            && let Some((seq, id)) = author.newest.pop_front()
        {
            author.reasons.remove(&id);
            Arc::make_mut(author.others.entry(seq / NUMBERS).or_default()).take(seq);
        }
    }
}

impl Page {
    fn holds(&self, number: u64) -> bool {
        let (byte, bit) = place(number);
        self.0[byte] & bit != 0
    }

    fn take(&mut self, number: u64) {
        let (byte, bit) = place(number);
        self.0[byte] |= bit;
    }
}

impl Default for Page {
    fn default() -> Self {
        Self([0; PAGE])
    }
}

fn place(number: u64) -> (usize, u8) {
    let bit = usize::try_from(number % NUMBERS).expect("a page is small");
    (bit / 8, 1 << (bit % 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Position;
    use crate::sample::{ALICE, MALLORY};
    use pairwave_wire::cbor;

    fn record(author: MemberId, seq: u64) -> Record {
        let mut id = [author.0[0]; 32];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        let position = Position { depth: seq, id: EventId(id) };
        Record { position, author, seq, arrival: seq, clock: Vec::new(), signed: Vec::new() }
    }

    fn of(marks: &Marks, record: &Record) -> Option<Mark> {
        marks.of(&record.author, record.seq, &record.position.id)
    }

    #[test]
    fn who_floods_is_marked_to_the_last_event_in_a_bit_each() {
        let mut marks = Marks::default();
        marks.add(&record(ALICE, 7), Mark::NameTaken);
        let bad = |seq: &u64| !seq.is_multiple_of(3);
        for seq in (1..=100_000).filter(bad) {
            marks.add(&record(MALLORY, seq), Mark::NoFloor);
        }
        for seq in 1..=100_000 {
            assert_eq!(of(&marks, &record(MALLORY, seq)).is_some(), bad(&seq), "{seq}");
        }
        assert_eq!(of(&marks, &record(MALLORY, 1)), Some(Mark::OneOfMany));
        assert_eq!(of(&marks, &record(MALLORY, 100_000)), Some(Mark::NoFloor));
        assert_eq!(of(&marks, &record(ALICE, 7)), Some(Mark::NameTaken), "a flood takes nobody else's reason");
        assert_eq!(marks.newest().count(), 1 + REASONS);
        let bytes = cbor::encode(&marks).unwrap();
        assert!(bytes.len() < 45_000, "{} bytes", bytes.len());
        assert_eq!(cbor::decode(&bytes, bytes.len()), Ok(marks));
    }
}
