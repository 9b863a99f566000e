//! How much is folded again. What comes late costs every companion the way back, and who says
//! everything as if it had heard nothing makes all of it late: over time only so many events are
//! folded again, and what comes beyond that waits and shares one way.

use std::time::Duration;

use crate::time::Timestamp;

/// Events that may be folded again without a pause, and in every second after that: a small part of
/// what a companion can fold.
const AT_ONCE: u64 = 8192;
const PER_SECOND: u64 = 1024;
/// What costs no more than a few late words always may.
const LITTLE: u64 = 128;
/// The longest pause, however much was folded again.
const PAUSE: Duration = Duration::from_secs(30);

/// What one room may fold again.
#[derive(Debug, Default)]
pub struct Pace {
    /// Events that were folded again and not paid for by time, at that time.
    owed: u64,
    at: Timestamp,
}

impl Pace {
    /// So many events were folded again.
    pub fn spend(&mut self, events: u64, now: Timestamp) {
        let paid = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX).saturating_mul(PER_SECOND) / 1000;
        self.owed = self.owed.saturating_sub(paid).saturating_add(events).min(AT_ONCE + PAUSE.as_secs() * PER_SECOND);
        self.at = now;
    }

    /// How many may be folded again for every few that come.
    pub fn at_once(&self) -> u64 {
        AT_ONCE.saturating_sub(self.owed).max(LITTLE)
    }

    /// From when on more of them may.
    pub fn ready(&self) -> Timestamp {
        let beyond = self.owed.saturating_sub(AT_ONCE);
        self.at + Duration::from_millis(beyond * 1000 / PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn what_is_folded_again_all_the_time_has_to_wait() {
        let mut pace = Pace::default();
        pace.spend(0, NOW);
        assert_eq!((pace.at_once(), pace.ready()), (AT_ONCE, NOW));
        pace.spend(AT_ONCE, NOW);
        assert_eq!((pace.at_once(), pace.ready()), (LITTLE, NOW));
        pace.spend(PER_SECOND, NOW);
        assert_eq!(pace.ready(), NOW + Duration::from_secs(1));
        pace.spend(1_000_000, NOW);
        assert_eq!(pace.ready(), NOW + PAUSE);
        let later = NOW + PAUSE + Duration::from_secs(4);
        pace.spend(0, later);
        assert_eq!((pace.at_once(), pace.ready()), (4 * PER_SECOND, later));
    }
}
