//! Handoffs: written on request, when the companion ends and when nobody has done anything for a
//! while.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use pairwave_api::{Code, Failure, Handoff, HandoffView};
use pairwave_core::command::Speaker;
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId, SessionId};
use pairwave_core::room::Room;
use tokio::time::{Instant, timeout};

use super::Answers;
use crate::caller::Caller;
use crate::handoffs::Basis;
use crate::refusals::unreadable;
use crate::view::Viewer;

/// How long nobody must have done anything before a handoff is written.
pub(super) const IDLE: Duration = Duration::from_secs(5 * 60);
/// How often it is looked whether that is so.
const LOOK: Duration = Duration::from_secs(30);
/// How long the end of the companion may be held up by handoffs.
const FAREWELL: Duration = Duration::from_secs(3);

impl Answers {
    pub(super) async fn handoff(&self, by: &Caller, ask: &Handoff) -> Result<HandoffView, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.write_handoff(room, by.speaker).await
    }

    pub(super) async fn write_handoff(&self, room: RoomId, by: Speaker) -> Result<HandoffView, Failure> {
        let at = now();
        let made = move |viewer: &Viewer<'_, _>| {
            let markdown = viewer.handoff(&by, &at).map_err(|error| unreadable(&error))?;
            let room = viewer.room();
            let heads: Vec<EventId> = room.heads().copied().collect();
            Ok((Basis::new(at, room.count(), room.last_arrival(), heads), markdown))
        };
        let (basis, markdown) = self.look(room, made).await?;
        let handoffs = self.handoffs.clone();
        let written =
            tokio::task::spawn_blocking(move || handoffs.write(&room, &basis, &markdown).map(|path| (path, markdown)));
        let (path, markdown) =
            written.await.map_err(io::Error::other).and_then(|written| written).map_err(|error| unwritable(&error))?;
        Ok(HandoffView { path: path.display().to_string(), markdown })
    }

    /// Writes a handoff of every room in which something was said since its last one.
    pub async fn hand_off_all(&self) {
        let all = async {
            for (room, arrival) in self.spoken_in().await {
                self.hand_off_if_changed(room, arrival).await;
            }
        };
        if timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("there was no time to write all handoffs; the log has everything");
        }
    }

    /// Writes a handoff of every room that fell silent.
    pub(super) async fn hand_off_silent(&self, silent: &mut Silent, now: Instant) {
        for (room, arrival) in silent.fell(self.spoken_in().await, now) {
            self.hand_off_if_changed(room, arrival).await;
        }
    }

    async fn hand_off_if_changed(&self, room: RoomId, arrival: u64) {
        if self.handoffs.basis(&room).is_some_and(|basis| basis.arrival >= arrival) {
            return;
        }
        let by = Speaker { session: SessionId::COMPANION, origin: Origin::Human };
        if let Err(failure) = self.write_handoff(room, by).await {
            tracing::warn!(%room, %failure, "a handoff cannot be written");
        }
    }

    /// Rooms in which somebody said something, each with its newest arrival. A handoff is readable
    /// text: it is written unasked only where there is a task to hand over, by a charter or because
    /// somebody asked for one before.
    async fn spoken_in(&self) -> Vec<(RoomId, u64)> {
        let spoken = |node: &pairwave_core::node::Node<_>| {
            let rooms = node.rooms().filter(|room| {
                let counts = room.state().ledger.counts();
                counts.messages + counts.artifacts + counts.requests > 0
            });
            let task = |room: &Room| room.state().charters.newest().is_some();
            rooms.map(|room| (room.id(), room.last_arrival(), task(room))).collect::<Vec<_>>()
        };
        let spoken = self.parts.driver.query(spoken).await.into_iter();
        let wanted = spoken.filter(|(room, _, has_task)| *has_task || self.handoffs.basis(room).is_some());
        wanted.map(|(room, arrival, _)| (room, arrival)).collect()
    }
}

/// Writes handoffs of rooms that fell silent, until the companion ends.
pub(super) async fn mind_idle_rooms(answers: std::sync::Weak<Answers>) {
    let mut silent = Silent::default();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(answers) = answers.upgrade() else { return };
        answers.hand_off_silent(&mut silent, Instant::now()).await;
    }
}

/// Since when nothing has come in each room.
#[derive(Default)]
pub(super) struct Silent(BTreeMap<RoomId, (u64, Instant)>);

impl Silent {
    /// Those of the rooms in which nothing has come for a while.
    fn fell(&mut self, rooms: Vec<(RoomId, u64)>, now: Instant) -> Vec<(RoomId, u64)> {
        self.0.retain(|known, _| rooms.iter().any(|(room, _)| room == known));
        let mut fell = Vec::new();
        for (room, arrival) in rooms {
            let since = self.0.entry(room).or_insert((arrival, now));
            if since.0 != arrival {
                *since = (arrival, now);
            }
            if now.duration_since(since.1) >= IDLE {
                fell.push((room, arrival));
            }
        }
        fell
    }
}

/// To the second: nobody reads more of it.
pub(super) fn now() -> String {
    let second = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

pub(super) fn unwritable(error: &io::Error) -> Failure {
    let message = format!("The handoff cannot be written: {error}");
    Failure::new(Code::Failed, "handoff_failed", message, "Check the free space and the permissions of this home.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);

    #[test]
    fn a_room_falls_silent_after_a_while_without_anything_new() {
        let (mut silent, start) = (Silent::default(), Instant::now());
        assert_eq!(silent.fell(vec![(ROOM, 7)], start), []);
        assert_eq!(silent.fell(vec![(ROOM, 7)], start + IDLE / 2), []);
        assert_eq!(silent.fell(vec![(ROOM, 8)], start + IDLE), []);
        assert_eq!(silent.fell(vec![(ROOM, 8)], start + IDLE * 3 / 2), []);
        assert_eq!(silent.fell(vec![(ROOM, 8)], start + IDLE * 2), [(ROOM, 8)]);
        assert_eq!(silent.fell(Vec::new(), start + IDLE * 2), []);
        assert_eq!(silent.fell(vec![(ROOM, 8)], start + IDLE * 2), []);
    }
}
