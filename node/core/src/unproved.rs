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

    pub fn iter(&self) -> impl Iterator<Item = &(EventId, EpochKey)> {
        self.keys.values().flatten()
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
