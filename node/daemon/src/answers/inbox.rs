//! What needs somebody, and waiting for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use pairwave_api::{Done, Entry, Failure, GitConflict, Inbox, InboxView, Item, MarkRead, Wait};
use pairwave_core::actions::{Request, RequestState};
use pairwave_core::command::{Command, Refusal, Speaker};
use pairwave_core::event::Origin;
use pairwave_core::id::{EventId, MemberId, RoomId, SessionId};
use pairwave_core::log::{Log, LogError};
use pairwave_core::time::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use super::live_mode::Waited;
use super::watch::{Wish, locked};
use super::{Answers, json};
use crate::caller::Caller;
use crate::control::Reply;
use crate::refusals::{refused, unreadable};
use crate::view::{self, Viewer};

/// Messages that are given at a time.
const MESSAGES: usize = 50;

/// Letters of messages that are given at a time, unless the first alone has more.
const LETTERS: usize = 20_000;

/// Open questions of each sort that are listed.
const QUESTIONS: usize = 20;

/// Requests of each sort that are listed.
const REQUESTS: usize = 20;

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
        let looks_only = ask.timeout_s == 0;
        let deadline = Instant::now() + Duration::from_secs(ask.timeout_s).min(WAIT_MAX);
        let mut changed = self.changed.subscribe();
        let mut held = false;
        loop {
            let before = changed.borrow_and_update().of(&room);
            if self.has_news(room, speaker).await? {
                let turn = self.turns.next(room, speaker.session).await;
                let given = self.collect(room, speaker).await?;
                if !given.is_news {
                    self.pass_over(room, speaker, &given).await?;
                } else if self.may_wake(room, speaker) {
                    self.waited(room, speaker.session, Waited::Woken).await;
                    return self.give(room, speaker, given, (!ask.peek).then_some(turn));
                } else {
                    held = true;
                }
            }
            let change = changed.wait_for(|changes| changes.of(&room) != before);
            if timeout_at(deadline, change).await.is_err() {
                let waited = if looks_only { Waited::Looked } else { Waited::InVain };
                self.waited(room, speaker.session, waited).await;
                let view = InboxView { timed_out: true, held, ..InboxView::default() };
                return Ok(json(&self.with_mode(room, speaker.session, view))?.into());
            }
        }
    }

    /// What was only said against the rules is not looked at again.
    async fn pass_over(&self, room: RoomId, by: Speaker, given: &Given) -> Result<(), Failure> {
        let Some(through) = given.view.through else { return Ok(()) };
        self.command(Command::Shown { room, by, through }).await.map(|_| ())
    }

    /// Others wake an agent only so often before its human does something.
    fn may_wake(&self, room: RoomId, by: Speaker) -> bool {
        by.origin == Origin::Human || self.pace().may_wake(room, &self.parts.rates)
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
        let Given { view, wishes, .. } = given;
        let through = view.through;
        let value = json(&self.with_mode(room, by.session, view))?;
        let Some(turn) = turn else { return Ok(value.into()) };
        let (seen, driver) = (self.seen.clone(), self.parts.driver.clone());
        let written = async move {
            let _turn = turn;
            locked(&seen).told(room, by.session, &wishes);
            if let Some(through) = through {
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
        // What a modified companion said against the rules is nothing that an agent should act upon.
        let entry = entry.filter(|entry| entry.void.is_none() || by.origin == Origin::Human);
        items.extend(entry.map(|entry| message(viewer, &open, event, entry)));
    }
    let is_news = !items.is_empty() && !unread.is_empty() || wishes.iter().any(|wish| !wish.told);
    // What was just given need not be listed again.
    let given = |event: &EventId| unread.iter().any(|(_, unread)| unread == event);
    for event in open.iter().filter(|event| !given(event)).take(QUESTIONS) {
        items.extend(viewer.entry(event)?.map(|entry| reminder("question", entry)));
    }
    for event in viewer.own_questions(&by.session).iter().take(QUESTIONS) {
        items.extend(viewer.entry(event)?.map(|entry| reminder("open_question", entry)));
    }
    items.extend(decisions(viewer, &by, &given));
    for lost in viewer.lost(&by) {
        items.push(lost_claim(viewer.conflict(lost)?));
    }
    items.extend(viewer.to_pull()?.map(|(newest, pull)| Item {
        id: newest.event,
        kind: "pull".to_owned(),
        from: newest.name,
        headline: pull.text,
        waiting_since: newest.at,
        entry: None,
    }));
    let wishes = wishes.iter().map(|wish| wish.member).collect();
    Ok(Given { view: InboxView { items, more, through, ..InboxView::default() }, wishes, is_news })
}

fn message<L: Log>(viewer: &Viewer<'_, L>, open: &[EventId], event: &EventId, entry: Entry) -> Item {
    let request = entry.request.as_ref().and_then(|id| viewer.room().state().actions.get(&id.parse().ok()?));
    let kind = match request {
        Some(request) if viewer.is_permission(request) => "permission",
        Some(request) if viewer.is_task(request) => "task",
        Some(request) if request.by == viewer.me() => "request",
        _ if open.contains(event) => "question",
        _ if entry.kind == "charter_proposed" => "charter",
        _ => "message",
    };
    let id = entry.request.clone().unwrap_or_else(|| entry.event.clone());
    Item { id, entry: Some(entry.clone()), ..reminder(kind, entry) }
}

/// What waits for a yes or no, is to be done, or was asked for, besides what was just given.
fn decisions<L: Log>(viewer: &Viewer<'_, L>, by: &Speaker, given: &impl Fn(&EventId) -> bool) -> Vec<Item> {
    let state = viewer.room().state();
    let mut items = Vec::new();
    if let Some(proposal) = viewer.charter_waits().filter(|proposal| !given(&proposal.event)) {
        let headline = format!("Accept or decline the charter “{}”", proposal.charter.title);
        items.push(waiting("charter", proposal.event, viewer.name(&proposal.by), headline, proposal.at));
    }
    let holds = state.floor.holder().is_some_and(|holder| holder.is(&viewer.me(), &by.session));
    for claim in state.floor.waiting().iter().filter(|_| holds).take(REQUESTS) {
        let name = viewer.name(&claim.member);
        items.push(waiting("floor", claim.event, name.clone(), format!("{name} asks for the floor"), claim.at));
    }
    let wanted = viewer.requests(|request| request.to == viewer.me() || request.by == viewer.me());
    let mut listed = BTreeMap::new();
    for (id, request) in wanted.into_iter().filter(|(id, _)| !given(id)) {
        let (kind, from) = match request {
            _ if viewer.is_permission(request) => ("permission", &request.by),
            _ if viewer.is_task(request) => ("task", &request.by),
            _ if is_settled(request) => continue,
            _ => ("request", &request.to),
        };
        let of_this_kind: &mut usize = listed.entry(kind).or_default();
        *of_this_kind += 1;
        if *of_this_kind <= REQUESTS {
            items.push(waiting(kind, id, viewer.name(from), request.summary.clone(), request.asked));
        }
    }
    items
}

fn is_settled(request: &Request) -> bool {
    !matches!(request.state(), RequestState::Pending | RequestState::Approved | RequestState::Handed)
}

fn waiting(kind: &str, id: EventId, from: String, headline: String, since: Timestamp) -> Item {
    let (id, kind, waiting_since) = (id.to_string(), kind.to_owned(), view::time(since));
    Item { id, kind, from, headline: beginning(&headline), waiting_since, entry: None }
}

fn lost_claim(GitConflict { event, against_name, at, text, .. }: GitConflict) -> Item {
    Item {
        id: event,
        kind: "claim".to_owned(),
        from: against_name,
        headline: beginning(&text),
        waiting_since: at,
        entry: None,
    }
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
