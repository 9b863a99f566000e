//! The room keys of the epochs that this companion knows.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::cbor;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::id::EventId;
use crate::key::EpochKey;

/// Epoch keys by the event that starts the epoch. Only the fold knows which of them is newer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochKeys(BTreeMap<EventId, EpochKey>);

/// Most keys that are taken from others for epochs that the fold does not know (yet).
const UNKNOWN: usize = 64;
/// Keys of the newest epochs that are kept. What waits under an older one, and who knows no newer one, is
/// the exception.
const KNOWN: usize = 128;

impl EpochKeys {
    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        cbor::decode(bytes, usize::MAX).ok()
    }

    /// One opaque value, as secret as the keys.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("bytes always encode")
    }

    /// Draws a key for a new epoch.
    pub fn renew(&mut self, epoch: EventId, rng: &mut impl CryptoRng) {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        self.0.insert(epoch, EpochKey::new(key));
    }

    /// Takes a key that a member sent; the fold knows the epochs `started`. Says whether it is new.
    pub fn learn(&mut self, epoch: EventId, key: EpochKey, started: &BTreeSet<EventId>) -> bool {
        let unknown = || self.0.keys().filter(|id| !started.contains(id)).count();
        if self.0.contains_key(&epoch) || (!started.contains(&epoch) && unknown() >= UNKNOWN) {
            return false;
        }
        self.insert(epoch, key)
    }

    /// Are there more than are kept?
    pub fn are_many(&self) -> bool {
        self.0.len() > KNOWN
    }

    /// Forgets the keys of all but the newest epochs that the fold knows, newest first, and of those that
    /// are `needed`. Says whether there were any.
    pub fn forget_old(&mut self, epochs: impl IntoIterator<Item = EventId>, needed: &BTreeSet<EventId>) -> bool {
        let before = self.0.len();
        let old = epochs.into_iter().skip(KNOWN).filter(|old| !needed.contains(old));
        old.for_each(|old| _ = self.0.remove(&old));
        self.0.len() < before
    }

    /// Keeps a key. The first key of an epoch stays: `false` if another one is there already.
    pub fn insert(&mut self, epoch: EventId, key: EpochKey) -> bool {
        *self.0.entry(epoch).or_insert_with(|| key.clone()) == key
    }

    /// The key of an epoch.
    pub fn get(&self, epoch: &EventId) -> Option<&EpochKey> {
        self.0.get(epoch)
    }

    /// Those of `epochs` whose keys are here, in the same order.
    pub fn known<'a>(
        &'a self,
        epochs: impl IntoIterator<Item = EventId> + 'a,
    ) -> impl Iterator<Item = (EventId, &'a EpochKey)> {
        epochs.into_iter().filter_map(|epoch| Some((epoch, self.0.get(&epoch)?)))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&EventId, &EpochKey)> {
        self.0.iter()
    }

    /// How many keys are here.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_of_an_epoch_stays() {
        let mut keys = EpochKeys::default();
        let epoch = EventId([1; 32]);
        assert!(keys.insert(epoch, EpochKey::new([7; 32])));
        assert!(keys.insert(epoch, EpochKey::new([7; 32])));
        assert!(!keys.insert(epoch, EpochKey::new([8; 32])));
        assert_eq!(keys.get(&epoch), Some(&EpochKey::new([7; 32])));
    }

    #[test]
    fn old_keys_are_forgotten_and_unknown_ones_kept() {
        let id = |number: u8| EventId([number; 32]);
        let mut keys = EpochKeys::default();
        (0..=200).for_each(|number| _ = keys.insert(id(number), EpochKey::new([number; 32])));
        let newest_first = || (1..=200).rev().map(id);
        let needed = BTreeSet::from([id(5)]);
        assert!(keys.are_many() && keys.forget_old(newest_first(), &needed));
        assert_eq!(keys.len(), KNOWN + 2);
        assert!([0, 5, 200, 73].iter().all(|number| keys.get(&id(*number)).is_some()));
        assert!(keys.get(&id(72)).is_none() && !keys.forget_old(newest_first(), &needed));
    }

    #[test]
    fn the_order_is_the_callers_and_the_encoding_round_trips() {
        let mut keys = EpochKeys::default();
        for number in [1, 2, 3] {
            keys.insert(EventId([number; 32]), EpochKey::new([number; 32]));
        }
        let order = [3, 9, 1].map(|number| EventId([number; 32]));
        let known: Vec<_> = keys.known(order).map(|(epoch, _)| epoch.0[0]).collect();
        assert_eq!(known, [3, 1]);
        let bytes = cbor::encode(&keys).unwrap();
        assert_eq!(cbor::decode(&bytes, 4096), Ok(keys));
    }
}
