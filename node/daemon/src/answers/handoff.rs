//! Handoffs: written on request, when the companion ends and when nobody has done anything for a
//! while; and taken up again.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use pairwave_api::{Code, Entry, Failure, Handoff, HandoffView, Resume, ResumeView};
use pairwave_core::command::Speaker;
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, RoomId, SessionId};
use pairwave_core::log::{Log, LogError};
use pairwave_core::room::Room;
use tokio::time::{Instant, timeout};

use super::Answers;
use crate::caller::Caller;
use crate::handoffs::Basis;
use crate::markdown::{self, Page};
use crate::refusals::unreadable;
use crate::view::{HANDOFF, QUOTED, Viewer, line, told};

/// How long nobody must have done anything before a handoff is written.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// How often it is looked whether that is so.
const LOOK: Duration = Duration::from_secs(30);
/// How long the end of the companion may be held up by handoffs.
const FAREWELL: Duration = Duration::from_secs(3);

/// Characters of what has happened since a handoff, and of the decisions to be held against the project.
const SINCE: usize = 4_000;
const DECISIONS: usize = 3_000;
/// Events that are looked at for what has happened since, and lines that are shown of them.
const LOOKED_AT: u64 = 400;
const LINES: usize = 40;

impl Answers {
    pub(super) async fn handoff(&self, by: &Caller, ask: &Handoff) -> Result<HandoffView, Failure> {
        let room = self.room(by, &ask.room).await?;
        self.write_handoff(room, by.speaker).await
    }

    pub(super) async fn resume(&self, by: &Caller, ask: &Resume) -> Result<ResumeView, Failure> {
        let room = self.room(by, &ask.room).await?;
        let path = self.handoffs.latest(&room).display().to_string();
        let (basis, markdown, first) = match self.handoffs.read(&room) {
            Some((basis, markdown)) => (basis, markdown, false),
            None => {
                let written = self.write_handoff(room, by.speaker).await?;
                let basis = self.handoffs.basis(&room).ok_or_else(|| unwritable(&io::ErrorKind::NotFound.into()))?;
                (basis, written.markdown, true)
            }
        };
        let resumed =
            move |viewer: &Viewer<'_, _>| resumed(viewer, &basis, &markdown, first).map_err(|error| unreadable(&error));
        let mut view = self.look(room, resumed).await?;
        view.path = path;
        Ok(view)
    }

    async fn write_handoff(&self, room: RoomId, by: Speaker) -> Result<HandoffView, Failure> {
        let at = jiff::Timestamp::now().to_string();
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
        for (room, arrival) in silent.fell(answers.spoken_in().await, Instant::now()) {
            answers.hand_off_if_changed(room, arrival).await;
        }
    }
}

/// Since when nothing has come in each room.
#[derive(Default)]
struct Silent(BTreeMap<RoomId, (u64, Instant)>);

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

/// A handoff with what has happened since.
fn resumed<L: Log>(viewer: &Viewer<'_, L>, basis: &Basis, handoff: &str, first: bool) -> Result<ResumeView, LogError> {
    let since = viewer.room().last_arrival().saturating_sub(basis.arrival);
    let log_ok = holds(viewer, basis)?;
    let mut page = Page::new(SINCE + DECISIONS + 2_000);
    page.heading(1, "Going on where the room was left");
    page.line(QUOTED);
    page.line(&match first {
        true => format!("There was no handoff here: this one was made from the log, {}.", basis.at),
        false => format!("The handoff below was written {}.", basis.at),
    });
    page.line(match log_ok {
        true => "Everything that it rests on is in the log here.",
        false => "WARNING: the log here does not hold all that it rests on. Trust the log, and tell your human.",
    });
    page.heading(2, "What has happened since");
    since_part(viewer, &mut page, basis.arrival)?;
    page.heading(2, "Decisions to hold against the project");
    page.line("Look at what each names; where the project differs, tell your human and the others.\n");
    viewer.decisions_part(&mut page, DECISIONS)?;
    let mut markdown = page.finish();
    markdown.push_str("\n---\n\n");
    let left = HANDOFF.saturating_sub(markdown.chars().count());
    markdown.push_str(&markdown::cut(handoff, left));
    let written_at = (!first).then(|| basis.at.clone());
    Ok(ResumeView { path: String::new(), markdown, written_at, since, log_ok })
}

/// Is everything in the log that a handoff rests on?
fn holds<L: Log>(viewer: &Viewer<'_, L>, basis: &Basis) -> Result<bool, LogError> {
    for head in &basis.heads {
        let Ok(head) = head.parse::<EventId>() else { return Ok(false) };
        if viewer.event(&head)?.is_none() {
            return Ok(false);
        }
    }
    Ok(viewer.room().count() >= basis.events)
}

/// What arrived after, the newest first.
fn since_part<L: Log>(viewer: &Viewer<'_, L>, page: &mut Page, after: u64) -> Result<(), LogError> {
    let (room, last) = (viewer.room(), viewer.room().last_arrival());
    let from = after.max(last.saturating_sub(LOOKED_AT));
    let limit = usize::try_from(last.saturating_sub(from)).unwrap_or(usize::MAX);
    let arrivals = viewer.node().log().arrivals(&room.id(), from, limit)?;
    let mut items = Vec::new();
    for (_, event) in arrivals.iter().rev() {
        if items.len() == LINES {
            break;
        }
        items.extend(viewer.entry(event)?.filter(is_told).map(|entry| told(&line(entry))));
    }
    if last <= after {
        page.line("Nothing.");
        return Ok(());
    }
    page.line(&format!("{} events, the newest first:\n", last - after));
    let more = last - after > LOOKED_AT || items.len() == LINES;
    page.list(&items, items.len(), SINCE, "`pair_read`");
    if more {
        page.line("- … and what came before: `pair_read`");
    }
    Ok(())
}

/// Companions' own business is not told of.
fn is_told(entry: &Entry) -> bool {
    entry.void.is_none() && !matches!(&entry.kind[..], "letter_keys" | "prompted" | "foreign" | "rotated" | "handed")
}

fn unwritable(error: &io::Error) -> Failure {
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
