//! Bounded memories that members share fairly: where there is too much, whoever has most of it loses
//! its oldest, so that nobody can push out what is somebody else's.

use std::collections::BTreeMap;

use crate::id::MemberId;

/// Whose oldest entry has to go: of those who have most, the one with the lowest key.
pub(crate) fn fullest(owners: impl Iterator<Item = MemberId>) -> Option<MemberId> {
    let mut counts: BTreeMap<MemberId, usize> = BTreeMap::new();
    owners.for_each(|owner| *counts.entry(owner).or_default() += 1);
    let most = counts.values().max().copied()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(owner, _)| owner)
}

/// Takes a further entry into a list, oldest first.
pub(crate) fn remember<T>(list: &mut Vec<T>, entry: T, most: usize, owner: impl Fn(&T) -> MemberId) {
    list.push(entry);
    if list.len() > most
        && let Some(fullest) = fullest(list.iter().map(&owner))
        && let Some(oldest) = list.iter().position(|entry| owner(entry) == fullest)
    {
        list.remove(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_floods_pushes_out_only_its_own() {
        let (alice, mallory) = (MemberId([9; 32]), MemberId([1; 32]));
        let mut list = vec![(alice, 0), (alice, 1)];
        for number in 0..100 {
            remember(&mut list, (mallory, number), 8, |(owner, _)| *owner);
        }
        assert_eq!(list.len(), 8);
        assert_eq!(list[..2], [(alice, 0), (alice, 1)]);
        assert_eq!(list[7], (mallory, 99));
        assert_eq!(list[2], (mallory, 94));
    }
}
