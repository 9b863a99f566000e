//! What a rule found, before it is told.

use std::collections::BTreeMap;
use std::ops::Range;

/// Something found, at a place of the text that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub rule: &'static str,
    pub what: &'static str,
    pub place: Range<usize>,
    pub rank: Rank,
}

/// How sure a rule is. Of two that found the same the surer one tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// By its own form.
    Form,
    /// By the provider that is named beside it.
    Provider,
    /// By its name.
    Named,
    /// By its look.
    Look,
}

/// One hit a place, in the order of the text.
pub fn sort_out(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| (hit.rank, hit.place.start, usize::MAX - hit.place.end));
    let mut kept: BTreeMap<usize, Hit> = BTreeMap::new();
    for hit in hits {
        let before = kept.range(..hit.place.end).next_back();
        if before.is_none_or(|(_, other)| other.place.end <= hit.place.start) {
            kept.insert(hit.place.start, hit);
        }
    }
    kept.into_values().collect()
}
