//! What the companion notes down of what the core tells, whether or not a face listens.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use pairwave_core::id::{MemberId, RoomId, SessionId};
use pairwave_core::notice::{Notice, VerificationStep};
use tokio::sync::broadcast::{self, error::RecvError};

use super::Answers;

/// Strangers that a doctor is told of.
const INTRUDERS: usize = 16;

/// What was seen since the companion started.
#[derive(Default)]
pub struct Seen {
    /// Members who want to compare words with us.
    asked: BTreeMap<(RoomId, MemberId), Asked>,
    intruders: VecDeque<Intruder>,
}

/// Somebody wants to compare words.
struct Asked {
    since: jiff::Timestamp,
    /// Sessions that were told.
    told: BTreeSet<SessionId>,
}

/// Somebody came as a member and could not prove to be one.
#[derive(Debug, Clone)]
pub struct Intruder {
    pub room: RoomId,
    pub claimed: Option<MemberId>,
    pub at: jiff::Timestamp,
}

/// One who wants to compare words, as a session sees it.
#[derive(Debug, Clone)]
pub struct Wish {
    pub member: MemberId,
    pub since: jiff::Timestamp,
    /// Was the session told before?
    pub told: bool,
}

impl Seen {
    /// Who in a room wants to compare words.
    pub fn wishes(&self, room: RoomId, session: SessionId) -> Vec<Wish> {
        let here = self.asked.iter().filter(|((of, _), _)| *of == room);
        here.map(|((_, member), asked)| Wish {
            member: *member,
            since: asked.since,
            told: asked.told.contains(&session),
        })
        .collect()
    }

    /// A session was told who wants to compare words.
    pub fn told(&mut self, room: RoomId, session: SessionId, members: &[MemberId]) {
        for member in members {
            if let Some(asked) = self.asked.get_mut(&(room, *member)) {
                asked.told.insert(session);
            }
        }
    }

    /// Those who came as a member of this room and could not prove it, the latest last.
    pub fn intruders(&self, room: RoomId) -> Vec<Intruder> {
        self.intruders.iter().filter(|intruder| intruder.room == room).cloned().collect()
    }

    fn note(&mut self, notice: &Notice) {
        let now = jiff::Timestamp::now();
        match notice {
            Notice::Verification { room, member, step: VerificationStep::Asked } => {
                self.asked.insert((*room, *member), Asked { since: now, told: BTreeSet::new() });
            }
            Notice::Verification { room, member, step: VerificationStep::Verified | VerificationStep::Failed } => {
                self.asked.remove(&(*room, *member));
            }
            Notice::Intruder { room, claimed } => {
                if self.intruders.len() == INTRUDERS {
                    self.intruders.pop_front();
                }
                self.intruders.push_back(Intruder { room: *room, claimed: *claimed, at: now });
            }
            _ => {}
        }
    }
}

/// Each change is whole within one statement, so a panic elsewhere leaves nothing half done.
pub fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens until the companion ends.
pub async fn watch(answers: Weak<Answers>, mut notices: broadcast::Receiver<Notice>) {
    if let Some(answers) = answers.upgrade() {
        tokio::spawn(async move { answers.keep_artifacts().await });
    }
    loop {
        let notice = match notices.recv().await {
            Ok(notice) => Some(notice),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        let Some(answers) = answers.upgrade() else { return };
        match notice {
            Some(Notice::Artifact { room, artifact }) => {
                tokio::spawn(async move { answers.keep_artifact(room, artifact).await });
            }
            Some(notice) => answers.heed(&notice).await,
            None => {
                answers.changed.send_modify(Changes::all);
                tokio::spawn(async move { answers.keep_artifacts().await });
            }
        }
    }
}

/// Counts, by room, what may need somebody.
#[derive(Default)]
pub struct Changes {
    everywhere: u64,
    rooms: BTreeMap<RoomId, u64>,
}

impl Changes {
    /// A number that grows with every change of this room.
    pub fn of(&self, room: &RoomId) -> u64 {
        self.everywhere + self.rooms.get(room).copied().unwrap_or(0)
    }

    fn all(&mut self) {
        self.everywhere += 1;
    }

    fn in_room(&mut self, room: RoomId) {
        *self.rooms.entry(room).or_default() += 1;
    }
}

impl Answers {
    async fn heed(&self, notice: &Notice) {
        self.seen().note(notice);
        match notice {
            Notice::Arrived { room, event, .. } => {
                self.approve_if_covered(*room, *event).await;
                self.changed.send_modify(|changes| changes.in_room(*room));
            }
            Notice::Verification { room, .. } | Notice::Out { room } => {
                self.changed.send_modify(|changes| changes.in_room(*room));
            }
            Notice::Reopening { room, .. } => self.live.forget(room),
            Notice::Reopened { room } => {
                self.attend_all(*room).await;
                self.changed.send_modify(|changes| changes.in_room(*room));
            }
            Notice::Joined { room } => self.attend_all(*room).await,
            Notice::JoinRefused { room, .. } => {
                if let Err(failure) = self.unbind_unless_here(*room).await {
                    tracing::warn!(%failure, "a folder stays bound to a room that it cannot join");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId([1; 32]);
    const BOB: MemberId = MemberId([2; 32]);
    const SESSION: SessionId = SessionId([3; 16]);

    fn step(step: VerificationStep) -> Notice {
        Notice::Verification { room: ROOM, member: BOB, step }
    }

    #[test]
    fn a_wish_is_new_to_each_session_once() {
        let mut seen = Seen::default();
        seen.note(&step(VerificationStep::Asked));
        assert!(!seen.wishes(ROOM, SESSION)[0].told);
        seen.told(ROOM, SESSION, &[BOB]);
        assert!(seen.wishes(ROOM, SESSION)[0].told);
        assert!(!seen.wishes(ROOM, SessionId([4; 16]))[0].told);
        seen.note(&step(VerificationStep::Asked));
        assert!(!seen.wishes(ROOM, SESSION)[0].told);
        seen.note(&step(VerificationStep::Verified));
        assert!(seen.wishes(ROOM, SESSION).is_empty());
    }

    #[test]
    fn strangers_are_remembered_within_bounds() {
        let mut seen = Seen::default();
        for _ in 0..100 {
            seen.note(&Notice::Intruder { room: ROOM, claimed: Some(BOB) });
        }
        assert_eq!(seen.intruders(ROOM).len(), INTRUDERS);
        assert!(seen.intruders(RoomId([9; 32])).is_empty());
    }

    #[test]
    fn a_change_counts_in_its_room() {
        let mut changes = Changes::default();
        changes.in_room(ROOM);
        assert_eq!((changes.of(&ROOM), changes.of(&RoomId([9; 32]))), (1, 0));
        changes.all();
        assert_eq!((changes.of(&ROOM), changes.of(&RoomId([9; 32]))), (2, 1));
    }
}
