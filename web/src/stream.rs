//! Everything that happens, as server-sent events. What became durable comes by arrival with an id
//! that says how far each room was told; whoever comes back with that id gets what lies in between.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use pairwave_api::{Arrivals, Code, Companion, CompanionExt, Entry, Failure, Notice, Notices, Rooms, VERSION};
use serde_json::{Value, json};

use crate::ask::failed;
use crate::places::Places;
use crate::rendering;

/// How often a sign of life is sent when nothing happens.
const ALIVE: Duration = Duration::from_secs(15);

/// Events that are read at a time.
const PAGE: u32 = 200;

/// Longest id that is read back, in bytes: thousands of rooms, and less than a request's head may be.
const ID_MAX: usize = 256 * 1024;

pub async fn stream(State((companion, places)): State<(Arc<dyn Companion>, Places)>, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    match Feed::open(companion, last).await {
        Ok(feed) => {
            let events = futures::stream::unfold(Some((feed, places.take())), |open| async {
                let (mut feed, mut place) = open?;
                tokio::select! {
                    biased;
                    _ = &mut place => Some((event("replaced", &json!({})), None)),
                    event = feed.next() => Some((event?, Some((feed, place)))),
                }
            });
            Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
        }
        Err(failure) => failed(StatusCode::SERVICE_UNAVAILABLE, &failure),
    }
}

/// One browser's stream.
struct Feed {
    companion: Arc<dyn Companion>,
    notices: Notices,
    told: Told,
    ready: VecDeque<Event>,
    /// Rooms of which more is to be read.
    behind: VecDeque<String>,
}

impl Feed {
    /// Listens first, then looks where each room is: so nothing falls in between.
    async fn open(companion: Arc<dyn Companion>, last: &str) -> Result<Self, Failure> {
        let notices = companion.notices().await?;
        let before = Told::parse(last);
        let lost = before.is_none();
        let mut told = before.unwrap_or_default();
        for (room, newest) in newest_of_all(&*companion).await? {
            let at = told.0.entry(room).or_insert(newest);
            // A home that was put back has less than was told.
            *at = (*at).min(newest);
        }
        let ready = event("ready", &json!({ "version": VERSION })).id(told.to_string());
        let behind = told.0.keys().cloned().collect();
        let mut feed = Self { companion, notices, told, ready: VecDeque::from([ready]), behind };
        if lost {
            feed.pass_on(&Notice::Missed {});
        }
        Ok(feed)
    }

