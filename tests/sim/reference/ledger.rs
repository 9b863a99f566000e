//! The ledger, by what its lists are said to be: the newest of each sort, from all that anybody did.

use std::collections::BTreeMap;

use pairwave_core::event::{Body, Event};
use pairwave_core::id::{EventId, MemberId, SessionId};
use pairwave_core::talk::Kind;

/// Everything that somebody did, oldest first; what a companion does by itself is nobody's.
#[derive(Default)]
pub struct Ledger {
    did: Vec<(EventId, MemberId, &'static str)>,
}

impl Ledger {
    /// Hears an event that has effect.
    pub fn hear(&mut self, event: &Event, id: EventId) {
        if event.session == SessionId::COMPANION {
            return;
        }
        let sort = match &event.body {
            Body::Message(message) => match message.kind {
                Kind::Finding => "finding",
                Kind::Chat | Kind::Status if message.headline.is_some() => "headed",
                Kind::Question => "question",
                Kind::Answer => "answer",
                _ => "talk",
            },
            Body::Shared(_) => "artifact",
            Body::Requested(_) => "request",
            Body::Remembered(_) => "entry",
            _ => "other",
        };
        self.did.push((id, event.author, sort));
    }

    /// The newest of these sorts, oldest first.
    pub fn newest(&self, most: usize, sorts: &[&str], by: Option<MemberId>) -> Vec<EventId> {
        let all: Vec<EventId> =
            self.all(sorts).filter(|(_, author)| by.is_none_or(|by| by == *author)).map(|(id, _)| id).collect();
        all[all.len().saturating_sub(most)..].to_vec()
    }

    pub fn count(&self, sorts: &[&str]) -> u64 {
        self.all(sorts).count() as u64
    }

    pub fn last(&self) -> Option<EventId> {
        self.did.last().map(|(id, ..)| *id)
    }

    /// How many events each member made.
    pub fn events(&self) -> BTreeMap<MemberId, u64> {
        let mut events = BTreeMap::new();
        self.did.iter().for_each(|(_, author, _)| *events.entry(*author).or_default() += 1);
        events
    }

    fn all<'a>(&'a self, sorts: &'a [&str]) -> impl Iterator<Item = (EventId, MemberId)> + 'a {
        self.did.iter().filter(|(.., sort)| sorts.contains(sort)).map(|(id, author, _)| (*id, *author))
    }
}
