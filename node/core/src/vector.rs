//! What somebody has: each author's newest event, several of an author that forked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId};

/// Author → tips, by seq, then id. One tip says "this event and everything its author said before".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Vector(BTreeMap<MemberId, Vec<(u64, EventId)>>);

impl Vector {
    /// Takes an event whose backlink was taken before. Says whether it makes a new branch.
    pub fn extend(&mut self, author: MemberId, seq: u64, id: EventId, backlink: Option<EventId>) -> bool {
        let tips = self.0.entry(author).or_default();
        let before = tips.len();
        tips.retain(|(_, tip)| Some(*tip) != backlink);
        let forks = tips.len() == before && before > 0;
        tips.push((seq, id));
        tips.sort_unstable();
        forks
    }

    /// The author named all its branches as parents: one remains.
    pub fn heal(&mut self, author: MemberId, seq: u64, id: EventId) {
        self.0.insert(author, vec![(seq, id)]);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&MemberId, &[(u64, EventId)])> {
        self.0.iter().map(|(author, tips)| (author, tips.as_slice()))
    }

    /// The tips of an author.
    pub fn tips(&self, author: &MemberId) -> &[(u64, EventId)] {
        self.0.get(author).map_or(&[], Vec::as_slice)
    }

    /// The author's highest seq, 0 if it said nothing.
    pub fn seq(&self, author: &MemberId) -> u64 {
        self.tips(author).last().map_or(0, |(seq, _)| *seq)
    }

    /// The author's newest event.
    pub fn tip(&self, author: &MemberId) -> Option<EventId> {
        self.tips(author).last().map(|(_, id)| *id)
    }

    /// Does the author have more than one newest event?
    pub fn is_forked(&self, author: &MemberId) -> bool {
        self.tips(author).len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: MemberId = MemberId([1; 32]);

    fn id(number: u8) -> EventId {
        EventId([number; 32])
    }

    #[test]
    fn a_chain_has_one_tip_and_a_fork_two() {
        let mut vector = Vector::default();
        assert!(!vector.extend(ALICE, 1, id(1), None));
        assert!(!vector.extend(ALICE, 2, id(2), Some(id(1))));
        assert_eq!(vector.tips(&ALICE), [(2, id(2))]);
        assert!(vector.extend(ALICE, 2, id(3), Some(id(1))));
        assert!(vector.is_forked(&ALICE));
        vector.heal(ALICE, 3, id(4));
        assert_eq!(vector.tips(&ALICE), [(3, id(4))]);
    }
}
