//! The floor: which session pushes, one at a time.
//!
//! Who claims it while nobody holds it has it; else the claim waits, in the room's order. The holder
//! answers by yielding, or by claiming again, which turns the waiting claims down. What time made
//! true enters as an event that names its cause: a claim that stayed unanswered takes the floor, and
//! a holder that is away loses it. No clock decides here.

use std::collections::BTreeSet;

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::bounds::within;
use crate::command::Refusal;
use crate::event::Event;
use crate::id::{EventId, MemberId, SessionId};
use crate::talk::Address;
use crate::time::Timestamp;

/// Most claims of one member that wait.
const CLAIMS: usize = 8;

/// The author's session wants the floor; or, where it has it, keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorClaimed {
    pub reason: Option<String>,
}

/// The author, whose side has the floor, gives it to somebody, or to the claim that waits longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorYielded {
    pub to: Option<Address>,
}

/// The author's claim was not answered in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorTaken {
    pub claim: EventId,
}

/// The holder is away. Names the event that gave it the floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorReleased {
    pub held: EventId,
}

/// Whose turn it is, and who waits for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    holder: Option<Holder>,
    waiting: Vec<Claim>,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub member: MemberId,
    /// `None` until a session of the member it was given to pushes.
    pub session: Option<SessionId>,
    /// The event that gave it the floor.
    pub held: EventId,
}

/// A claim that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub event: EventId,
    pub member: MemberId,
    pub session: SessionId,
    pub reason: Option<String>,
    /// What the claimant's clock said.
    pub at: Timestamp,
}

impl Holder {
    /// Is it this session's turn?
    pub fn is(&self, member: &MemberId, session: &SessionId) -> bool {
        self.member == *member && self.session.is_none_or(|holding| holding == *session)
    }
}

impl Floor {
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    /// The claims that wait, longest first.
    pub fn waiting(&self) -> &[Claim] {
        &self.waiting
    }

    /// The claim of this session, if it waits.
    pub fn claim_of(&self, member: &MemberId, session: &SessionId) -> Option<&Claim> {
        self.waiting.iter().find(|claim| claim.member == *member && claim.session == *session)
    }

    /// May this session push? In a room of one the floor binds only while somebody has it.
    pub(crate) fn check_push(&self, by: &MemberId, session: &SessionId, alone: bool) -> Result<(), Refusal> {
        match &self.holder {
            Some(holder) if holder.is(by, session) => Ok(()),
            None if alone => Ok(()),
            holder => Err(Refusal::NoFloor { holder: holder.as_ref().map(|holder| holder.member) }),
        }
    }

    /// A session pushed: if the floor was given to its member, it is this session's now.
    pub(crate) fn pushed(&mut self, event: &Event) {
        if let Some(holder) = self.holder.as_mut().filter(|holder| holder.member == event.author) {
            holder.session.get_or_insert(event.session);
        }
    }

    pub(crate) fn check_claim(
        &self,
        by: &MemberId,
        session: &SessionId,
        claimed: &FloorClaimed,
    ) -> Result<(), Refusal> {
        within("reason", claimed.reason.as_deref().unwrap_or(""), limits::HEADLINE)?;
        if self.claim_of(by, session).is_some() {
            return Err(Refusal::ClaimWaits);
        }
        if self.holder.as_ref().is_some_and(|holder| holder.is(by, session)) {
            return Ok(());
        }
        let (got, max) = (self.waiting.iter().filter(|claim| claim.member == *by).count() + 1, CLAIMS);
        if got > max { Err(Refusal::TooMany { field: "claims", got, max }) } else { Ok(()) }
    }

    pub(crate) fn check_yield(
        &self,
        by: &MemberId,
        yielded: &FloorYielded,
        members: &BTreeSet<MemberId>,
    ) -> Result<(), Refusal> {
        let holder = self.holder.as_ref();
        if holder.is_none_or(|holder| holder.member != *by) {
            return Err(Refusal::NotHolding);
        }
        let stranger = yielded.to.is_some_and(|to| !members.contains(&to.member));
        if stranger { Err(Refusal::NoSuchMember) } else { Ok(()) }
    }

    pub(crate) fn check_take(&self, by: &MemberId, taken: &FloorTaken) -> Result<(), Refusal> {
        let waits = self.waiting.iter().any(|claim| claim.event == taken.claim && claim.member == *by);
        if waits { Ok(()) } else { Err(Refusal::NoSuchClaim) }
    }

