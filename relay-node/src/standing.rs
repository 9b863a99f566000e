//! Who holds a token: peers that have shown one lately, as long as it is not revoked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use libp2p::PeerId;

use crate::tokens::{self, Token, Tokens};

/// How long a shown token counts.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Peers that are remembered.
const REMEMBERED: usize = 65_536;

/// Shared by all who give more to holders.
#[derive(Debug)]
pub struct Standing {
    tokens: Tokens,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    holders: HashMap<PeerId, Shown>,
    /// Whose token was revoked since somebody asked.
    revoked: Vec<PeerId>,
    list: Vec<Token>,
    version: Option<(SystemTime, u64)>,
}

#[derive(Debug)]
struct Shown {
    token: Token,
    at: Instant,
}

impl Standing {
    pub fn new(tokens: Tokens) -> Self {
        Self { tokens, inside: Mutex::default() }
    }

    /// Takes note of a token; `false` if it is none of ours.
    pub fn present(&self, peer: PeerId, shown: &str, now: Instant) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.refresh(&self.tokens);
        let Some(token) = tokens::recognised(&inside.list, shown).cloned() else { return false };
        inside.make_room(now);
        inside.holders.insert(peer, Shown { token, at: now });
        true
    }

    pub fn is_holder(&self, peer: &PeerId, now: Instant) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if !inside.holders.contains_key(peer) {
            return false;
        }
        inside.refresh(&self.tokens);
        inside.holders.get(peer).is_some_and(|shown| now.saturating_duration_since(shown.at) < KEPT)
    }

    /// Whose token was revoked, each told once. Their connections still have what holders get.
    pub fn take_revoked(&self) -> Vec<PeerId> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if !inside.holders.is_empty() {
            inside.refresh(&self.tokens);
        }
        std::mem::take(&mut inside.revoked)
    }
}

impl Inside {
    /// Takes up what was created and revoked since. A list that cannot be read counts as it was.
    fn refresh(&mut self, tokens: &Tokens) {
        let version = tokens.version();
        if version == self.version {
            return;
        }
        match tokens.list() {
            Ok(list) => {
                let revoked = self.holders.extract_if(|_, shown| !list.contains(&shown.token));
                self.revoked.extend(revoked.map(|(peer, _)| peer));
                (self.list, self.version) = (list, version);
            }
            Err(error) => tracing::error!(%error, "the tokens cannot be read"),
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.holders.len() < REMEMBERED {
            return;
        }
        self.holders.retain(|_, shown| now.saturating_duration_since(shown.at) < KEPT);
        if self.holders.len() >= REMEMBERED {
            let oldest = self.holders.iter().min_by_key(|(_, shown)| shown.at).map(|(peer, _)| *peer);
            oldest.map(|oldest| self.holders.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_for_a_day_and_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let standing = Standing::new(tokens.clone());
        let (alice, bob, now) = (PeerId::random(), PeerId::random(), Instant::now());
        assert!(!standing.present(alice, "prt-guessed", now));
        let (shown, token) = tokens.create(None).unwrap();
        assert!(standing.present(alice, &shown, now), "the running relay notices a new token");
        assert!(standing.is_holder(&alice, now) && !standing.is_holder(&bob, now));
        assert!(!standing.is_holder(&alice, now + KEPT));
        assert_eq!(standing.take_revoked(), []);
        tokens.revoke(token.id()).unwrap();
        assert_eq!((standing.take_revoked(), standing.take_revoked()), (vec![alice], Vec::new()));
        assert!(!standing.is_holder(&alice, now) && !standing.present(alice, &shown, now));
    }
}
