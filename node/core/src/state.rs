//! What a room knows: the fold of its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize};

use crate::actions::{Actions, Past};
use crate::acts;
use crate::artifacts::Artifacts;
use crate::brain::{Brain, Remembered, is_entry_before};
use crate::causality;
use crate::charter::Charters;
use crate::claims::Claims;
use crate::command::Refusal;
use crate::event::{Body, Event, Origin};
use crate::floor::Floor;
use crate::gate::Gate;
use crate::git::Git;
use crate::hops::Hops;
use crate::id::{EventId, MemberId, RoomId};
use crate::ledger::Ledger;
use crate::letters::Letters;
use crate::log::{Log, LogError, Record};
use crate::mark::Mark;
use crate::marks::Marks;
use crate::members::{Genesis, Members};
use crate::overrides::Overrides;
use crate::relays::Relays;
use crate::sessions::{Sessions, readable};
use crate::talk::{Kind, Message, Talk};
use crate::vector::Vector;
use crate::verification::{Verification, Verified};

/// Which bodies have effect in rooms that are made today.
pub const RULES: u32 = 1;

/// What every member who has the same events knows. One field a feature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// Which bodies have effect, as set at the genesis.
    pub rules: u32,
    pub title: String,
    /// Shared with the checkpoints of the fold.
    pub members: Arc<Members>,
    pub verification: Verification,
    pub sessions: Sessions,
    pub relays: Relays,
    pub talk: Talk,
    pub letters: Letters,
    pub gate: Gate,
    pub charters: Charters,
    pub floor: Floor,
    pub hops: Hops,
    pub actions: Actions,
    pub overrides: Overrides,
    pub artifacts: Artifacts,
    pub brain: Brain,
    pub git: Git,
    pub claims: Claims,
    pub ledger: Ledger,
    /// Events without effect, and why.
    pub marks: Marks,
    /// Authors that said two things in one place, and whether they named both since.
    pub equivocations: BTreeMap<MemberId, Equivocation>,
    /// Newest events by author, as far as the fold has come.
    pub(crate) chains: Vector,
}

/// Two events of one author with one seq: somebody holds a copy of that key, or of that home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Equivocation {
    Forked,
    /// Forked, and the author's next event named all its branches.
    Healed,
}

/// Something that a companion wants to tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An event that had effect has none any more.
    Undone(EventId),
    Equivocation(MemberId),
    Verified {
        by: MemberId,
        member: MemberId,
    },
    /// Somebody came or went.
    Membership,
}

