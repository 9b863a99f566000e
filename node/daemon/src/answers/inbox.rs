//! What needs somebody, and waiting for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use pairwave_api::{Done, Entry, Failure, Inbox, InboxView, Item, MarkRead, Wait};
use pairwave_core::command::{Command, Refusal, Speaker};
use pairwave_core::id::{EventId, MemberId, RoomId, SessionId};
use pairwave_core::log::{Log, LogError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use super::watch::{Wish, locked};
use super::{Answers, json};
use crate::caller::Caller;
use crate::control::Reply;
use crate::refusals::{refused, unreadable};
use crate::view::Viewer;

/// Messages that are given at a time.
const MESSAGES: usize = 50;

/// Letters of messages that are given at a time, unless the first alone has more.
const LETTERS: usize = 20_000;

/// Open questions of each sort that are listed.
const QUESTIONS: usize = 20;

/// Letters of a headline that is the beginning of a text.
const HEADLINE: usize = 100;

/// Longest wait.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Lets one request at a time give something to a session, until that counts as shown: so nothing
/// is given twice to one that asks again at once.
#[derive(Default)]
pub(super) struct Turns(Mutex<BTreeMap<(RoomId, SessionId), Line>>);

/// Where the requests of one session wait.
type Line = Arc<AsyncMutex<()>>;

/// A session's turn; the next one begins when it is dropped.
type Turn = OwnedMutexGuard<()>;

impl Turns {
    async fn next(&self, room: RoomId, session: SessionId) -> Turn {
        let turn = {
            let mut turns = locked(&self.0);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry((room, session)).or_default().clone()
        };
        turn.lock_owned().await
    }
}

/// What a session is about to be given.
struct Given {
    view: InboxView,
    /// Who wants to compare words.
    wishes: Vec<MemberId>,
    /// Something in it was not given before.
    is_news: bool,
}

impl Answers {
    pub(super) async fn inbox(&self, by: &Caller, ask: Inbox) -> Result<Reply, Failure> {
        let room = self.room(by, &ask.room).await?;
        let turn = self.turns.next(room, by.speaker.session).await;
        let given = self.collect(room, by.speaker).await?;
        self.give(room, by.speaker, given, (!ask.peek).then_some(turn))
    }

    /// What was only looked at has reached the session.
    pub(super) async fn mark_read(&self, by: &Caller, ask: &MarkRead) -> Result<Done, Failure> {
        let room = self.room(by, &ask.room).await?;
        let session = by.speaker.session;
        let _turn = self.turns.next(room, session).await;
        if ask.through > 0 {
            self.command(Command::Shown { room, by: by.speaker, through: ask.through }).await?;
        }
        let wishes = self.seen().wishes(room, session).into_iter().map(|wish| wish.member);
        let told: Vec<MemberId> = wishes.filter(|member| ask.verifications.contains(&member.to_string())).collect();
        self.seen().told(room, session, &told);
        Ok(Done {})
    }

    /// Answers as soon as there is something that the session was not given, or when its patience ends.
    pub(super) async fn wait(&self, by: &Caller, ask: Wait) -> Result<Reply, Failure> {
        let room = self.room(by, &ask.room).await?;
        let speaker = by.speaker;
        let deadline = Instant::now() + Duration::from_secs(ask.timeout_s).min(WAIT_MAX);
        let mut changed = self.changed.subscribe();
        loop {
            let before = changed.borrow_and_update().of(&room);
            if self.has_news(room, speaker).await? {
                let turn = self.turns.next(room, speaker.session).await;
                let given = self.collect(room, speaker).await?;
                if given.is_news {
                    return self.give(room, speaker, given, (!ask.peek).then_some(turn));
                }
            }
            let change = changed.wait_for(|changes| changes.of(&room) != before);
            if timeout_at(deadline, change).await.is_err() {
                let view = InboxView { timed_out: true, ..InboxView::default() };
                return Ok(json(&view)?.into());
            }
        }
    }

    async fn has_news(&self, room: RoomId, by: Speaker) -> Result<bool, Failure> {
        if self.seen().wishes(room, by.session).iter().any(|wish| !wish.told) {
            return Ok(true);
        }
        let unread = move |viewer: &Viewer<'_, _>| {
            let unread = viewer.node().unread(&room, by, 1).map_err(|error| unreadable(&error))?;
            match unread.is_empty() {
                true if !viewer.is_member() => Err(refused(Refusal::NotAMember)),
                empty => Ok(!empty),
            }
        };
        self.look(room, unread).await
    }

    async fn collect(&self, room: RoomId, by: Speaker) -> Result<Given, Failure> {
        let wishes = self.seen().wishes(room, by.session);
        let collect = move |viewer: &Viewer<'_, _>| collected(viewer, by, &wishes).map_err(|error| unreadable(&error));
        self.look(room, collect).await
    }

    /// Answers with what counts as shown once it was written; without a turn it was only looked at.
    fn give(&self, room: RoomId, by: Speaker, given: Given, turn: Option<Turn>) -> Result<Reply, Failure> {
        let value = json(&given.view)?;
        let Some(turn) = turn else { return Ok(value.into()) };
        let (seen, driver) = (self.seen.clone(), self.parts.driver.clone());
        let written = async move {
            let _turn = turn;
            locked(&seen).told(room, by.session, &given.wishes);
            if let Some(through) = given.view.through {
                let shown = Command::Shown { room, by, through };
                if let Err(refusal) = driver.command(shown).await {
                    tracing::warn!(%refusal, "what was given will be given again");
                }
            }
        };
        Ok(Reply { value, written: Some(written.boxed()) })
    }
}

