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
pub(crate) fn readable(text: &str, max: usize) -> String {
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

/// Characters that make one name look like another: zero-width, bidirectional, tags.
const INVISIBLE: [std::ops::RangeInclusive<char>; 5] = [
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{e0000}'..='\u{e007f}',
];
