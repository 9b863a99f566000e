//! Members have names; so has every agent session and every human, with an emoji and a colour,
//! derived from the session's id until somebody renames it.

mod names;

use std::collections::BTreeMap;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{MemberId, SessionId};
use crate::log::Position;
use crate::mark::Mark;

pub use self::names::{Look, look};

/// Most sessions of one member that are remembered; beyond it the one longest silent goes.
const SESSIONS: usize = 128;

/// The author renames itself, or one of its sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub session: Option<SessionId>,
    pub name: String,
}

/// The names in a room, and the sessions that spoke in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    members: BTreeMap<MemberId, String>,
    sessions: BTreeMap<MemberId, BTreeMap<SessionId, Session>>,
}

/// One session of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub name: String,
    pub origin: Origin,
    /// Its newest event.
    pub last: Position,
}

impl Sessions {
    /// The member's name; empty for one who is not known.
    pub fn member_name(&self, member: &MemberId) -> &str {
        self.members.get(member).map_or("", String::as_str)
    }

    /// The session's name, whether it spoke already or not.
    pub fn session_name(&self, member: &MemberId, session: &SessionId) -> String {
        let spoke = self.get(member, session).map(|session| session.name.clone());
        spoke.unwrap_or_else(|| look(session).name)
    }

    pub fn get(&self, member: &MemberId, session: &SessionId) -> Option<&Session> {
        self.sessions.get(member)?.get(session)
    }

    /// The sessions of a member that spoke.
    pub fn of(&self, member: &MemberId) -> impl Iterator<Item = (&SessionId, &Session)> {
        self.sessions.get(member).into_iter().flatten()
    }

    /// Who bears this name, whatever its case.
    pub fn bearer(&self, name: &str) -> Option<(MemberId, Option<SessionId>)> {
        let name = name.to_lowercase();
        let member = self.members.iter().find(|(_, taken)| taken.to_lowercase() == name);
        if let Some((member, _)) = member {
            return Some((*member, None));
        }
        self.sessions.iter().find_map(|(member, sessions)| {
            let session = sessions.iter().find(|(_, session)| session.name.to_lowercase() == name);
            session.map(|(id, _)| (*member, Some(*id)))
        })
    }

    /// A member came in under this name, or under one like it where that is taken or is none.
    pub(crate) fn introduce(&mut self, member: MemberId, name: &str) {
        if !self.members.contains_key(&member) {
            let name = readable(name, limits::NAME);
            let name = self.free(if name.is_empty() { "member" } else { &name });
            self.members.insert(member, name);
        }
    }

    /// Takes note of who spoke.
    pub(crate) fn heard(&mut self, event: &Event, position: Position) {
        if event.session == SessionId::COMPANION {
            return;
        }
        if let Some(known) = self.sessions.get_mut(&event.author).and_then(|of| of.get_mut(&event.session)) {
            known.last = position;
            known.origin = event.origin;
            return;
        }
        let name = self.free(&look(&event.session).name);
        let sessions = self.sessions.entry(event.author).or_default();
        sessions.insert(event.session, Session { name, origin: event.origin, last: position });
        forget_the_longest_silent(sessions);
    }

    pub(crate) fn apply(&mut self, event: &Event, named: &Named, position: Position) -> Result<(), Mark> {
        check_name(&named.name)?;
        if !self.is_free_for(&named.name, &event.author, named.session) {
            return Err(Mark::NameTaken);
        }
        match named.session {
            None => _ = self.members.insert(event.author, named.name.clone()),
            Some(id) => {
                let sessions = self.sessions.entry(event.author).or_default();
                let origin = event.origin;
                let session = sessions.entry(id).or_insert(Session { name: String::new(), origin, last: position });
                session.name.clone_from(&named.name);
                forget_the_longest_silent(sessions);
            }
        }
        Ok(())
    }

    /// May this member, or this session of it, be called so?
    pub fn is_free_for(&self, name: &str, member: &MemberId, session: Option<SessionId>) -> bool {
        self.bearer(name).is_none_or(|bearer| bearer == (*member, session))
    }

    fn free(&self, wish: &str) -> String {
        let mut name = wish.to_owned();
        let mut number = 1;
        while self.bearer(&name).is_some() {
            number += 1;
            name = format!("{wish}-{number}");
        }
        name
    }
}

fn forget_the_longest_silent(sessions: &mut BTreeMap<SessionId, Session>) {
    if sessions.len() > SESSIONS
        && let Some(silent) = sessions.iter().min_by_key(|(_, session)| session.last).map(|(id, _)| *id)
    {
        sessions.remove(&silent);
    }
}

/// Is this a name that can be read, typed and told apart?
pub fn check_name(name: &str) -> Result<(), Mark> {
    if name.trim().is_empty() {
        return Err(Mark::Empty);
    }
    if name.len() > limits::NAME {
        return Err(Mark::TooLong);
    }
    if name.chars().all(is_visible) && name.trim() == name { Ok(()) } else { Err(Mark::NotAName) }
}

