//! What the node does for its own people and agents about charter, floor, requests, the
//! brain and git.

use std::time::Duration;

use crate::actions::{Approved, Completed, Denied, Handed, Requested, Risk};
use crate::brain::Remembered;
use crate::charter::{Charter, CharterAccepted, CharterDeclined, CharterProposed};
use crate::claims::{PathsClaimed, PathsReleased};
use crate::command::{Outcome, Refusal, Speaker};
use crate::context::Context;
use crate::event::{Body, Origin};
use crate::floor::{FloorClaimed, FloorReleased, FloorTaken, FloorYielded};
use crate::git::{Committed, GitSetUp};
use crate::hops::Prompted;
use crate::id::{CharterHash, EventId, FindingId, RequestHash, SessionId};
use crate::overrides::Overridden;
use crate::seat::Seat;
use crate::talk::Address;

/// How long a claim of the floor must stay unanswered before the floor is taken.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A wish about what members agree on, whose turn it is, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Propose(Charter),
    /// The one in question, unless another is named.
    Accept {
        hash: Option<CharterHash>,
    },
    Decline {
        hash: Option<CharterHash>,
        reason: Option<String>,
    },
    /// Asks for the floor, keeps it, or takes it where an earlier claim stayed unanswered.
    Claim {
        reason: Option<String>,
    },
    Yield {
        to: Option<Address>,
    },
    Request(Requested),
    /// What was shown is named by its hash, and judged by this companion.
    Approve {
        request: EventId,
        hash: RequestHash,
        risk: Risk,
        always: bool,
    },
    Deny {
        request: EventId,
        reason: Option<String>,
    },
    /// Has an approved request handed to the session that asks, once.
    Hand {
        request: EventId,
    },
    Complete {
        request: EventId,
        ok: bool,
        detail: Option<String>,
    },
    Override {
        finding: FindingId,
        rule: String,
    },
    Remember(Remembered),
    SetUpGit(GitSetUp),
    Commit(Committed),
    /// Takes the place of claims whose sessions are gone.
    ClaimPaths(PathsClaimed),
    ReleasePaths(PathsReleased),
    /// A human gave its agent a prompt.
    Prompted,
}

impl Seat {
    /// Carries out a wish. `repeated` in the outcome: there was nothing to say.
    pub(crate) fn act(&mut self, by: Speaker, act: Act, context: &mut Context<'_>) -> Result<Outcome, Refusal> {
        let body = match act {
            Act::Propose(charter) => Body::CharterProposed(CharterProposed { charter }),
            Act::Accept { hash } => Body::CharterAccepted(CharterAccepted { hash: self.charter_meant(hash)? }),
            Act::Decline { hash, reason } => {
                Body::CharterDeclined(CharterDeclined { hash: self.charter_meant(hash)?, reason })
            }
            Act::Claim { reason } => return self.claim_floor(by, reason, context),
            Act::Yield { to } => self.yield_floor(by, to)?,
            Act::Request(requested) => Body::Requested(requested),
            Act::Approve { request, hash, risk, always } => {
                let under = if by.origin == Origin::Agent { self.approved_under(&request, risk) } else { None };
                Body::Approved(Approved { request, hash, risk, always, under })
            }
            Act::Deny { request, reason } => Body::Denied(Denied { request, reason }),
            Act::Hand { request } => self.hand(request)?,
            Act::Complete { request, ok, detail } => Body::Completed(Completed { request, ok, detail }),
            Act::Override { finding, rule } => Body::Overridden(Overridden { finding, rule }),
            Act::Remember(remembered) => Body::Remembered(remembered),
            Act::SetUpGit(said) => Body::GitSetUp(said),
            Act::Commit(said) => Body::Committed(said),
            Act::ClaimPaths(claimed) => {
                self.make_way(by, &claimed, context)?;
                Body::PathsClaimed(claimed)
            }
            Act::ReleasePaths(released) => Body::PathsReleased(released),
            Act::Prompted if self.room.state().hops.count() == 0 => return Ok(Outcome::Done),
            Act::Prompted => Body::Prompted(Prompted {}),
        };
        let event = self.say(by, body, context)?;
        Ok(Outcome::Said { event, repeated: false })
    }

