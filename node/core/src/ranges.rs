//! Sets of numbers that mostly lie side by side.

use serde::{Deserialize, Serialize};

/// Most ranges that a set keeps; beyond it the lowest two become one.
const MAX: usize = 512;

/// A set of numbers as sorted ranges, both ends included, that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Ranges(Vec<(u64, u64)>);

/// Ranges that are unsorted, empty, too close or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sorted list of at most {MAX} separate ranges")]
pub struct RangesError;

impl Ranges {
    pub fn contains(&self, number: u64) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= number);
        after > 0 && self.0[after - 1].1 >= number
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `number`; says whether it was new.
    pub fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return false;
        }
        let at = self.0.partition_point(|(start, _)| *start <= number);
        self.0.insert(at, (number, number));
        self.join(at);
        if self.0.len() > MAX {
            let (_, end) = self.0.remove(1);
            self.0[0].1 = end;
        }
        true
    }

    /// Adds everything in `other`; says whether anything was new.
    pub fn merge(&mut self, other: &Self) -> bool {
        let before = self.clone();
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        self.0.clear();
        for (start, end) in all {
            match self.0.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => self.0.push((start, end)),
            }
        }
        while self.0.len() > MAX {
            let (_, end) = self.0.remove(1);
            self.0[0].1 = end;
        }
        *self != before
    }

    fn join(&mut self, at: usize) {
        if at + 1 < self.0.len() && self.0[at].1 + 1 == self.0[at + 1].0 {
            self.0[at].1 = self.0.remove(at + 1).1;
        }
        if at > 0 && self.0[at - 1].1 + 1 == self.0[at].0 {
            self.0[at - 1].1 = self.0.remove(at).1;
        }
    }
}

impl TryFrom<Vec<(u64, u64)>> for Ranges {
    type Error = RangesError;
    fn try_from(ranges: Vec<(u64, u64)>) -> Result<Self, RangesError> {
        let ordered = ranges.iter().all(|(start, end)| start <= end);
        let separate = ranges.windows(2).all(|pair| pair[0].1.saturating_add(1) < pair[1].0);
        if ranges.len() <= MAX && ordered && separate { Ok(Self(ranges)) } else { Err(RangesError) }
    }
}

impl From<Ranges> for Vec<(u64, u64)> {
    fn from(ranges: Ranges) -> Self {
        ranges.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_as_a_set(numbers in proptest::collection::vec(0u64..60, 0..80), split in 0usize..80) {
            let split = split.min(numbers.len());
            let mut left = Ranges::default();
            let mut right = Ranges::default();
            for number in &numbers[..split] { left.insert(*number); }
            for number in &numbers[split..] { right.insert(*number); }
            left.merge(&right);
            let set: BTreeSet<u64> = numbers.into_iter().collect();
            for number in 0..62 {
                prop_assert_eq!(left.contains(number), set.contains(&number));
            }
            prop_assert!(Ranges::try_from(Vec::from(left)).is_ok());
        }
    }

    #[test]
    fn foreign_ranges_are_checked() {
        assert!(Ranges::try_from(vec![(1, 2), (3, 4)]).is_err(), "they touch");
        assert!(Ranges::try_from(vec![(2, 1)]).is_err());
        assert!(Ranges::try_from(vec![(0, u64::MAX)]).is_ok());
    }
}
