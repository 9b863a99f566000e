//! The clock of each machine, which its people may set, and sleep, in which nothing happens there.

use std::time::Duration;

use pairwave_core::input::Input;
use pairwave_core::time::Timestamp;

use super::{At, Event, World};

/// What a companion makes of its machine's clocks, as the daemon does: it follows the system's clock
/// when that is set forward, and goes on at its own pace when that is set back, until it is started
/// anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// How far the system's clock is ahead, or behind.
    off_ms: i64,
    told: Timestamp,
    /// When that was.
    at: Timestamp,
}

/// A machine that sleeps.
pub struct Sleep {
    since: Timestamp,
    /// What would have happened, and when.
    missed: Vec<(Timestamp, Event)>,
}

impl Clock {
    pub fn set(&mut self, off_ms: i64) {
        self.off_ms = off_ms;
    }

    /// The companion is started: it knows nothing of what it told before.
    pub fn start(&mut self, now: Timestamp) {
        (self.told, self.at) = (self.system(now), now);
    }

    pub fn tell(&mut self, now: Timestamp) -> Timestamp {
        let own = self.told + now.since(self.at);
        (self.told, self.at) = (own.max(self.system(now)), now);
        self.told
    }

    fn system(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add_signed(self.off_ms))
    }
}

impl World {
    /// Somebody sets the clock of a machine: so far from the true time.
    pub fn set_clock(&mut self, at: At, off_ms: i64) {
        self.machines[at].clock.set(off_ms);
    }

    pub fn is_awake(&self, at: At) -> bool {
        self.is_up(at) && self.machines[at].asleep.is_none()
    }

    /// The lid is closed: nothing happens there, and the clock that programs wait by stands still.
    pub fn sleep(&mut self, at: At) {
        if self.is_awake(at) {
            self.machines[at].asleep = Some(Sleep { since: self.now, missed: Vec::new() });
        }
    }

    /// What came meanwhile is there at once; what waited for a span of time waits for the rest of it.
    /// The companion notices, as it looks at both clocks.
    pub fn wake(&mut self, at: At) {
        let Some(Sleep { since, missed }) = self.machines[at].asleep.take() else { return };
        for (due, event) in missed {
            let rest = match event {
                Event::Timeout { .. } => due.since(since),
                _ => Duration::ZERO,
            };
            self.schedule(u64::try_from(rest.as_millis()).expect("short"), event);
        }
        self.later(at, 1, Input::NetworkChanged);
    }

    /// Keeps what happens at a machine that sleeps. Gives back what happens at one that does not.
    pub(super) fn unless_asleep(&mut self, due: Timestamp, event: Event) -> Option<Event> {
        let (Event::Input { at, .. } | Event::Sync { at, .. } | Event::Timeout { at, .. }) = &event;
        match &mut self.machines[*at].asleep {
            Some(sleep) => {
                sleep.missed.push((due, event));
                None
            }
            None => Some(event),
        }
    }
}
