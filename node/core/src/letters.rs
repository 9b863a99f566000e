//! With which keys a letter to a member begins: each tells its own in the room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::MemberId;

/// The author's public keys of the Double Ratchet (Olm): what a session with it begins with. The
/// secret halves are in the author's companion; a later event of the author replaces these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterKeys {
    /// Curve25519 identity key.
    #[serde(with = "serde_bytes")]
    pub identity: [u8; 32],
    /// Curve25519 fallback key.
    #[serde(with = "serde_bytes")]
    pub fallback: [u8; 32],
}

/// Everybody's newest letter keys, in the room's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Letters(BTreeMap<MemberId, LetterKeys>);

impl Letters {
    pub(crate) fn apply(&mut self, author: MemberId, keys: LetterKeys) {
        self.0.insert(author, keys);
    }

    /// With what a letter to `member` begins, if it has told.
    pub fn of(&self, member: &MemberId) -> Option<&LetterKeys> {
        self.0.get(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_keys_count() {
        let bob = MemberId([2; 32]);
        let keys = |byte| LetterKeys { identity: [byte; 32], fallback: [byte; 32] };
        let mut letters = Letters::default();
        assert_eq!(letters.of(&bob), None);
        letters.apply(bob, keys(1));
        letters.apply(bob, keys(2));
        assert_eq!(letters.of(&bob), Some(&keys(2)));
    }
}