/// What can be read of a text that another companion let through, cut to `max` bytes.
pub fn readable(text: &str, max: usize) -> String {
    let mut readable = String::new();
    for letter in text.trim().chars().filter(|letter| is_visible(*letter)) {
        if readable.len() + letter.len_utf8() > max {
            break;
        }
        readable.push(letter);
    }
    readable.trim().to_owned()
}

fn is_visible(letter: char) -> bool {
    !letter.is_control() && !INVISIBLE.iter().any(|range| range.contains(&letter))
}

/// As [`check_name`], of a name that somebody here wants: what is wrong with it is told.
pub(crate) fn check_own_name(name: &str) -> Result<(), Refusal> {
    check_name(name).map_err(|mark| match mark {
        Mark::Empty => Refusal::Empty { field: "name" },
        Mark::TooLong => Refusal::TooLong { field: "name", got: name.len(), max: limits::NAME },
        _ => Refusal::FieldShape { field: "name".into(), expected: "name of visible characters" },
    })
}

/// Characters that make one name look like another: those that Unicode calls ignorable by default
/// (zero-width, bidirectional, fillers, selectors, tags), and separators of lines.
const INVISIBLE: [std::ops::RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, VERSION};
    use crate::id::EventId;
    use crate::time::Timestamp;

    const ALICE: MemberId = MemberId([1; 32]);
    const BOB: MemberId = MemberId([2; 32]);

    fn called(name: &str) -> String {
        let mut sessions = Sessions::default();
        sessions.introduce(ALICE, name);
        sessions.member_name(&ALICE).to_owned()
    }

    /// Alice names a session of hers.
    fn name(sessions: &mut Sessions, session: u8, name: &str, depth: u64) -> Result<(), Mark> {
        let named = Named { session: Some(SessionId([session; 16])), name: name.into() };
        let event = Event {
            version: VERSION,
            room: None,
            author: ALICE,
            seq: depth,
            backlink: None,
            parents: Vec::new(),
            claimed_time: Timestamp(0),
            session: SessionId::COMPANION,
            origin: Origin::Agent,
            body: Body::Named(named.clone()),
        };
        sessions.apply(&event, &named, Position { depth, id: EventId([session; 32]) })
    }

    #[test]
    fn who_comes_in_under_an_unreadable_name_gets_what_can_be_read_of_it() {
        assert_eq!(called("Zoë 🦊"), "Zoë 🦊");
        assert_eq!(called("a\u{200b}li\u{ad}c\u{fe0f}e\u{feff}"), "alice", "zero-width");
        assert_eq!(called("\u{202e}alice\u{2066}\u{61c}"), "alice", "bidirectional");
        assert_eq!(called("al\ni\tc\u{0}e\u{2028}"), "alice", "control");
        assert_eq!(called(" \u{200b} alice  "), "alice");
        for nothing in ["", "   ", "\u{200b}", "\n\u{202e}", "\u{3164}"] {
            assert_eq!(called(nothing), "member", "{nothing:?}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_between_letters() {
        assert_eq!(called(&"x".repeat(1000)), "x".repeat(limits::NAME));
        let name = called(&format!("x{}", "é".repeat(limits::NAME)));
        assert_eq!(name, format!("x{}", "é".repeat((limits::NAME - 1) / 2)));
    }

    #[test]
    fn names_that_look_alike_are_told_apart() {
        let mut sessions = Sessions::default();
        for (member, name) in [(ALICE, "alice"), (BOB, "A\u{200d}LICE"), (MemberId([3; 32]), "\u{2067}alice")] {
            sessions.introduce(member, name);
        }
        let names = sessions.members.values().map(|name| name.to_lowercase());
        assert_eq!(names.collect::<Vec<_>>(), ["alice", "alice-2", "alice-3"]);
        sessions.introduce(BOB, "bob");
        assert_eq!(sessions.member_name(&BOB), "ALICE-2", "the first introduction counts");
    }

    #[test]
    fn nobody_is_called_what_cannot_be_read() {
        for name in ["a\u{200b}lice", "\u{202e}bob", "al\u{ad}ice", "alice\u{fe0f}", "a\u{7}", " alice"] {
            assert_eq!(check_name(name), Err(Mark::NotAName), "{name:?}");
        }
        assert_eq!(check_name("Zoë 🦊"), Ok(()));
        assert_eq!(check_name(&"x".repeat(limits::NAME + 1)), Err(Mark::TooLong));
    }

    #[test]
    fn however_many_sessions_are_named_the_newest_are_remembered() {
        let mut sessions = Sessions::default();
        for session in 0..200 {
            assert_eq!(name(&mut sessions, session, &format!("desk {session}"), u64::from(session) + 1), Ok(()));
        }
        let remembered: Vec<u8> = sessions.of(&ALICE).map(|(session, _)| session.0[0]).collect();
        assert_eq!(remembered, (72..200).collect::<Vec<u8>>());
        assert_eq!(remembered.len(), SESSIONS);
    }
}
