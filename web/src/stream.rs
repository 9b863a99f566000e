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
use crate::rendering;

/// How often a sign of life is sent when nothing happens.
const ALIVE: Duration = Duration::from_secs(15);

/// Events that are read at a time.
const PAGE: u32 = 200;

/// Longest id that is read back, in bytes.
const ID_MAX: usize = 16 * 1024;

pub async fn stream(State(companion): State<Arc<dyn Companion>>, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    match Feed::open(companion, last).await {
        Ok(feed) => {
            let events = futures::stream::unfold(feed, |mut feed| async {
                let event = feed.next().await?;
                Some((Ok::<_, Infallible>(event), feed))
            });
            Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
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
        let mut told = Told::default();
        for room in companion.ask(Rooms {}).await?.rooms.into_iter().filter(|room| room.state != "waiting") {
            let newest = newest(&*companion, &room.room).await?;
            let at = before.0.get(&room.room).map_or(newest, |at| (*at).min(newest));
            told.0.insert(room.room, at);
        }
        let behind = told.0.keys().cloned().collect();
        let ready = event("ready", &json!({ "version": VERSION })).id(told.to_string());
        Ok(Self { companion, notices, told, ready: VecDeque::from([ready]), behind })
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
        let after = self.told.of(&room);
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
                let told = self.told.of(&room);
                if arrival == told + 1 {
                    self.tell(&room, vec![*entry]).await;
                } else if arrival > told {
                    self.behind.push_back(room);
                }
            }
            Notice::Missed {} => self.behind = self.told.0.keys().cloned().collect(),
            notice => self.pass_on(&notice),
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
        for (arrival, entry) in arrivals.into_iter().zip(shown) {
            self.told.0.insert(room.to_owned(), arrival);
            self.ready.push_back(event("entry", &entry).id(self.told.to_string()));
        }
    }
}

async fn newest(companion: &dyn Companion, room: &str) -> Result<u64, Failure> {
    let none = Arrivals { room: Some(room.to_owned()), after: u64::MAX - 1, limit: Some(1) };
    match companion.ask(none).await {
        Ok(page) => Ok(page.last),
        // One room that cannot be read keeps nobody from the others.
        Err(failure) if failure.code != Code::CompanionUnreachable => Ok(0),
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
    fn of(&self, room: &str) -> u64 {
        self.0.get(room).copied().unwrap_or(0)
    }

    /// What cannot be read was not told.
    fn parse(id: &str) -> Self {
        let id = if id.len() <= ID_MAX { id } else { "" };
        let rooms = id.split(',').filter_map(|part| part.split_once(':'));
        Self(rooms.filter_map(|(room, arrival)| Some((room.to_owned(), arrival.parse().ok()?))).collect())
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
        assert_eq!(Told::parse(&told.to_string()), told);
        for nonsense in ["", ",", "a", "a:x", &"a:1,".repeat(10_000)] {
            assert_eq!(Told::parse(nonsense), Told::default(), "{nonsense:.20}");
        }
    }
}
