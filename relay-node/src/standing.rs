//! Who holds a token: peers that have shown one and are here, or were lately, as long as it is not revoked.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use libp2p::PeerId;

use crate::tokens::{self, Token, Tokens};

/// How long a shown token counts when its holder is gone.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a look at the list suffices for those who hold a token.
const LOOKED: Duration = Duration::from_secs(1);
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
    /// When the list was last looked at.
    looked_at: Option<Instant>,
    holders: HashMap<PeerId, Shown>,
    /// Who has a connection.
    here: HashSet<PeerId>,
    /// Whose token was revoked since somebody asked.
    revoked: Vec<PeerId>,
    list: Vec<Token>,
    version: Option<(SystemTime, u64)>,
}

#[derive(Debug)]
struct Shown {
    token: Token,
    /// When its last connection ended, if it has none.
    gone_since: Option<Instant>,
}

impl Standing {
    pub fn new(tokens: Tokens) -> Self {
        Self { tokens, inside: Mutex::default() }
    }

    /// Takes note of a token; `false` if it is none of ours.
    pub fn present(&self, peer: PeerId, shown: &str, now: Instant) -> bool {
        let mut inside = self.inside();
        inside.refresh(&self.tokens, now);
        let Some(token) = tokens::recognised(&inside.list, shown).cloned() else { return false };
        inside.make_room(now);
        // It may have gone before its request was read.
        let gone_since = (!inside.here.contains(&peer)).then_some(now);
        inside.holders.insert(peer, Shown { token, gone_since });
        true
    }

    pub fn is_holder(&self, peer: &PeerId, now: Instant) -> bool {
        let mut inside = self.inside();
        if !inside.holders.contains_key(peer) {
            return false;
        }
        inside.look(&self.tokens, now);
        inside.holders.get(peer).is_some_and(|shown| shown.counts(now))
    }

    /// It has a connection: as long as it has, its token counts.
    pub fn arrived(&self, peer: &PeerId, now: Instant) {
        let mut inside = self.inside();
        inside.here.insert(*peer);
        if let Some(shown) = inside.holders.get_mut(peer).filter(|shown| shown.counts(now)) {
            shown.gone_since = None;
        }
    }

    /// Its last connection has ended.
    pub fn left(&self, peer: &PeerId, now: Instant) {
        let mut inside = self.inside();
        inside.here.remove(peer);
        if let Some(shown) = inside.holders.get_mut(peer) {
            shown.gone_since.get_or_insert(now);
        }
    }

    /// Whose token was revoked, each told once. Their connections still have what holders get.
    pub fn take_revoked(&self, now: Instant) -> Vec<PeerId> {
        let mut inside = self.inside();
        if !inside.holders.is_empty() {
            inside.look(&self.tokens, now);
        }
        std::mem::take(&mut inside.revoked)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Takes up what was revoked, unless that was done just now: this is asked for every open circuit.
    fn look(&mut self, tokens: &Tokens, now: Instant) {
        if self.looked_at.is_none_or(|at| now.saturating_duration_since(at) >= LOOKED) {
            self.refresh(tokens, now);
        }
    }

    /// Takes up what was created and revoked since. A list that cannot be read counts as it was.
    fn refresh(&mut self, tokens: &Tokens, now: Instant) {
        self.looked_at = Some(now);
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
        self.holders.retain(|_, shown| shown.counts(now));
        if self.holders.len() >= REMEMBERED {
            let longest_gone = self.holders.iter().min_by_key(|(_, shown)| shown.gone_since.unwrap_or(now));
            let longest_gone = longest_gone.map(|(peer, _)| *peer);
            longest_gone.map(|peer| self.holders.remove(&peer));
        }
    }
}

impl Shown {
    fn counts(&self, now: Instant) -> bool {
        self.gone_since.is_none_or(|since| now.saturating_duration_since(since) < KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let standing = Standing::new(tokens.clone());
        let (alice, bob, now) = (PeerId::random(), PeerId::random(), Instant::now());
        assert!(!standing.present(alice, "prt-guessed", now));
        let (shown, token) = tokens.create(None).unwrap();
        assert!(standing.present(alice, &shown, now), "the running relay notices a new token");
        assert!(standing.is_holder(&alice, now) && !standing.is_holder(&bob, now));
        assert_eq!(standing.take_revoked(now), []);
        tokens.revoke(token.id()).unwrap();
        assert!(standing.is_holder(&alice, now), "the list was looked at just now");
        let later = now + LOOKED;
        assert_eq!((standing.take_revoked(later), standing.take_revoked(later)), (vec![alice], Vec::new()));
        assert!(!standing.is_holder(&alice, later) && !standing.present(alice, &shown, now));
    }

    #[test]
    fn a_token_counts_as_long_as_its_holder_stays_and_for_a_day_after() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let standing = Standing::new(tokens.clone());
        let (alice, mut now) = (PeerId::random(), Instant::now());
        let (shown, _) = tokens.create(None).unwrap();
        standing.arrived(&alice, now);
        assert!(standing.present(alice, &shown, now));
        now += 10 * KEPT;
        assert!(standing.is_holder(&alice, now), "it has been connected all the time");
        standing.left(&alice, now);
        now += KEPT / 2;
        assert!(standing.is_holder(&alice, now));
        standing.arrived(&alice, now);
        now += KEPT;
        assert!(standing.is_holder(&alice, now), "it has come back");
        standing.left(&alice, now);
        now += KEPT;
        assert!(!standing.is_holder(&alice, now));
        standing.arrived(&alice, now);
        assert!(!standing.is_holder(&alice, now), "too late");
    }

    #[test]
    fn who_has_gone_before_its_token_is_read_counts_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(folder.path());
        let standing = Standing::new(tokens.clone());
        let (alice, now) = (PeerId::random(), Instant::now());
        let (shown, _) = tokens.create(None).unwrap();
        standing.arrived(&alice, now);
        standing.left(&alice, now);
        assert!(standing.present(alice, &shown, now) && standing.is_holder(&alice, now));
        assert!(!standing.is_holder(&alice, now + KEPT));
    }
}
