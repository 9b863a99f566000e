//! Which session of this member was given what. Goes by arrival, so that nothing slips in behind
//! a reader.

use std::collections::BTreeMap;

use pairwave_wire::cbor;
use serde::{Deserialize, Serialize};

use crate::command::Speaker;
use crate::event::{Body, Event, Origin};
use crate::id::{EventId, MemberId, RoomId, SessionId};
use crate::log::{Log, LogError, Record};
use crate::message::{LiveMode, LiveSession};
use crate::ranges::Ranges;
use crate::talk::Address;

/// Most sessions whose place is remembered; beyond it the one furthest behind goes.
const SESSIONS: usize = 256;
/// Most messages of one author that wait for one session alone, or another each; beyond it goes the
/// oldest. It stays in the transcript.
const HELD: usize = 512;
/// Arrivals read at a time.
const PAGE: usize = 256;

/// The readers of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Everything for all up to this arrival was given to the session.
    cursors: BTreeMap<SessionId, Cursor>,
    /// Up to this arrival there is nothing for anybody: where the first of each kind begins.
    nothing: u64,
    /// Messages to one session alone that it was not given, by arrival.
    held: BTreeMap<u64, Held>,
    /// Which of an author's events were given to any session here, by seq.
    shown: BTreeMap<MemberId, Ranges>,
    #[serde(skip)]
    live: BTreeMap<SessionId, Origin>,
    /// Those of them that wait for what others say.
    #[serde(skip)]
    waiting: BTreeMap<SessionId, LiveMode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    at: u64,
    origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    event: EventId,
    session: SessionId,
    /// Absent where it was written before authors were counted.
    #[serde(default)]
    by: Option<MemberId>,
}

/// Who said something, and to whom.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    by: MemberId,
    session: SessionId,
    /// `None`: it need not be told. `Some(None)`: to everybody.
    to: Option<Option<Address>>,
}

/// Whose inbox is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub room: &'a RoomId,
    pub me: MemberId,
    pub by: Speaker,
    /// There is nobody else in the room, so one's own sessions talk to each other.
    pub alone: bool,
}

/// How far to look for what was not given.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// The last arrival to look at.
    pub through: u64,
    /// Most messages.
    pub limit: usize,
    /// Most events to look at.
    pub looks: usize,
}

