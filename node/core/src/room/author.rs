//! Saying something: the rules that stop it at the door, and its place in the DAG.

use std::collections::BTreeSet;

use pairwave_wire::limits;

use super::{Place, Room, ordered_parents};
use crate::actions::Past;
use crate::bounds::{filled, within};
use crate::brain::{Remembered, is_entry};
use crate::command::{Refusal, Speaker};
use crate::event::{self, Body, Event, Origin, SignError, VerifiedEvent};
use crate::id::{EventId, RoomId};
use crate::key::Identity;
use crate::log::{Log, LogError, MemoryLog, Record};
use crate::members::{Admitted, Genesis, Removed};
use crate::sessions::{Named, check_own_name};
use crate::state::is_question;
use crate::talk::Message;
use crate::time::Timestamp;

pub(super) fn found(
    identity: &Identity,
    by: Speaker,
    genesis: Genesis,
    now: Timestamp,
) -> Result<(Room, Record), Refusal> {
    filled("title", &genesis.title, limits::TITLE)?;
    check_own_name(&genesis.name)?;
    let event = Event {
        version: event::VERSION,
        room: None,
        author: identity.member(),
        seq: 1,
        backlink: None,
        parents: Vec::new(),
        claimed_time: now,
        session: by.session,
        origin: by.origin,
        body: Body::Genesis(genesis),
    };
    let event = sign(identity, event)?;
    let mut room = Room::joining(RoomId::from(event.id()), identity.member());
    let record = room.insert(event, &[]);
    room.settle(&MemoryLog::default()).map_err(store_failed)?;
    Ok((room, record))
}

pub(super) fn author(
    room: &mut Room,
    log: &dyn Log,
    identity: &Identity,
    by: Speaker,
    body: Body,
    now: Timestamp,
) -> Result<Record, Refusal> {
    if !room.is_member(&room.me) {
        return Err(Refusal::NotAMember);
    }
    room.state().check_policy(&room.me, &by.session, by.origin, &body)?;
    check(room, log, by, &body)?;
    let (parents, places) = parents(room, log)?;
    let tip = room.known.tips(&room.me).last().copied();
    let event = Event {
        version: event::VERSION,
        room: Some(room.id),
        author: room.me,
        seq: tip.map_or(1, |(seq, _)| seq + 1),
        backlink: tip.map(|(_, id)| id),
        parents,
        claimed_time: now,
        session: by.session,
        origin: by.origin,
        body,
    };
    let event = sign(identity, event)?;
    let record = room.insert(event, &places);
    room.settle(log).map_err(store_failed)?;
    Ok(record)
}

/// The heads, with all of our own tips among them, so that a fork of ours is healed; before our
/// first event our admission, which lets it in.
fn parents(room: &Room, log: &dyn Log) -> Result<(Vec<EventId>, Vec<Place>), Refusal> {
    let heads: BTreeSet<EventId> = room.heads.keys().copied().collect();
    let own = room.known.tips(&room.me);
    let mut parents = ordered_parents(own, &heads, limits::PARENTS);
    if own.is_empty() {
        let admission = room.state().members.get(&room.me).map(|me| me.admission).ok_or(Refusal::NotAMember)?;
        parents.retain(|parent| *parent != admission);
        parents.insert(0, admission);
        parents.truncate(limits::PARENTS);
    }
    let (places, missing) = room.places(log, &parents).map_err(store_failed)?;
    if missing.is_empty() { Ok((parents, places)) } else { Err(Refusal::NoSuchEvent) }
}

fn sign(identity: &Identity, event: Event) -> Result<VerifiedEvent, Refusal> {
    VerifiedEvent::sign(identity, event).map_err(|error| match error {
        SignError::TooLong { got, max } => Refusal::EventTooLong { got, max },
        SignError::Encode(error) => Refusal::FieldShape { field: error.to_string(), expected: "value" },
    })
}

