//! Membership events as they are kept in memory: what judging them needs, and nothing else that they
//! say.

use std::collections::BTreeMap;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::causality::{self, Clock};
use crate::event::Body;
use crate::id::{EventId, MemberId, RoomId};
use crate::log::{Log, LogError, Position, Record};
use crate::members::{Admitted, Invited, Removed, Void};

/// All of a room that break no rule by themselves, in its order.
pub type Acts = BTreeMap<Position, Act>;

/// A membership event with what its judgement needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub author: MemberId,
    pub seq: u64,
    pub deed: Deed,
}

/// What a membership event does. What is large is boxed: most of a flood is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    Genesis,
    Invited(Box<Invited>),
    Closed(EventId),
    Admitted(Box<Admission>),
    Removed(Box<Removal>),
    Left,
    Rotated,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub member: MemberId,
    pub invite: EventId,
    clock: Clock,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    pub member: MemberId,
    pub last: Option<EventId>,
    pub clock: Clock,
}

/// Does this body change who is in the room?
pub fn is_act(body: &Body) -> bool {
    matches!(
        body,
        Body::Genesis(_)
            | Body::Invited(_)
            | Body::InviteClosed(_)
            | Body::Admitted(_)
            | Body::Removed(_)
            | Body::Left(_)
            | Body::Rotated(_)
    )
}

/// Why this event has no effect, whatever else is said in the room: it is no [`Act`], and nothing of it
/// is kept.
pub fn breaks_a_rule(log: &dyn Log, room: &RoomId, record: &Record, body: &Body) -> Result<Option<Void>, LogError> {
    match body {
        Body::Admitted(admitted) if admitted.name.len() > limits::NAME => Ok(Some(Void::TooLong)),
        Body::Admitted(admitted) => {
            let known = knows_the_invite(log, room, record, admitted)?;
            Ok((!known).then_some(Void::NoSuchInvite))
        }
        Body::Removed(removed) if removed.reason.as_ref().is_some_and(|reason| reason.len() > limits::LIST_ENTRY) => {
            Ok(Some(Void::TooLong))
        }
        Body::Removed(removed) => {
            let names = names_the_last(log, room, record, removed)?;
            Ok((!names).then_some(Void::WrongLast))
        }
        _ => Ok(None),
    }
}

impl Act {
    /// Takes of an event that breaks no rule by itself what judging it needs.
    pub fn new(record: &Record, body: &Body) -> Option<Self> {
        let clock = || record.clock.clone();
        let deed = match body {
            Body::Genesis(_) => Deed::Genesis,
            Body::Invited(invited) => Deed::Invited(Box::new(invited.clone())),
            Body::InviteClosed(closed) => Deed::Closed(closed.invite),
            Body::Admitted(Admitted { member, invite, .. }) => {
                Deed::Admitted(Box::new(Admission { member: *member, invite: *invite, clock: clock() }))
            }
            Body::Removed(Removed { member, last, .. }) => {
                Deed::Removed(Box::new(Removal { member: *member, last: *last, clock: clock() }))
            }
            Body::Left(_) => Deed::Left,
            Body::Rotated(_) => Deed::Rotated,
            _ => return None,
        };
        Some(Self { author: record.author, seq: record.seq, deed })
    }

    /// Up to which number its author can have known what `member` said: of an act that is not judged by
    /// its past, only what it said itself.
    pub fn knows(&self, member: &MemberId) -> u64 {
        match &self.deed {
            Deed::Admitted(admission) => causality::seq_of(&admission.clock, member),
            Deed::Removed(removal) => causality::seq_of(&removal.clock, member),
            _ if self.author == *member => self.seq,
            _ => 0,
        }
    }

    pub fn is_invite(&self) -> bool {
        matches!(self.deed, Deed::Invited(_))
    }
}

fn knows_the_invite(log: &dyn Log, room: &RoomId, of: &Record, admitted: &Admitted) -> Result<bool, LogError> {
    let Some(record) = log.get(room, &admitted.invite)? else { return Ok(false) };
    let is_invite = record.event().is_some_and(|event| matches!(event.body, Body::Invited(_)));
    Ok(is_invite && is_in_past(log, room, &record, of)?)
}

fn names_the_last(log: &dyn Log, room: &RoomId, of: &Record, removed: &Removed) -> Result<bool, LogError> {
    let seq = causality::seq_of(&of.clock, &removed.member);
    let Some(last) = removed.last else { return Ok(seq == 0) };
    let Some(record) = log.get(room, &last)? else { return Ok(false) };
    Ok(record.author == removed.member && record.seq == seq && is_in_past(log, room, &record, of)?)
}

fn is_in_past(log: &dyn Log, room: &RoomId, record: &Record, of: &Record) -> Result<bool, LogError> {
    causality::is_ancestor(log, room, (&record.author, record.seq, record.position.id), of)
}
