//! How a room looks to a face: the core's state in the api's words.

mod artifact;
mod consent;
mod entry;
mod git;
mod handoff;
mod kinds;
mod ledger;
mod notice;
mod relayed;
mod request;
mod sentence;
mod status;

use pairwave_api::{Entry, Me};
use pairwave_core::command::Speaker;
use pairwave_core::event::{Event, Origin};
use pairwave_core::id::{EventId, MemberId, SessionId};
use pairwave_core::log::{Log, LogError, Record};
use pairwave_core::members::Invite;
use pairwave_core::node::Node;
use pairwave_core::room::Room;
use pairwave_core::seat::Standing;
use pairwave_core::talk::Question;
use pairwave_core::time::Timestamp;

pub use artifact::{Found, diff};
pub use consent::auto_approve;
pub use entry::deliveries;
pub use git::collisions;
pub use handoff::{DECISIONS, GO_ON, HANDOFF, QUOTED, decision, nothing_or, statement, told};
pub use kinds::{are_named, by_kind};
pub use ledger::{Most, line};
pub use notice::notice;
pub use relayed::{ago, why_relayed};
pub use request::{Asked, Judged, Unjudged, is_open, judged, warning};
pub use status::{reachability, relay, room_summary, room_view, waiting_summary, waiting_view};

/// One room, seen by one of its members.
pub struct Viewer<'a, L: Log> {
    node: &'a Node<L>,
    room: &'a Room,
}

impl<'a, L: Log> Viewer<'a, L> {
    pub fn new(node: &'a Node<L>, room: &'a Room) -> Self {
        Self { node, room }
    }

    pub fn node(&self) -> &'a Node<L> {
        self.node
    }

    pub fn room(&self) -> &'a Room {
        self.room
    }

    pub fn me(&self) -> MemberId {
        self.room.me()
    }

    pub fn title(&self) -> &'a str {
        &self.room.state().title
    }

    /// A member's name, or the beginning of its id where the room has none.
    pub fn name(&self, member: &MemberId) -> String {
        match self.room.state().sessions.member_name(member) {
            "" => member.to_string().chars().take(8).collect(),
            name => name.to_owned(),
        }
    }

    /// All who are members now, the founder first.
    pub fn members(&self) -> Vec<MemberId> {
        self.room.members().collect()
    }

    /// Everybody who is or was a member.
    pub fn all_members(&self) -> Vec<MemberId> {
        self.room.state().members.all().map(|(member, _)| *member).collect()
    }

    /// Every session of these members that has spoken or is live.
    pub fn sessions(&self, members: &[MemberId]) -> Vec<(MemberId, SessionId)> {
        let mut sessions = Vec::new();
        for member in members.iter().copied() {
            sessions.extend(self.room.state().sessions.of(&member).map(|(session, _)| (member, *session)));
            let live = self.node.presence(&self.room.id(), &member).sessions;
            sessions.extend(live.into_iter().map(|live| (member, live.session)));
        }
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// The name of a session; a companion is none, though it speaks as one.
    pub fn session_name(&self, member: &MemberId, session: &SessionId) -> String {
        if *session == SessionId::COMPANION {
            return "companion".to_owned();
        }
        self.room.state().sessions.session_name(member, session)
    }

    pub fn invites(&self) -> impl Iterator<Item = &'a Invite> {
        self.room.state().members.invites()
    }

    /// Who asks, in this room.
    pub fn me_as(&self, by: &Speaker) -> Me {
        Me {
            member: self.me().to_string(),
            name: self.name(&self.me()),
            session: by.session.to_string(),
            session_name: self.session_name(&self.me(), &by.session),
            origin: origin(by.origin).to_owned(),
        }
    }

    /// Is the member verified to us, by ourselves or through others?
    pub fn is_verified(&self, member: &MemberId) -> bool {
        *member == self.me() || self.verified_through(member).is_some()
    }

    /// Who verified the member to us: we ourselves, or the member through whom we know.
    pub fn verified_through(&self, member: &MemberId) -> Option<MemberId> {
        let (state, me) = (self.room.state(), self.me());
        if state.verification.is_verified_by(&me, member) {
            return Some(me);
        }
        state.verification.through(&state.members, &me, member)
    }

    /// Questions of others that we may answer as this session and nobody has answered, oldest first.
    pub fn open_questions(&self, session: &SessionId) -> Vec<EventId> {
        let me = self.me();
        self.questions(|question| {
            let for_us = question.to.is_none_or(|to| to.member == me && to.session.is_none_or(|to| to == *session));
            question.by != me && for_us
        })
    }

    /// Questions of this session that nobody has answered, oldest first.
    pub fn own_questions(&self, session: &SessionId) -> Vec<EventId> {
        let me = self.me();
        self.questions(|question| question.by == me && question.session == *session)
    }

    fn questions(&self, of: impl Fn(&Question) -> bool) -> Vec<EventId> {
        let open = self.room.state().talk.open_questions();
        let mut open: Vec<_> = open.filter(|(_, question)| of(question)).collect();
        open.sort_unstable_by_key(|(_, question)| question.position);
        open.into_iter().map(|(event, _)| *event).collect()
    }

    /// What arrived after and the state holds, of so many events, and how far that goes.
    pub fn arrived(&self, after: u64, most: usize) -> Result<(u64, Vec<(Record, Event)>), LogError> {
        let last = self.room.settled_arrival();
        let (mut through, mut arrived) = (after, Vec::new());
        for (arrival, id) in self.node.log().arrivals(&self.room.id(), after, most)? {
            if arrival > last {
                break;
            }
            through = arrival;
            arrived.extend(self.event(&id)?);
        }
        Ok((through, arrived))
    }

    pub fn event(&self, id: &EventId) -> Result<Option<(Record, Event)>, LogError> {
        self.room.event(self.node.log(), id)
    }

    pub fn is_member(&self) -> bool {
        self.node.standing(&self.room.id()) == Standing::Member
    }

    /// Why an event has no effect, if it has none.
    pub fn void(&self, record: &Record) -> Option<String> {
        let mark = self.room.state().marks.of(&record.author, record.seq, &record.position.id);
        mark.map(|mark| mark.to_string())
    }
}

/// As faces call it.
pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Human => "human",
        Origin::Agent => "agent",
    }
}

/// Where we stand in a room, as faces call it.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Member => "member",
        Standing::Waiting => "waiting",
        Standing::Left => "left",
        Standing::Removed => "removed",
    }
}

/// RFC 3339 in UTC. A clock that claims a year which that format cannot write is cut to its last day.
pub fn time(at: Timestamp) -> String {
    instant(at).to_string()
}

/// Enough of an id to name the event.
pub fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// What kind of event it is, in words.
pub fn kind(kind: &str) -> String {
    match kind {
        "action" => "request".to_owned(),
        "code" => "artifact".to_owned(),
        kind => kind.replace('_', " "),
    }
}

/// Does an event come from a companion by itself?
pub fn is_a_companions(entry: &Entry) -> bool {
    entry.session == SessionId::COMPANION.to_string()
}

pub fn instant(at: Timestamp) -> jiff::Timestamp {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_claimed_time_can_be_written() {
        assert_eq!(time(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(time(Timestamp(1_700_000_000_123)), "2023-11-14T22:13:20.123Z");
        assert!(time(Timestamp(u64::MAX)).starts_with("9999-"));
    }
}
