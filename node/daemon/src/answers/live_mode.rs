//! Live mode: an agent promises to wait for what others say, for a bounded time. It ends by itself
//! when that time is over or the agent waited in vain too often; all members see that it is on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_api::{Code, Failure, InboxView, LiveMode, LiveModeView};
use pairwave_core::charter::LIVE_MINUTES;
use pairwave_core::command::Command;
use pairwave_core::id::{RoomId, SessionId};
use pairwave_core::message;
use tokio::time::{Instant, sleep_until};

use super::Answers;
use super::watch::locked;
use crate::caller::Caller;
use crate::clock;
use crate::view;

/// Waits in vain after which it ends.
const IN_VAIN: u32 = 4;
/// How news reaches an agent in it: it waits in `pair_wait`.
const ROUTE: &str = "wait";

/// A session in a room.
type Key = (RoomId, SessionId);

/// The sessions here that are in live mode.
#[derive(Default)]
pub(super) struct LiveModes {
    on: BTreeMap<Key, Mode>,
    /// Those whose live mode ended by itself, which they were not told yet.
    ended: BTreeSet<Key>,
}

/// One session's promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mode {
    told: message::LiveMode,
    until: Instant,
    /// Waits in vain since something last came.
    in_vain: u32,
}

/// How a wait of a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    Woken,
    InVain,
    /// It did not wait, but only looked.
    Looked,
}

impl LiveModes {
    fn begin(&mut self, key: Key, mode: Mode) {
        self.ended.remove(&key);
        self.on.insert(key, mode);
    }

    fn end(&mut self, key: Key) -> Option<Mode> {
        self.ended.remove(&key);
        self.on.remove(&key)
    }

    /// What a wait changes: what others are to be told, or nothing.
    fn waited(&mut self, key: Key, how: Waited, now: Instant) -> Option<Option<message::LiveMode>> {
        let mode = self.on.get_mut(&key)?;
        match how {
            Waited::Woken => (mode.in_vain, mode.told.wakes) = (0, mode.told.wakes.saturating_add(1)),
            Waited::InVain => mode.in_vain += 1,
            Waited::Looked => {}
        }
        if mode.in_vain >= IN_VAIN || mode.until <= now {
            self.ends_by_itself(key);
            return Some(None);
        }
        (how == Waited::Woken).then_some(Some(mode.told))
    }

    /// Ends it if it is over.
    fn over(&mut self, key: Key, now: Instant) -> bool {
        let over = self.on.get(&key).is_some_and(|mode| mode.until <= now);
        if over {
            self.ends_by_itself(key);
        }
        over
    }

    fn ends_by_itself(&mut self, key: Key) {
        self.on.remove(&key);
        self.ended.insert(key);
    }

    /// Tells a session how its promise stands; that it ended, once.
    fn told(&mut self, key: Key, view: InboxView) -> InboxView {
        let live_until = self.on.get(&key).map(|mode| view::time(mode.told.until));
        InboxView { live_until, live_ended: self.ended.remove(&key), ..view }
    }
}

