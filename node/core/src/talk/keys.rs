//! Under which key something was said, so that a repeated call says it once.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::id::{EventId, MemberId, SessionId};

/// Most keys of one session that are remembered.
const KEYS: usize = 64;
/// Most sessions of one author whose keys are remembered.
const SESSIONS: usize = 64;

/// The keys of late. An author names its sessions as it likes, so each author has keys, and room for
/// them, of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Keys(BTreeMap<MemberId, Author>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Author {
    said: BTreeMap<SessionId, VecDeque<(String, EventId)>>,
    /// Its sessions, to forget them in turn.
    order: VecDeque<SessionId>,
}

impl Keys {
    pub(super) fn said(&self, author: &MemberId, session: &SessionId, key: &str) -> Option<EventId> {
        let said = self.0.get(author)?.said.get(session)?;
        said.iter().rev().find(|(said, _)| said == key).map(|(_, event)| *event)
    }

    pub(super) fn remember(&mut self, author: MemberId, session: SessionId, key: &str, event: EventId) {
        let Author { said, order } = self.0.entry(author).or_default();
        if !said.contains_key(&session) {
            order.push_back(session);
        }
        let of_session = said.entry(session).or_default();
        of_session.push_back((key.to_owned(), event));
        if of_session.len() > KEYS {
            of_session.pop_front();
        }
        if order.len() > SESSIONS
            && let Some(oldest) = order.pop_front()
        {
            said.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: MemberId = MemberId([1; 32]);
    const MALLORY: MemberId = MemberId([2; 32]);
    const SESSION: SessionId = SessionId([7; 16]);

    fn event(number: u8) -> EventId {
        EventId([number; 32])
    }

    #[test]
    fn a_key_is_its_authors_alone() {
        let mut keys = Keys::default();
        keys.remember(ALICE, SESSION, "deploy", event(1));
        keys.remember(MALLORY, SESSION, "deploy", event(2));
        assert_eq!(keys.said(&ALICE, &SESSION, "deploy"), Some(event(1)));
        assert_eq!(keys.said(&MALLORY, &SESSION, "deploy"), Some(event(2)));
        assert_eq!(keys.said(&ALICE, &SESSION, "release"), None);
    }

    #[test]
    fn one_author_does_not_crowd_out_another() {
        let mut keys = Keys::default();
        keys.remember(ALICE, SESSION, "deploy", event(1));
        for number in 0..3 * SESSIONS as u8 {
            keys.remember(MALLORY, SessionId([number; 16]), "deploy", event(number));
        }
        assert_eq!(keys.said(&ALICE, &SESSION, "deploy"), Some(event(1)));
        assert_eq!(keys.0[&MALLORY].said.len(), SESSIONS);
    }

    #[test]
    fn a_session_keeps_its_latest_keys() {
        let mut keys = Keys::default();
        for number in 0..=KEYS as u8 {
            keys.remember(ALICE, SESSION, &number.to_string(), event(number));
        }
        assert_eq!(keys.said(&ALICE, &SESSION, "0"), None);
        assert_eq!(keys.said(&ALICE, &SESSION, "1"), Some(event(1)));
    }
}