    fn charter_meant(&self, hash: Option<CharterHash>) -> Result<CharterHash, Refusal> {
        let newest = self.room.state().charters.newest().map(|newest| newest.hash);
        hash.or(newest).ok_or(Refusal::NoSuchCharter)
    }

    /// What lets an agent approve a request of this risk, if anything does.
    fn approved_under(&self, request: &EventId, risk: Risk) -> Option<EventId> {
        let state = self.room.state();
        let request = state.actions.get(request)?;
        let charter = state.charters.in_force();
        let covered = charter.filter(|agreed| agreed.charter.auto_approve.covers(request.risk_with(risk)));
        covered.map(|agreed| agreed.event).or_else(|| state.actions.always(&self.me(), request))
    }

    /// What leaves the room is checked once more on the state as it is now.
    fn hand(&self, request: EventId) -> Result<Body, Refusal> {
        let state = self.room.state();
        let wanted = state.actions.get(&request).ok_or(Refusal::NoSuchRequest)?;
        if !state.gate.members().contains(&wanted.by) {
            return Err(Refusal::NoSuchMember);
        }
        Ok(Body::Handed(Handed { request }))
    }

    /// The session that has the floor yields it, or a human of its side, or anybody there where that
    /// session is gone.
    fn yield_floor(&self, by: Speaker, to: Option<Address>) -> Result<Body, Refusal> {
        let (me, floor) = (self.me(), &self.room.state().floor);
        let ours = floor.holder().filter(|holder| holder.member == me);
        let may = |session: Option<&SessionId>| session == Some(&by.session) || self.may_relieve(by, session);
        match ours {
            Some(holder) if holder.session.is_none() || may(holder.session.as_ref()) => {
                Ok(Body::FloorYielded(FloorYielded { to }))
            }
            _ => Err(Refusal::NotHolding),
        }
    }

    fn claim_floor(
        &mut self,
        by: Speaker,
        reason: Option<String>,
        context: &mut Context<'_>,
    ) -> Result<Outcome, Refusal> {
        let (me, floor) = (self.me(), &self.room.state().floor);
        let claim = floor.claim_of(&me, &by.session).map(|claim| (claim.event, claim.at));
        let body = match (floor.holder(), claim) {
            (Some(holder), _) if holder.is(&me, &by.session) && floor.waiting().is_empty() => {
                return Ok(Outcome::Said { event: holder.held, repeated: true });
            }
            (Some(holder), _) if holder.member == me && self.may_relieve(by, holder.session.as_ref()) => {
                Body::FloorYielded(FloorYielded { to: Some(Address { member: me, session: Some(by.session) }) })
            }
            (Some(_), Some((claim, at))) if context.now >= at + ANSWER_WITHIN => Body::FloorTaken(FloorTaken { claim }),
            (_, Some((claim, _))) => return Ok(Outcome::Said { event: claim, repeated: true }),
            (Some(holder), None) if self.is_long_gone(holder.held, context) => {
                let held = holder.held;
                self.say(by, Body::FloorReleased(FloorReleased { held }), context)?;
                Body::FloorClaimed(FloorClaimed { reason })
            }
            _ => Body::FloorClaimed(FloorClaimed { reason }),
        };
        let event = self.say(by, body, context)?;
        Ok(Outcome::Said { event, repeated: false })
    }

    /// May a session of ours have the floor that another one of ours holds? A human may, and anybody
    /// may where that session is not there any more.
    fn may_relieve(&self, by: Speaker, holding: Option<&SessionId>) -> bool {
        let other = holding.is_some_and(|session| *session != by.session);
        let gone = || holding.is_none_or(|session| !self.reading.live().any(|live| live.session == *session));
        other && (by.origin == Origin::Human || gone())
    }
}
