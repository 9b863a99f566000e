//! How often two members may try: what a guesser between them would have to go on.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Timestamp;

/// Most exchanges of one pair within [`WINDOW`].
const EXCHANGES: usize = 10;
const WINDOW: Duration = Duration::from_secs(60 * 60);
/// So many wrong entries in a row lock the pair for [`LOCK`].
const WRONG: u32 = 3;
const LOCK: Duration = Duration::from_secs(60 * 60);

/// Counts the exchanges with one other member in one room. Each side keeps its own, in memory: it
/// holds in that room until this companion ends, or has to read the room again. Both sides count, so who restarts one's own
/// companion is still held by the other's; who shares several rooms has as many attempts in each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limiter {
    revealed: VecDeque<Timestamp>,
    wrong: u32,
    locked_until: Option<Timestamp>,
}

/// Why there is no new exchange at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// As many as an hour allows.
    #[error("{max} exchanges of words were made within an hour; the next is possible in {} s", wait.as_secs())]
    TooMany {
        /// How many an hour allows.
        max: usize,
        /// When there is room for another.
        wait: Duration,
    },
    /// Wrong words, too often in a row.
    #[error("wrong words {WRONG} times in a row; the next exchange is possible in {} s", wait.as_secs())]
    Locked {
        /// When the lock opens.
        wait: Duration,
    },
}

impl Limiter {
    /// Whether an exchange may begin, or be answered, now.
    pub fn check(&mut self, now: Timestamp) -> Result<(), LimitError> {
        if let Some(until) = self.locked_until.filter(|until| *until > now) {
            return Err(LimitError::Locked { wait: until.since(now) });
        }
        self.locked_until = None;
        self.forget(now);
        match self.revealed.front() {
            Some(oldest) if self.revealed.len() >= EXCHANGES => {
                Err(LimitError::TooMany { max: EXCHANGES, wait: (*oldest + WINDOW).since(now) })
            }
            _ => Ok(()),
        }
    }

    /// Our nonce went out: the exchange counts, whatever becomes of it.
    pub fn revealed(&mut self, now: Timestamp) {
        self.forget(now);
        if self.revealed.len() == EXCHANGES {
            self.revealed.pop_front();
        }
        self.revealed.push_back(now);
    }

    /// Wrong words were entered, here or there. Says whether this locks the pair.
    pub fn wrong(&mut self, now: Timestamp) -> bool {
        self.wrong += 1;
        if self.wrong < WRONG {
            return false;
        }
        self.lock(now);
        true
    }

    /// The other side has locked the pair.
    pub fn lock(&mut self, now: Timestamp) {
        self.wrong = 0;
        self.locked_until = Some(now + LOCK);
    }

    /// The right words were entered.
    pub fn right(&mut self) {
        self.wrong = 0;
    }

    fn forget(&mut self, now: Timestamp) {
        self.revealed.retain(|revealed| *revealed + WINDOW > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u64) -> Timestamp {
        Timestamp(number * 60_000)
    }

    fn minutes(number: u64) -> Duration {
        Duration::from_secs(number * 60)
    }

    #[test]
    fn ten_an_hour_from_the_reveal() {
        let mut limiter = Limiter::default();
        for number in 0..10 {
            assert_eq!(limiter.check(minute(number)), Ok(()));
            limiter.revealed(minute(number));
        }
        assert_eq!(limiter.check(minute(10)), Err(LimitError::TooMany { max: 10, wait: minutes(50) }));
        assert_eq!(limiter.check(minute(59)), Err(LimitError::TooMany { max: 10, wait: minutes(1) }));
        assert_eq!(limiter.check(minute(60)), Ok(()));
        limiter.revealed(minute(60));
        assert_eq!(limiter.check(minute(60)), Err(LimitError::TooMany { max: 10, wait: minutes(1) }));
    }

    #[test]
    fn an_exchange_without_reveal_does_not_count() {
        let mut limiter = Limiter::default();
        for _ in 0..100 {
            assert_eq!(limiter.check(minute(1)), Ok(()));
        }
    }

    #[test]
    fn three_wrong_in_a_row_lock_for_an_hour() {
        let mut limiter = Limiter::default();
        assert!(!limiter.wrong(minute(0)));
        assert!(!limiter.wrong(minute(1)));
        limiter.right();
        assert!(!limiter.wrong(minute(2)));
        assert!(!limiter.wrong(minute(3)));
        assert_eq!(limiter.check(minute(3)), Ok(()));
        assert!(limiter.wrong(minute(4)));
        assert_eq!(limiter.check(minute(5)), Err(LimitError::Locked { wait: minutes(59) }));
        assert_eq!(limiter.check(minute(64)), Ok(()));
        assert!(!limiter.wrong(minute(65)));
    }
}