/// What the fold would refuse is refused before it is signed.
fn check(room: &Room, log: &dyn Log, by: Speaker, body: &Body) -> Result<(), Refusal> {
    match body {
        Body::Admitted(admitted) => check_admission(room, admitted),
        Body::Removed(removed) => check_removal(room, removed),
        Body::Named(named) => check_naming(room, named),
        Body::RelayAdded(added) => room.state().relays.check_add(added),
        Body::RelayRemoved(removed) => room.state().relays.check_remove(removed),
        Body::Shared(shared) => shared.check(),
        Body::Message(message) => check_message(room, log, message),
        Body::Remembered(remembered) => check_entry(room, log, remembered),
        Body::CharterProposed(proposed) => proposed.charter.check(),
        Body::CharterAccepted(accepted) => room.state().charters.check_accept(&room.me, accepted, by.origin),
        Body::CharterDeclined(declined) => room.state().charters.check_decline(declined, by.origin),
        Body::FloorClaimed(claimed) => room.state().floor.check_claim(&room.me, &by.session, claimed),
        Body::FloorYielded(yielded) => room.state().floor.check_yield(&room.me, yielded, room.state().gate.members()),
        Body::FloorTaken(taken) => room.state().floor.check_take(&room.me, taken),
        Body::FloorReleased(released) => room.state().floor.check_release(released),
        Body::Requested(requested) => {
            room.state().actions.check_request(&room.me, requested, room.state().gate.members())
        }
        Body::Approved(_) | Body::Denied(_) | Body::Handed(_) | Body::Completed(_) | Body::Expired(_) => {
            check_act(room, log, by, body).map_err(store_failed)?
        }
        Body::GitSetUp(said) => said.check(),
        Body::Committed(said) => room.state().git.check_commit(said),
        Body::PathsClaimed(claimed) => {
            let everything = room.state().may_claim_everything(by.origin);
            room.state().claims.check_claim(&room.me, &by.session, everything, claimed)
        }
        Body::PathsReleased(released) => room.state().claims.check_release(&room.me, &by.session, by.origin, released),
        Body::ClaimsExpired(expired) => room.state().claims.check_expire(&room.me, expired),
        Body::Overridden(overridden) => room.state().overrides.check(by.origin, overridden),
        Body::Prompted(_) if by.origin == Origin::Agent => Err(Refusal::HumansOnly),
        Body::Verified(verified) if !room.is_member(&verified.member) => Err(Refusal::NoSuchMember),
        _ => Ok(()),
    }
}

/// May a request be moved on so? What is signed next has everything before it that is here.
fn check_act(room: &Room, log: &dyn Log, by: Speaker, body: &Body) -> Result<Result<(), Refusal>, LogError> {
    let view = room.view(log);
    let past = Past { log: &view, room: &room.id, of: None };
    let (actions, me) = (&room.state().actions, &room.me);
    match body {
        Body::Approved(approved) => actions.check_approve(me, by.origin, approved, &past),
        Body::Denied(denied) => actions.check_deny(me, denied, &past),
        Body::Handed(handed) => actions.check_hand(me, handed, &past),
        Body::Completed(completed) => actions.check_complete(me, completed, &past),
        Body::Expired(expired) => actions.check_expire(me, expired, &past),
        _ => Ok(Ok(())),
    }
}

fn check_admission(room: &Room, admitted: &Admitted) -> Result<(), Refusal> {
    let max = limits::MEMBERS;
    if room.state().members.count() >= max {
        return Err(Refusal::RoomFull { max });
    }
    let invite = room.state().members.invite(&admitted.invite);
    let open = invite.is_some_and(|invite| invite.closed.is_none() && invite.used < invite.uses);
    if open { Ok(()) } else { Err(Refusal::NoSuchInvite) }
}

fn check_removal(room: &Room, removed: &Removed) -> Result<(), Refusal> {
    let members = &room.state().members;
    if !members.standing(&removed.member) {
        Err(Refusal::NoSuchMember)
    } else if members.founder() == Some(removed.member) {
        Err(Refusal::Founder)
    } else if !members.above(&room.me, &removed.member) {
        Err(Refusal::NotAbove)
    } else {
        let reason = removed.reason.as_deref().unwrap_or("");
        within("reason", reason, limits::LIST_ENTRY)
    }
}

fn check_naming(room: &Room, naming: &Named) -> Result<(), Refusal> {
    check_own_name(&naming.name)?;
    let sessions = &room.state().sessions;
    if sessions.is_free_for(&naming.name, &room.me, naming.session) {
        return Ok(());
    }
    let by = sessions.bearer(&naming.name).map(|(member, _)| sessions.member_name(&member).to_owned());
    Err(Refusal::NameTaken { by: by.unwrap_or_default() })
}

fn check_message(room: &Room, log: &dyn Log, message: &Message) -> Result<(), Refusal> {
    message.check()?;
    if let Some(to) = message.to
        && !room.is_member(&to.member)
    {
        return Err(Refusal::NoSuchMember);
    }
    let Some(question) = &message.answers else { return Ok(()) };
    let asked = room.record(log, question).map_err(store_failed)?;
    if asked.as_ref().is_some_and(is_question) { Ok(()) } else { Err(Refusal::NotAQuestion) }
}

fn check_entry(room: &Room, log: &dyn Log, remembered: &Remembered) -> Result<(), Refusal> {
    let Some(place) = &remembered.supersedes else { return Ok(()) };
    let found = room.event(log, place).map_err(store_failed)?;
    let marked = room.mark(log, place).map_err(store_failed)?.is_some();
    if marked || !found.is_some_and(|(_, event)| is_entry(&event)) {
        return Err(Refusal::NotAnEntry);
    }
    room.state().brain.check_place(&room.me, remembered)
}

fn store_failed(error: LogError) -> Refusal {
    Refusal::StoreFailed { why: error.to_string() }
}