impl Answers {
    pub(super) async fn live_mode(&self, by: &Caller, ask: &LiveMode) -> Result<LiveModeView, Failure> {
        if by.live.is_none() {
            return Err(agents_only());
        }
        let charter = |viewer: &view::Viewer<'_, _>| {
            Ok(viewer.room().state().charters.in_force().map(|agreed| agreed.charter.live_minutes))
        };
        let (room, agreed) = self.look_in(by, &ask.room, charter).await?;
        let key = (room, by.speaker.session);
        let minutes = ask.max_minutes.unwrap_or(LIVE_MINUTES).min(agreed.unwrap_or(LIVE_MINUTES));
        if !ask.on || minutes == 0 {
            let ended = locked(&self.live_modes).end(key);
            self.tell_mode(key, None).await?;
            let wakes = ended.map_or(0, |mode| mode.told.wakes);
            return Ok(LiveModeView { on: false, until: None, push: ROUTE.to_owned(), wakes });
        }
        let length = Duration::from_secs(60 * u64::from(minutes));
        let until = Instant::now() + length;
        let wakes = locked(&self.live_modes).on.get(&key).map_or(0, |mode| mode.told.wakes);
        let told = message::LiveMode { until: clock::now() + length, wakes };
        locked(&self.live_modes).begin(key, Mode { told, until, in_vain: 0 });
        self.tell_mode(key, Some(told)).await?;
        self.end_in_time(key, until);
        Ok(LiveModeView { on: true, until: Some(view::time(told.until)), push: ROUTE.to_owned(), wakes })
    }

    /// A wait of a session ended.
    pub(super) async fn waited(&self, room: RoomId, session: SessionId, how: Waited) {
        let change = locked(&self.live_modes).waited((room, session), how, Instant::now());
        if let Some(mode) = change {
            // Others see it late, at worst.
            let _ = self.tell_mode((room, session), mode).await;
        }
    }

    /// What a session is given, with how its promise stands.
    pub(super) fn with_mode(&self, room: RoomId, session: SessionId, view: InboxView) -> InboxView {
        locked(&self.live_modes).told((room, session), view)
    }

    /// A session attends a room no more.
    pub(super) fn forget_mode(&self, room: RoomId, session: SessionId) {
        locked(&self.live_modes).end((room, session));
    }

    fn end_in_time(&self, key: Key, until: Instant) {
        let answers = self.myself.clone();
        tokio::spawn(async move {
            sleep_until(until).await;
            let Some(answers) = answers.upgrade() else { return };
            if locked(&answers.live_modes).over(key, Instant::now()) {
                let _ = answers.tell_mode(key, None).await;
            }
        });
    }

    async fn tell_mode(&self, (room, session): Key, mode: Option<message::LiveMode>) -> Result<(), Failure> {
        self.command(Command::LiveMode { room, session, mode }).await.map(|_| ())
    }
}

fn agents_only() -> Failure {
    let message = "Live mode is a promise of an agent session";
    Failure::new(
        Code::Refused,
        "agents_only",
        message,
        "Ask your agent to call pair_live_mode; a person uses `pairwave wait`.",
    )
}

#[cfg(test)]
mod tests {
    use pairwave_core::time::Timestamp;

    use super::*;

    const KEY: Key = (RoomId([1; 32]), SessionId([2; 16]));

    fn begun(now: Instant) -> LiveModes {
        let told = message::LiveMode { until: Timestamp(0), wakes: 0 };
        let mut modes = LiveModes::default();
        modes.begin(KEY, Mode { told, until: now + Duration::from_secs(60), in_vain: 0 });
        modes
    }

    #[test]
    fn four_waits_in_vain_end_it_and_news_begin_the_count_anew() {
        let now = Instant::now();
        let mut modes = begun(now);
        for _ in 0..3 {
            assert_eq!(modes.waited(KEY, Waited::InVain, now), None);
        }
        assert_eq!(modes.waited(KEY, Waited::Looked, now), None);
        let woken = modes.waited(KEY, Waited::Woken, now).flatten().expect("it is told");
        assert_eq!(woken.wakes, 1);
        for _ in 0..3 {
            assert_eq!(modes.waited(KEY, Waited::InVain, now), None);
        }
        assert_eq!(modes.waited(KEY, Waited::InVain, now), Some(None));
        assert_eq!(modes.waited(KEY, Waited::InVain, now), None);
        let told = modes.told(KEY, InboxView::default());
        assert_eq!((told.live_until, told.live_ended), (None, true));
        assert!(!modes.told(KEY, InboxView::default()).live_ended, "it is told once");
    }

    #[test]
    fn what_was_ended_on_purpose_is_no_news() {
        let mut modes = begun(Instant::now());
        assert!(modes.told(KEY, InboxView::default()).live_until.is_some());
        assert!(modes.end(KEY).is_some());
        assert!(!modes.told(KEY, InboxView::default()).live_ended);
    }

    #[test]
    fn it_is_over_when_its_time_is() {
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        assert!(!begun(now).over(KEY, now));
        assert!(begun(now).over(KEY, later));
        assert_eq!(begun(now).waited(KEY, Waited::Woken, later), Some(None));
    }
}