impl RoomState {
    /// One value for one state, the same on every machine.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self).expect("integers, texts and bytes always encode")
    }

    /// Takes the next event in the order. Membership was judged before. Says whether it has effect.
    pub(crate) fn apply(
        &mut self,
        log: &dyn Log,
        room: &RoomId,
        record: &Record,
        event: &Event,
        changes: &mut Vec<Change>,
    ) -> Result<bool, LogError> {
        self.follow_chain(record, event, changes);
        let effect = self.effect(log, room, record, event, changes)?;
        match effect {
            Ok(()) => {
                self.sessions.heard(event, record.position);
                self.ledger.heard(event, record.position.id);
                self.follow(event, record.position.id);
            }
            Err(mark) => self.marks.add(record, mark),
        }
        Ok(effect.is_ok())
    }

    fn follow_chain(&mut self, record: &Record, event: &Event, changes: &mut Vec<Change>) {
        let (author, seq, id) = (event.author, event.seq, record.position.id);
        let tips = self.chains.tips(&author);
        if tips.len() > 1 && tips.iter().all(|(_, tip)| event.parents.contains(tip)) {
            self.chains.heal(author, seq, id);
            self.equivocations.insert(author, Equivocation::Healed);
        } else if self.chains.extend(author, seq, id, event.backlink) {
            self.equivocations.insert(author, Equivocation::Forked);
            changes.push(Change::Equivocation(author));
        }
    }

    fn effect(
        &mut self,
        log: &dyn Log,
        room: &RoomId,
        record: &Record,
        event: &Event,
        changes: &mut Vec<Change>,
    ) -> Result<Result<(), Mark>, LogError> {
        if let Some(void) = self.members.void.get(&record.position.id) {
            return Ok(Err(Mark::Membership(*void)));
        }
        if !self.members.may_speak(&event.author, event.seq, &record.position.id) {
            return Ok(Err(Mark::NotAMember));
        }
        if let Some(void) = acts::breaks_a_rule(log, room, record, &event.body)? {
            return Ok(Err(Mark::Membership(void)));
        }
        if let Err(refusal) = self.check_policy(&event.author, &event.session, event.origin, &event.body) {
            return Ok(Err(refusal.into()));
        }
        match &event.body {
            Body::Genesis(genesis) => self.begin(event.author, genesis),
            Body::Admitted(admitted) => self.sessions.introduce(admitted.member, &admitted.name),
            Body::Verified(verified) => return Ok(self.verify(event.author, verified, changes)),
            Body::Named(named) => return Ok(self.sessions.apply(event, named, record.position)),
            Body::LetterKeys(keys) => self.letters.apply(event.author, *keys),
            Body::RelayAdded(added) => return Ok(self.relays.add(added)),
            Body::RelayRemoved(removed) => return Ok(self.relays.remove(removed)),
            Body::Shared(shared) => return Ok(self.artifacts.apply(event.author, shared, record.position)),
            Body::Remembered(remembered) => return self.remember(log, room, record, remembered),
            Body::Message(message) => return self.hear(log, room, record, event, message),
            Body::CharterProposed(proposed) => return marked(self.charters.propose(event, proposed, record.position)),
            Body::CharterAccepted(accepted) => return marked(self.charters.accept(event, accepted)),
            Body::CharterDeclined(declined) => return marked(self.charters.decline(event, declined)),
            Body::FloorClaimed(claimed) => return marked(self.floor.claim(event, claimed, record.position.id)),
            Body::FloorYielded(yielded) => {
                return marked(self.floor.hand_over(event, yielded, self.gate.members(), record.position.id));
            }
            Body::FloorTaken(taken) => return marked(self.floor.take(event, taken, record.position.id)),
            Body::FloorReleased(released) => return marked(self.floor.release(released, record.position.id)),
            Body::Requested(requested) => {
                return marked(self.actions.request(event, requested, self.gate.members(), record.position));
            }
            Body::Approved(_) | Body::Denied(_) | Body::Handed(_) | Body::Completed(_) | Body::Expired(_) => {
                return self.act(Past { log, room, of: Some(record) }, event, record.position.id);
            }
            Body::GitSetUp(said) => return marked(self.git.set_up(record, said)),
            Body::Committed(said) => return marked(self.git.commit(record, said)),
            Body::PathsClaimed(claimed) => {
                let everything = self.may_claim_everything(event.origin);
                return marked(self.claims.claim(event, everything, claimed, record.position.id));
            }
            Body::PathsReleased(released) => return marked(self.claims.release(event, released, record.position.id)),
            Body::ClaimsExpired(expired) => return marked(self.claims.expire(event, expired, record.position.id)),
            Body::Overridden(overridden) => return marked(self.overrides.apply(event, overridden)),
            Body::Foreign { .. } => return Ok(Err(Mark::Foreign)),
            Body::Prompted(_) if event.origin == Origin::Agent => return Ok(Err(Mark::HumansOnly)),
            Body::Prompted(_) => (),
            Body::Invited(_) | Body::InviteClosed(_) | Body::Removed(_) | Body::Left(_) | Body::Rotated(_) => (),
        }
        Ok(Ok(()))
    }

    /// Moves a request on.
    fn act(&mut self, past: Past<'_>, event: &Event, id: EventId) -> Result<Result<(), Mark>, LogError> {
        let judged = match &event.body {
            Body::Approved(approved) => self.actions.approve(event, approved, &past, id),
            Body::Denied(denied) => self.actions.deny(event, denied, &past, id),
            Body::Handed(handed) => self.actions.hand(event, handed, &past, id),
            Body::Completed(completed) => self.actions.complete(event, completed, &past, id),
            Body::Expired(expired) => self.actions.expire(event, expired, &past, id),
            _ => Ok(Ok(())),
        };
        Ok(judged?.map_err(Mark::from))
    }

    fn begin(&mut self, founder: MemberId, genesis: &Genesis) {
        self.rules = genesis.rules;
        self.title = readable(&genesis.title, limits::TITLE);
        self.sessions.introduce(founder, &genesis.name);
    }

    fn verify(&mut self, by: MemberId, verified: &Verified, changes: &mut Vec<Change>) -> Result<(), Mark> {
        // By position: who comes in later makes nothing true that was said before.
        if !self.gate.members().contains(&verified.member) {
            return Err(Mark::NoSuchMember);
        }
        if self.verification.apply(by, verified) {
            changes.push(Change::Verified { by, member: verified.member });
        }
        Ok(())
    }

    fn hear(
        &mut self,
        log: &dyn Log,
        room: &RoomId,
        record: &Record,
        event: &Event,
        message: &Message,
    ) -> Result<Result<(), Mark>, LogError> {
        if let Err(refusal) = message.check() {
            return Ok(Err(refusal.into()));
        }
        if let Some(question) = message.answers
            && !is_question_before(log, room, &question, record)?
        {
            return Ok(Err(Mark::NotAQuestion));
        }
        self.talk.apply(event, message, record.position);
        Ok(Ok(()))
    }
}

impl RoomState {
    /// What an entry supersedes must be one that counted, and that its author can have seen.
    fn remember(
        &mut self,
        log: &dyn Log,
        room: &RoomId,
        record: &Record,
        remembered: &Remembered,
    ) -> Result<Result<(), Mark>, LogError> {
        if let Some(place) = &remembered.supersedes
            && !is_entry_before(log, room, place, record, &self.marks)?
        {
            return Ok(Err(Mark::NotAnEntry));
        }
        marked(self.brain.apply(record.author, remembered, record.position.id))
    }
}

fn marked(result: Result<(), Refusal>) -> Result<Result<(), Mark>, LogError> {
    Ok(result.map_err(Mark::from))
}

/// Is there a question with this id among the ancestors of `of`?
pub(crate) fn is_question_before(
    log: &dyn Log,
    room: &RoomId,
    question: &EventId,
    of: &Record,
) -> Result<bool, LogError> {
    let Some(record) = log.get(room, question)? else { return Ok(false) };
    let asks = is_question(&record);
    Ok(asks && causality::is_ancestor(log, room, (&record.author, record.seq, *question), of)?)
}

pub(crate) fn is_question(record: &Record) -> bool {
    let body = record.event().map(|event| event.body);
    matches!(body, Some(Body::Message(Message { kind: Kind::Question, .. })))
}