impl Reading {
    /// Reads what [`Self::encode`] wrote. From anything else it starts anew: then what was shown is
    /// shown again, and nothing is lost.
    pub fn decode(bytes: &[u8]) -> Self {
        cbor::decode(bytes, usize::MAX).unwrap_or_default()
    }

    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers and bytes always encode")
    }

    /// A session is there. A new agent starts with what no agent of this member was given.
    pub fn start(&mut self, session: SessionId, origin: Origin) {
        self.live.insert(session, origin);
        self.move_to(Speaker { session, origin }, 0);
    }

    /// Where a session is. An agent that was never here begins where the furthest agent is: what
    /// the human has seen on a page no agent was given. The human begins at the beginning.
    pub fn cursor(&self, by: Speaker) -> u64 {
        let known = self.cursors.get(&by.session).map(|cursor| cursor.at);
        let of_agents =
            || self.cursors.values().filter(|cursor| cursor.origin == Origin::Agent).map(|cursor| cursor.at);
        let furthest = || of_agents().max().filter(|_| by.origin == Origin::Agent);
        known.or_else(furthest).unwrap_or(self.nothing)
    }

    fn move_to(&mut self, by: Speaker, at: u64) {
        let at = at.max(self.cursor(by));
        self.cursors.insert(by.session, Cursor { at, origin: by.origin });
        self.forget_the_furthest_behind();
    }

    pub fn end(&mut self, session: &SessionId) {
        self.live.remove(session);
        self.waiting.remove(session);
    }

    /// A session that is there promises to wait, or does so no more.
    pub fn wait(&mut self, session: SessionId, mode: Option<LiveMode>) {
        match mode.filter(|_| self.live.contains_key(&session)) {
            Some(mode) => _ = self.waiting.insert(session, mode),
            None => _ = self.waiting.remove(&session),
        }
    }

    pub fn live(&self) -> impl Iterator<Item = LiveSession> {
        self.live.iter().map(|(session, origin)| LiveSession {
            session: *session,
            origin: *origin,
            live: self.waiting.get(session).copied(),
        })
    }

    /// An event became part of the log. Says whether this changed what must be saved.
    pub fn arrived(&mut self, me: MemberId, record: &Record, event: &Event) -> bool {
        let Body::Message(message) = &event.body else { return false };
        let Some(to) = message.to.filter(|to| to.member == me) else { return false };
        let Some(session) = to.session.filter(|session| *session != event.session) else { return false };
        let by = Some(event.author);
        self.held.insert(record.arrival, Held { event: record.position.id, session, by });
        let mut same = self.held.iter().filter(|(_, held)| held.by == by).map(|(arrival, _)| *arrival);
        let (oldest, others) = (same.next(), same.count());
        if let Some(oldest) = oldest.filter(|_| others >= HELD) {
            self.held.remove(&oldest);
        }
        true
    }

    /// An event is durable and judged. Sessions that were given everything before it, and that it is
    /// not for, need not look at it again: so a session that mostly speaks does not read its own
    /// words over and over.
    pub fn pass(&mut self, reader: Reader<'_>, arrival: u64, said: &Said) {
        for (session, cursor) in self.cursors.iter_mut().filter(|(_, cursor)| cursor.at + 1 == arrival) {
            cursor.at += u64::from(!said.is_for_all_of(reader, session));
        }
        if self.nothing + 1 == arrival && !said.is_for_all_of(reader, &reader.by.session) {
            self.nothing = arrival;
        }
    }

    /// Messages that the session was not given, oldest first, by arrival.
    pub fn unread(&self, log: &dyn Log, reader: Reader<'_>, reach: Reach) -> Result<Vec<(u64, EventId)>, LogError> {
        let Reach { through, limit, looks } = reach;
        let held = self.held_for(reader.by).take_while(|(arrival, _)| *arrival <= through).take(limit);
        let mut unread: Vec<_> = held.map(|(arrival, held)| (arrival, held.event)).collect();
        self.scan(log, reader, through, looks, |arrival, record| {
            unread.push((arrival, record.position.id));
            unread.len() < 2 * limit
        })?;
        unread.sort_unstable();
        unread.truncate(limit);
        Ok(unread)
    }

    /// Everything up to `through` was given to the session. Returns what is new of each author's
    /// events, by seq, to be told to that author.
    pub fn show(
        &mut self,
        log: &dyn Log,
        reader: Reader<'_>,
        through: u64,
    ) -> Result<BTreeMap<MemberId, Ranges>, LogError> {
        let mut given: Vec<(MemberId, u64)> = Vec::new();
        self.scan(log, reader, through, usize::MAX, |_, record| {
            given.push((record.author, record.seq));
            true
        })?;
        let held: Vec<u64> = self.held_for(reader.by).map(|(arrival, _)| arrival).collect();
        for arrival in held.into_iter().take_while(|arrival| *arrival <= through) {
            let Some(held) = self.held.remove(&arrival) else { continue };
            given.extend(log.get(reader.room, &held.event)?.map(|record| (record.author, record.seq)));
        }
        self.move_to(reader.by, through);
        let mut news: BTreeMap<MemberId, Ranges> = BTreeMap::new();
        for (author, seq) in given {
            if self.shown.entry(author).or_default().insert(seq) {
                news.entry(author).or_default().insert(seq);
            }
        }
        Ok(news)
    }

    /// Everything of this author that was given to any session here, by seq.
    pub fn shown_of(&self, author: &MemberId) -> Option<&Ranges> {
        self.shown.get(author)
    }

    /// Messages to this session alone; an agent takes those to sessions that are gone as well.
    fn held_for(&self, by: Speaker) -> impl Iterator<Item = (u64, &Held)> {
        let gone = move |session: &SessionId| by.origin == Origin::Agent && !self.live.contains_key(session);
        let open = move |held: &Held| held.session == by.session || gone(&held.session);
        self.held.iter().filter(move |(_, held)| open(held)).map(|(arrival, held)| (*arrival, held))
    }

    /// Calls `each` for messages to all or to the member after the session's cursor, up to
    /// `through`, until it says stop or so many events were looked at.
    fn scan(
        &self,
        log: &dyn Log,
        reader: Reader<'_>,
        through: u64,
        mut looks: usize,
        mut each: impl FnMut(u64, &Record) -> bool,
    ) -> Result<(), LogError> {
        let mut after = self.cursor(reader.by);
        loop {
            let page = log.arrivals(reader.room, after, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (arrival, id) in page {
                if arrival > through || looks == 0 {
                    return Ok(());
                }
                looks -= 1;
                let Some(record) = log.get(reader.room, &id)? else { continue };
                let Some(event) = record.event() else { continue };
                if Said::new(&event).is_for_all_of(reader, &reader.by.session) && !each(arrival, &record) {
                    return Ok(());
                }
            }
        }
    }

    fn forget_the_furthest_behind(&mut self) {
        while self.cursors.len() > SESSIONS {
            let gone = self.cursors.iter().filter(|(session, _)| !self.live.contains_key(session));
            let Some(session) = gone.min_by_key(|(_, cursor)| cursor.at).map(|(session, _)| *session) else { return };
            self.cursors.remove(&session);
        }
    }
}