    pub(crate) fn check_release(&self, released: &FloorReleased) -> Result<(), Refusal> {
        let holds = self.holder.as_ref().is_some_and(|holder| holder.held == released.held);
        if holds { Ok(()) } else { Err(Refusal::NotHolding) }
    }

    pub(crate) fn claim(&mut self, event: &Event, claimed: &FloorClaimed, id: EventId) -> Result<(), Refusal> {
        self.check_claim(&event.author, &event.session, claimed)?;
        match &mut self.holder {
            None => self.give(event.author, Some(event.session), id),
            Some(holder) if holder.is(&event.author, &event.session) => {
                holder.session = Some(event.session);
                self.waiting.clear();
            }
            Some(_) => self.waiting.push(Claim {
                event: id,
                member: event.author,
                session: event.session,
                reason: claimed.reason.clone(),
                at: event.claimed_time,
            }),
        }
        Ok(())
    }

    pub(crate) fn hand_over(
        &mut self,
        event: &Event,
        yielded: &FloorYielded,
        members: &BTreeSet<MemberId>,
        id: EventId,
    ) -> Result<(), Refusal> {
        self.check_yield(&event.author, yielded, members)?;
        match yielded.to {
            Some(to) => self.give(to.member, to.session, id),
            None => self.next(id),
        }
        Ok(())
    }

    pub(crate) fn take(&mut self, event: &Event, taken: &FloorTaken, id: EventId) -> Result<(), Refusal> {
        self.check_take(&event.author, taken)?;
        let session = self.waiting.iter().find(|claim| claim.event == taken.claim).map(|claim| claim.session);
        self.give(event.author, session, id);
        Ok(())
    }

    pub(crate) fn release(&mut self, released: &FloorReleased, id: EventId) -> Result<(), Refusal> {
        self.check_release(released)?;
        self.next(id);
        Ok(())
    }

    /// A member left or was removed.
    pub(crate) fn gone(&mut self, member: &MemberId, id: EventId) {
        self.waiting.retain(|claim| claim.member != *member);
        if self.holder.as_ref().is_some_and(|holder| holder.member == *member) {
            self.next(id);
        }
    }

    /// The claim that waits longest has it now, if there is one.
    fn next(&mut self, held: EventId) {
        self.holder = None;
        if let Some(Claim { member, session, .. }) = self.waiting.first().cloned() {
            self.give(member, Some(session), held);
        }
    }

    fn give(&mut self, member: MemberId, session: Option<SessionId>, held: EventId) {
        self.holder = Some(Holder { member, session, held });
        self.waiting.retain(|claim| claim.member != member || session.is_some_and(|session| claim.session != session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Origin};
    use crate::sample::{ALICE, BOB, MALLORY, event, position};

    fn claim(floor: &mut Floor, by: MemberId, session: u8, number: u16) -> Result<(), Refusal> {
        let claimed = FloorClaimed { reason: None };
        let mut event = event(by, Origin::Agent, Body::FloorClaimed(claimed.clone()));
        event.session = SessionId([session; 16]);
        floor.claim(&event, &claimed, position(number).id)
    }

    #[test]
    fn nobody_fills_the_queue_for_others_nor_against_the_holder() {
        let mut floor = Floor::default();
        claim(&mut floor, ALICE, 1, 1).unwrap();
        for session in 0..8 {
            claim(&mut floor, MALLORY, session, 10 + u16::from(session)).unwrap();
        }
        assert_eq!(claim(&mut floor, MALLORY, 9, 20), Err(Refusal::TooMany { field: "claims", got: 9, max: 8 }));
        assert_eq!(claim(&mut floor, MALLORY, 1, 21), Err(Refusal::ClaimWaits));
        claim(&mut floor, BOB, 2, 22).unwrap();
        claim(&mut floor, ALICE, 1, 23).unwrap();
        assert!(floor.waiting().is_empty() && floor.holder().is_some_and(|holder| holder.member == ALICE));
    }

    #[test]
    fn who_left_waits_and_holds_no_more() {
        let mut floor = Floor::default();
        for (number, member) in [ALICE, BOB, MALLORY].into_iter().enumerate() {
            claim(&mut floor, member, 1, number as u16).unwrap();
        }
        floor.gone(&BOB, position(8).id);
        floor.gone(&ALICE, position(9).id);
        let holder = floor.holder().expect("mallory waited");
        assert_eq!((holder.member, holder.held), (MALLORY, position(9).id));
        assert_eq!(floor.waiting(), []);
    }
}
