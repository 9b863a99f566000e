//! Keys that were given to a newcomer before it knows who is a member: it has an invite to go by, and
//! others may hold the same one. They open links, so that the log can come, and count once the log
//! says that a member gave them. Whom the invite names is believed at once.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::id::{EventId, MemberId};
use crate::key::EpochKey;
use crate::letter;
use crate::seat::{Seat, Standing};

/// Most givers whose keys wait.
const GIVERS: usize = 64;

/// What one wish to join was given.
#[derive(Debug, Default)]
pub(crate) struct Unproved {
    inviter: Option<MemberId>,
    keys: BTreeMap<MemberId, Vec<(EventId, EpochKey)>>,
    /// A member gave us a key since [`Self::take_let_in`].
    let_in: bool,
}

impl Unproved {
    /// The invite names this member.
    pub fn believe(&mut self, inviter: MemberId) {
        self.inviter = Some(inviter);
    }

    /// All keys, one of each giver before the second of anybody, beginning at another one each time:
    /// so nobody who gives many keeps those of others from being tried.
    pub fn offered(&self, turn: u64) -> Vec<(EventId, EpochKey)> {
        let most = self.keys.values().map(Vec::len).max().unwrap_or(0);
        let in_turn = (0..most).flat_map(|at| self.keys.values().filter_map(move |keys| keys.get(at)));
        let mut offered: Vec<_> = in_turn.cloned().collect();
        let begin = usize::try_from(turn % offered.len().max(1) as u64).unwrap_or(0);
        offered.rotate_left(begin);
        offered
    }

    /// Says once that a member let us in.
    pub fn take_let_in(&mut self) -> bool {
        std::mem::take(&mut self.let_in)
    }

    /// The wish is over.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn hold(&mut self, from: MemberId, keys: Vec<(EventId, EpochKey)>) {
        if self.keys.len() >= GIVERS && !self.keys.contains_key(&from) {
            return;
        }
        let held = self.keys.entry(from).or_default();
        for key in keys {
            if held.len() < letter::KEYS && !held.contains(&key) {
                held.push(key);
            }
        }
    }
}

impl Seat {
    /// Somebody who proved to be `from` gave us keys.
    pub(crate) fn keys_from(&mut self, from: MemberId, keys: Vec<(EventId, EpochKey)>, context: &mut Context<'_>) {
        if self.is_believed(&from) {
            self.unproved.let_in = true;
            self.on_keys(keys, context);
        } else if self.standing() == Standing::Waiting {
            self.unproved.hold(from, keys);
        }
    }

    /// Takes the keys of those who turn out to be members.
    pub(crate) fn take_proved_keys(&mut self, context: &mut Context<'_>) {
        let proved: Vec<MemberId> = self.unproved.keys.keys().filter(|from| self.is_believed(from)).copied().collect();
        for from in proved {
            let keys = self.unproved.keys.remove(&from).unwrap_or_default();
            self.keys_from(from, keys, context);
        }
    }

    fn is_believed(&self, from: &MemberId) -> bool {
        self.room.is_member(from) || self.unproved.inviter == Some(*from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{ALICE, MALLORY, position};

    fn key(number: u16) -> (EventId, EpochKey) {
        (position(number).id, EpochKey::new([number as u8; 32]))
    }

    #[test]
    fn who_gives_many_keeps_nobody_elses_key_from_its_turn() {
        let mut unproved = Unproved::default();
        unproved.hold(MALLORY, (0..60).map(key).collect());
        unproved.hold(ALICE, vec![key(99)]);
        let place =
            |turn| unproved.offered(turn).iter().position(|offered| *offered == key(99)).expect("it is offered");
        assert!(place(0) < 2);
        assert!((0..61).all(|at| (0..61).any(|turn| place(turn) == at)), "each place at some turn");
        assert_eq!(Unproved::default().offered(7), []);
    }
}
