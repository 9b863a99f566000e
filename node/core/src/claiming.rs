//! Claims of sessions that are gone: when a companion has them expire, by its own clock. It speaks for
//! its own sessions alone. Of others it cannot know whether they are away or it is cut off itself, so
//! theirs hold until somebody wants the same paths.

use std::time::Duration;

use crate::claims::{Claim, ClaimsExpired, PATHS, PathsClaimed};
use crate::command::{Refusal, Speaker};
use crate::context::Context;
use crate::event::{Body, Origin};
use crate::id::{EventId, SessionId};
use crate::pairing::companion;
use crate::seat::Seat;
use crate::time::Timestamp;

/// How long a session of our own side may be gone: an agent host that restarts comes back sooner.
const GONE: Duration = Duration::from_secs(60);
/// How long a member may be away, or a session of ours after a start: a laptop that is closed over
/// lunch keeps its claims.
const AWAY: Duration = Duration::from_secs(3600);

impl Seat {
    /// Has claims expire that stand in the way of new ones and that nobody works under any more: of
    /// our own side those whose session is gone, of others those whose member is away for long.
    pub(crate) fn make_way(
        &mut self,
        by: Speaker,
        claimed: &PathsClaimed,
        context: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let (me, state) = (self.me(), self.room.state());
        // Who cannot have it all in the end takes nothing from anybody.
        state.check_policy(&me, &by.session, by.origin, &Body::PathsClaimed(claimed.clone()))?;
        let everything = state.may_claim_everything(by.origin);
        match state.claims.check_claim(&me, &by.session, everything, claimed) {
            Err(Refusal::PathTaken { .. }) => {}
            settled => return settled,
        }
        let taken = state.claims.taken(&me, &by.session, &claimed.paths);
        if !taken.iter().all(|taken| self.gives_way(&taken.claim, context)) {
            return Ok(());
        }
        let claims: Vec<EventId> = taken.into_iter().map(|taken| taken.claim.event).collect();
        claims.chunks(PATHS).try_for_each(|claims| {
            let claims = claims.to_vec();
            self.say(companion(), Body::ClaimsExpired(ClaimsExpired { claims }), context).map(drop)
        })
    }

    /// Takes note of claims whose session is gone, and has ours expire in time. Says whether
    /// everything that is due was said.
    pub(crate) fn watch_claims(&mut self, context: &mut Context<'_>) -> bool {
        let held = self.room.state().claims.held();
        let (stale, fresh): (Vec<&Claim>, Vec<&Claim>) = held.iter().partition(|claim| self.is_stale(claim));
        let stale: Vec<EventId> = stale.into_iter().map(|claim| claim.event).collect();
        let fresh: Vec<EventId> = fresh.into_iter().map(|claim| claim.event).collect();
        self.tending.stale.retain(|claim, _| stale.contains(claim));
        for claim in stale {
            let was_here = self.tending.fresh.contains(&claim);
            self.tending.stale.entry(claim).or_insert((context.now, was_here));
        }
        self.tending.fresh = fresh.into_iter().collect();
        let due = self.expiries_of_claims().filter(|(_, at)| *at <= context.now);
        let claims: Vec<EventId> = due.map(|(claim, _)| claim).collect();
        claims.is_empty() || self.say(companion(), Body::ClaimsExpired(ClaimsExpired { claims }), context).is_ok()
    }

    /// When the next claim of ours expires.
    pub(crate) fn next_stale(&self) -> Option<Timestamp> {
        self.expiries_of_claims().map(|(_, at)| at).min()
    }

    fn expiries_of_claims(&self) -> impl Iterator<Item = (EventId, Timestamp)> + '_ {
        let me = self.me();
        self.tending.stale.iter().filter_map(move |(id, (since, was_here))| {
            let ours = self.room.state().claims.get(id)?.member == me;
            ours.then(|| (*id, *since + if *was_here { GONE } else { AWAY }))
        })
    }

    fn gives_way(&self, claim: &Claim, context: &Context<'_>) -> bool {
        let long = || self.tending.stale.get(&claim.event).is_some_and(|(since, _)| context.now >= *since + AWAY);
        self.is_stale(claim) && (claim.member == self.me() || long())
    }

    /// Is nobody there who made this claim? What a human claimed holds until a human gives it up.
    fn is_stale(&self, claim: &Claim) -> bool {
        let live = |session: &SessionId| self.reading.live().any(|live| live.session == *session);
        claim.origin == Origin::Agent
            && if claim.member == self.me() { !live(&claim.session) } else { !self.links.contains_key(&claim.member) }
    }
}
