//! What the core is told of time.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pairwave_core::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// By how much the machine's clocks must part for it to have slept.
const SLEPT: Duration = Duration::from_secs(1);

/// A clock that never goes backwards and runs on while the machine sleeps. It follows the system's
/// clock when that is set forward; when that is set back it goes on at its own pace, so that what
/// waits for a span of time waits no longer than that.
#[derive(Debug)]
pub struct Clock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    told: u64,
    awake_and_asleep: Duration,
}

impl Clock {
    pub fn start() -> Self {
        Self(Mutex::new(Reading { told: system_millis(), awake_and_asleep: since_boot() }))
    }

    pub fn now(&self) -> Timestamp {
        let mut reading = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *reading = reading.advance(since_boot(), system_millis());
        Timestamp(reading.told)
    }
}

/// What the system's clock says: for what is shown, never for what is decided.
pub fn now() -> Timestamp {
    Timestamp(system_millis())
}

impl Reading {
    fn advance(self, since_boot: Duration, system: u64) -> Self {
        let elapsed = since_boot.saturating_sub(self.awake_and_asleep);
        // Whole milliseconds only: the rest stays in the old reading and is not lost.
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let own = self.told.saturating_add(millis);
        Self {
            told: own.max(system),
            awake_and_asleep: self.awake_and_asleep.saturating_add(Duration::from_millis(millis)),
        }
    }
}

/// Notices that the machine slept: its clock since boot went on, the one that programs wait by did not.
#[derive(Debug)]
pub struct Sleep {
    awake: Instant,
    since_boot: Duration,
}

impl Sleep {
    pub fn start() -> Self {
        Self { awake: Instant::now(), since_boot: since_boot() }
    }

    /// Has the machine slept since this was last asked?
    pub fn slept(&mut self) -> bool {
        let now = Self::start();
        let asleep = now
            .since_boot
            .saturating_sub(self.since_boot)
            .saturating_sub(now.awake.saturating_duration_since(self.awake));
        *self = now;
        asleep > SLEPT
    }
}

fn system_millis() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

fn since_boot() -> Duration {
    // On macOS the monotonic clock counts sleep too.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(told: u64, millis: u64) -> Reading {
        Reading { told, awake_and_asleep: Duration::from_millis(millis) }
    }

    #[test]
    fn it_follows_the_system_forward_only() {
        let start = reading(10_000, 0);
        let later = |system| start.advance(Duration::from_millis(500), system).told;
        assert_eq!(later(10_500), 10_500);
        assert_eq!(later(99_000), 99_000);
        assert_eq!(later(3), 10_500);
    }

    #[test]
    fn it_goes_on_where_the_system_was_set_back() {
        let ahead = reading(10_000, 0).advance(Duration::from_millis(1), 90_000);
        assert_eq!(ahead.advance(Duration::from_millis(1001), 10_000).told, 91_000);
    }

    #[test]
    fn parts_of_a_millisecond_add_up() {
        let mut reading = reading(0, 0);
        for micros in (300..=3000).step_by(300) {
            reading = reading.advance(Duration::from_micros(micros), 0);
        }
        assert_eq!(reading.told, 3);
    }

    #[test]
    fn it_never_goes_backwards() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