fn collected<L: Log>(viewer: &Viewer<'_, L>, by: Speaker, wishes: &[Wish]) -> Result<Given, LogError> {
    let unread = viewer.node().unread(&viewer.room().id(), by, MESSAGES + 1)?;
    let mut items: Vec<Item> = wishes.iter().map(|wish| verification(viewer, wish)).collect();
    let open = viewer.open_questions(&by.session);
    let (mut through, mut letters, mut more) = (None, 0, unread.len() > MESSAGES);
    for (arrival, event) in unread.iter().take(MESSAGES) {
        let entry = viewer.entry(event)?;
        letters += entry.as_ref().map_or(0, size);
        if letters > LETTERS && through.is_some() {
            more = true;
            break;
        }
        through = Some(*arrival);
        items.extend(entry.map(|entry| message(&open, event, entry)));
    }
    // What was just given need not be listed again.
    let given = |event: &EventId| unread.iter().any(|(_, unread)| unread == event);
    for event in open.iter().filter(|event| !given(event)).take(QUESTIONS) {
        items.extend(viewer.entry(event)?.map(|entry| reminder("question", entry)));
    }
    for event in viewer.own_questions(&by.session).iter().take(QUESTIONS) {
        items.extend(viewer.entry(event)?.map(|entry| reminder("open_question", entry)));
    }
    let is_news = !unread.is_empty() || wishes.iter().any(|wish| !wish.told);
    let wishes = wishes.iter().map(|wish| wish.member).collect();
    Ok(Given { view: InboxView { items, timed_out: false, more, through }, wishes, is_news })
}

fn message(open: &[EventId], event: &EventId, entry: Entry) -> Item {
    let open = open.contains(event);
    Item { entry: Some(entry.clone()), ..reminder(if open { "question" } else { "message" }, entry) }
}

fn reminder(kind: &str, entry: Entry) -> Item {
    Item {
        id: entry.event.clone(),
        kind: kind.to_owned(),
        headline: entry.headline.clone().unwrap_or_else(|| beginning(&entry.text)),
        from: entry.name,
        waiting_since: entry.at,
        entry: None,
    }
}

fn verification<L: Log>(viewer: &Viewer<'_, L>, wish: &Wish) -> Item {
    let from = viewer.name(&wish.member);
    Item {
        id: wish.member.to_string(),
        kind: "verification".to_owned(),
        headline: format!("{from} wants to compare words with you"),
        from,
        waiting_since: wish.since.to_string(),
        entry: None,
    }
}

/// The first line of a text, cut.
fn beginning(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let cut: String = line.chars().take(HEADLINE).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

/// How much an entry has to be read.
fn size(entry: &Entry) -> usize {
    let fields = entry.fields.values().map(|field| match field {
        pairwave_api::Field::Text(text) => text.len(),
        pairwave_api::Field::List(list) => list.iter().map(String::len).sum(),
    });
    let texts = [&entry.headline, &entry.rationale].into_iter().flatten().chain(&entry.provenance);
    entry.text.len() + fields.sum::<usize>() + texts.map(String::len).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_headline_is_the_first_line_cut() {
        assert_eq!(beginning("\n  hello \nworld"), "hello");
        assert_eq!(beginning(&"ä".repeat(101)).chars().count(), 101);
        assert!(beginning(&"ä".repeat(101)).ends_with('…'));
        assert_eq!(beginning(""), "");
    }
}
