//! Rooms that are closed and wait to be read again.
//!
//! A room that fails right after it was read again is given a pause, a longer one each time, so that
//! a log that cannot be read keeps nobody busy, and no room stays closed for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use pairwave_core::id::RoomId;
use tokio::time::Instant;

/// First pause before a room is read once more.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A room that was fine for so long has no history.
const FINE: Duration = Duration::from_secs(120);

/// Which rooms are read again, and when.
#[derive(Debug, Default)]
pub(super) struct Reopening(BTreeMap<RoomId, Attempts>);

#[derive(Debug)]
struct Attempts {
    state: State,
    /// Those that followed close upon each other.
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The committer was asked and has not answered.
    Asked,
    /// It is to be asked then.
    Due(Instant),
    /// The room was read again then.
    Read(Instant),
}

impl Reopening {
    /// The room was closed by a write that was refused: what is stored is fine. Says whether to ask
    /// the committer now; it may have been asked already.
    pub fn refused(&mut self, room: RoomId) -> bool {
        let attempts = self.0.entry(room).or_insert(Attempts { state: State::Asked, count: 0 });
        let is_new = attempts.count == 0 || attempts.state != State::Asked;
        attempts.state = State::Asked;
        attempts.count = attempts.count.max(1);
        is_new
    }

    /// The room cannot go on, or could not be read. Says whether to ask the committer now; it may
    /// have been asked already, or is in time.
    pub fn failed(&mut self, room: RoomId, now: Instant) -> bool {
        let attempts = self.0.entry(room).or_insert(Attempts { state: State::Read(now), count: 0 });
        if let State::Read(at) = attempts.state {
            if now.duration_since(at) >= FINE {
                attempts.count = 0;
            }
            attempts.state = if attempts.count == 0 { State::Asked } else { State::Due(now + pause(attempts.count)) };
            attempts.count += 1;
            return attempts.state == State::Asked;
        }
        false
    }

    /// The committer has answered, so the room is read now.
    pub fn answered(&mut self, room: RoomId, now: Instant) {
        let attempts = self.0.entry(room).or_insert(Attempts { state: State::Asked, count: 1 });
        attempts.state = State::Read(now);
    }

    /// When the next room is due.
    pub fn next(&self) -> Option<Instant> {
        self.0.values().filter_map(|attempts| attempts.due()).min()
    }

    /// Rooms for which the committer is to be asked now.
    pub fn due(&mut self, now: Instant) -> Vec<RoomId> {
        let due = self.0.iter_mut().filter(|(_, attempts)| attempts.due().is_some_and(|due| due <= now));
        due.map(|(room, attempts)| {
            attempts.state = State::Asked;
            *room
        })
        .collect()
    }
}

impl Attempts {
    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Due(due) => Some(due),
            State::Asked | State::Read(_) => None,
        }
    }
}

fn pause(count: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << (count - 1).min(8)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);

    #[test]
    fn a_room_is_asked_for_once_and_then_ever_more_rarely() {
        let (mut reopening, mut now) = (Reopening::default(), Instant::now());
        assert!(reopening.failed(ROOM, now));
        assert!(!reopening.failed(ROOM, now) && !reopening.refused(ROOM), "it is under way");
        let mut pauses = Vec::new();
        for _ in 0..7 {
            reopening.answered(ROOM, now);
            assert!(!reopening.failed(ROOM, now) && !reopening.failed(ROOM, now));
            let due = reopening.next().unwrap();
            assert!(reopening.due(now).is_empty());
            pauses.push((due - now).as_secs());
            now = due;
            assert_eq!(reopening.due(now), [ROOM]);
            assert_eq!(reopening.next(), None);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
        reopening.answered(ROOM, now);
        assert!(reopening.failed(ROOM, now + FINE), "it was fine for a while");
    }

    #[test]
    fn a_refused_write_reopens_at_once() {
        let (mut reopening, now) = (Reopening::default(), Instant::now());
        for _ in 0..3 {
            assert!(reopening.refused(ROOM) && !reopening.refused(ROOM));
            reopening.answered(ROOM, now);
        }
        assert!(!reopening.failed(ROOM, now));
        assert!(reopening.refused(ROOM), "it need not wait any more");
        assert_eq!(reopening.next(), None);
    }
}