    /// `None` when the companion ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.behind.front().cloned() {
                Some(room) => self.catch_up(room).await,
                None => {
                    let notice = self.notices.next().await?;
                    self.take(notice).await;
                }
            }
        }
    }

    /// Reads the next page of a room that is ahead of what was told.
    async fn catch_up(&mut self, room: String) {
        let Some(after) = self.told.of(&room) else {
            self.behind.pop_front();
            return;
        };
        let page = self.companion.ask(Arrivals { room: Some(room.clone()), after, limit: Some(PAGE) }).await;
        match page {
            Ok(page) if !page.events.is_empty() => {
                self.tell(&room, page.events).await;
            }
            // A room that cannot be read is told of when it can be again.
            _ => _ = self.behind.pop_front(),
        }
    }

    async fn take(&mut self, notice: Notice) {
        match notice {
            Notice::Event { room, arrival, entry, .. } => {
                // Of a room that was not there, the page reads by itself what came before.
                let told = *self.told.0.entry(room.clone()).or_insert(arrival.saturating_sub(1));
                if arrival == told + 1 {
                    self.tell(&room, vec![*entry]).await;
                } else if arrival > told {
                    self.behind.push_back(room);
                }
            }
            Notice::Reopened { room } => {
                self.begin_at(&room).await;
                self.behind.push_back(room.clone());
                self.pass_on(&Notice::Reopened { room });
            }
            Notice::Missed {} => {
                self.begin_with_new_rooms().await;
                self.behind = self.told.0.keys().cloned().collect();
                self.pass_on(&Notice::Missed {});
            }
            notice => self.pass_on(&notice),
        }
    }

    /// A room that nothing was told of begins where it is. That is looked up before the page hears of
    /// the room and reads it, so nothing falls in between.
    async fn begin_at(&mut self, room: &str) {
        if self.told.of(room).is_none()
            && let Ok(Some(newest)) = newest(&*self.companion, room).await
        {
            self.told.0.insert(room.to_owned(), newest);
        }
    }

    /// Rooms that came while notices were lost. If they cannot be listed, their next notice begins them.
    async fn begin_with_new_rooms(&mut self) {
        for (room, newest) in newest_of_all(&*self.companion).await.unwrap_or_default() {
            self.told.0.entry(room).or_insert(newest);
        }
    }

    fn pass_on(&mut self, notice: &Notice) {
        let mut notice = serde_json::to_value(notice).unwrap_or_default();
        rendering::visible(&mut notice);
        self.ready.push_back(event("notice", &notice));
    }

    async fn tell(&mut self, room: &str, entries: Vec<Entry>) {
        let arrivals: Vec<u64> = entries.iter().map(|entry| entry.arrival).collect();
        let entries = entries.into_iter().map(|entry| serde_json::to_value(entry).unwrap_or_default());
        let shown = rendering::entries(entries.collect()).await;
        if shown.is_empty() {
            self.behind.clear();
        }
        for (arrival, entry) in arrivals.into_iter().zip(shown) {
            self.told.0.insert(room.to_owned(), arrival);
            self.ready.push_back(event("entry", &entry).id(self.told.to_string()));
        }
    }
}

/// How far each room is, of those that can be read.
async fn newest_of_all(companion: &dyn Companion) -> Result<Vec<(String, u64)>, Failure> {
    let mut all = Vec::new();
    for room in companion.ask(Rooms {}).await?.rooms.into_iter().filter(|room| room.state != "waiting") {
        if let Some(newest) = newest(companion, &room.room).await? {
            all.push((room.room, newest));
        }
    }
    Ok(all)
}

/// `None` for a room that cannot be read: it keeps nobody from the others.
async fn newest(companion: &dyn Companion, room: &str) -> Result<Option<u64>, Failure> {
    let none = Arrivals { room: Some(room.to_owned()), after: u64::MAX - 1, limit: Some(1) };
    match companion.ask(none).await {
        Ok(page) => Ok(Some(page.last)),
        Err(failure) if failure.code != Code::CompanionUnreachable => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// Up to which arrival each room was told; `room:arrival,…` as an id.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told(BTreeMap<String, u64>);

impl Told {
    fn of(&self, room: &str) -> Option<u64> {
        self.0.get(room).copied()
    }

    /// What cannot be read was not told. `None` for what is too long to be looked at.
    fn parse(id: &str) -> Option<Self> {
        let rooms = id.split(',').filter_map(|part| part.split_once(':'));
        let told =
            || Self(rooms.filter_map(|(room, arrival)| Some((room.to_owned(), arrival.parse().ok()?))).collect());
        (id.len() <= ID_MAX).then(told)
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (room, arrival)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{room}:{arrival}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nonsense_is_nothing() {
        let told = Told(BTreeMap::from([("a".into(), 3), ("b".into(), 0)]));
        assert_eq!(Told::parse(&told.to_string()), Some(told));
        for nonsense in ["", ",", "a", "a:x"] {
            assert_eq!(Told::parse(nonsense), Some(Told::default()), "{nonsense}");
        }
        assert_eq!(Told::parse(&"a:1,".repeat(100_000)), None);
    }

    #[test]
    fn an_id_of_a_thousand_rooms_is_read_back() {
        let told = Told((0..1_000).map(|room| (format!("{room:052}"), u64::MAX)).collect());
        assert_eq!(Told::parse(&told.to_string()), Some(told));
    }
}
