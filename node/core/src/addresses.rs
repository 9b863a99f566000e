//! Addresses of one companion, as they were told: newer ones make the oldest go.

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

/// At most [`limits::ADDRESSES`], the one that was told last at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Addresses(Vec<String>);

impl Addresses {
    /// Takes what is told now. Says whether any of it is new.
    pub fn add(&mut self, addresses: &[String]) -> bool {
        let mut news = false;
        for address in addresses.iter().take(limits::ADDRESSES) {
            let known = self.0.iter().position(|known| known == address);
            news |= known.is_none();
            if let Some(at) = known {
                self.0.remove(at);
            }
            self.0.push(address.clone());
        }
        let surplus = self.0.len().saturating_sub(limits::ADDRESSES);
        self.0.drain(..surplus);
        news
    }

    /// Newest first.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter().rev()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| format!("/ip4/10.0.0.{number}/tcp/1")).collect()
    }

    #[test]
    fn the_oldest_goes_and_what_is_told_again_is_new_again() {
        let mut addresses = Addresses::default();
        assert!(addresses.add(&told(0..limits::ADDRESSES)));
        assert!(!addresses.add(&told(0..1)));
        assert!(addresses.add(&told(99..100)));
        let held: Vec<String> = addresses.iter().cloned().collect();
        assert_eq!(held.len(), limits::ADDRESSES);
        assert_eq!(held[..2], [told(99..100), told(0..1)].concat());
        assert!(!held.contains(&told(1..2)[0]));
    }

    #[test]
    fn more_than_there_is_room_for_is_cut_off() {
        let mut addresses = Addresses::default();
        addresses.add(&told(0..100));
        assert_eq!(addresses.iter().count(), limits::ADDRESSES);
    }
}