impl Said {
    pub fn new(event: &Event) -> Self {
        let member = |member| Some(Address { member, session: None });
        let to = match &event.body {
            Body::Message(message) => Some(message.to),
            Body::Requested(requested) => Some(member(requested.to)),
            // One's own agents are to do what one's human approved.
            Body::Approved(_) => Some(member(event.author)),
            Body::Denied(_) | Body::Completed(_) | Body::Expired(_) => Some(None),
            Body::CharterProposed(_) | Body::CharterDeclined(_) => Some(None),
            Body::Shared(_) => Some(None),
            _ => None,
        };
        Self { by: event.author, session: event.session, to }
    }

    /// Is this a message to every session of the reader's member? One's own words come back only
    /// where they were sent to oneself, or where there is nobody else to talk to.
    fn is_for_all_of(&self, reader: Reader<'_>, session: &SessionId) -> bool {
        let Some(to) = self.to else { return false };
        let addressed = to.is_none_or(|to| to.member == reader.me && to.session.is_none());
        // What our own companion says by itself is news to every session here.
        let foreign = self.by != reader.me || self.session == SessionId::COMPANION;
        let from_another_session = self.session != *session && (to.is_some() || reader.alone);
        addressed && (foreign || from_another_session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Position;
    use crate::sample::{ALICE, BOB, MALLORY, event};
    use crate::talk::{Kind, Message};

    const DESK: SessionId = SessionId([7; 16]);

    /// A message of `by` to one session of bob's.
    fn whisper(reading: &mut Reading, by: MemberId, arrival: u64) {
        let to = Some(Address { member: BOB, session: Some(DESK) });
        let event = event(by, Origin::Human, Body::Message(Message { to, ..Message::new(Kind::Chat, "psst") }));
        let position = Position { depth: arrival, id: EventId([0; 32]) };
        let record = Record { position, author: by, seq: arrival, arrival, clock: Vec::new(), signed: Vec::new() };
        assert!(reading.arrived(BOB, &record, &event));
    }

    #[test]
    fn who_whispers_without_end_pushes_out_only_its_own_words() {
        let mut reading = Reading::default();
        whisper(&mut reading, ALICE, 1);
        (2..=3000).for_each(|arrival| whisper(&mut reading, MALLORY, arrival));
        whisper(&mut reading, ALICE, 3001);
        let held: Vec<u64> = reading.held.keys().copied().collect();
        assert_eq!(held.len(), HELD + 2);
        assert_eq!((held[0], held[1], held[HELD + 1]), (1, 3001 - HELD as u64, 3001));
    }
}
