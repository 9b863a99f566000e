//! Claims of sessions that are gone: when a companion has them expire, by its own clock.

use std::time::Duration;

use crate::claims::{Claim, ClaimsExpired};
use crate::command::{Refusal, Speaker};
use crate::context::Context;
use crate::event::{Body, Origin};
use crate::id::{EventId, SessionId};
use crate::pairing::companion;
use crate::seat::Seat;
use crate::time::Timestamp;

/// How long a session of our own side may be gone: an agent host that restarts comes back sooner.
const GONE: Duration = Duration::from_secs(60);
/// How long a member may be away: a laptop that is closed over lunch keeps its claims.
const AWAY: Duration = Duration::from_secs(3600);

impl Seat {
    /// What sessions of ours claimed that are not there any more is given up, so that the next session
    /// is not held up by the one before.
    pub(crate) fn give_up_gone(&mut self, by: Speaker, context: &mut Context<'_>) -> Result<(), Refusal> {
        let me = self.me();
        let held = self.room.state().claims.held().iter();
        let ours = held.filter(|claim| claim.member == me && claim.session != by.session && self.is_stale(claim));
        let claims: Vec<EventId> = ours.map(|claim| claim.event).collect();
        if claims.is_empty() {
            return Ok(());
        }
        self.say(companion(), Body::ClaimsExpired(ClaimsExpired { claims }), context).map(drop)
    }

    /// Takes note of claims whose session is gone, and has them expire in time. Says whether
    /// everything that is due was said.
    pub(crate) fn watch_claims(&mut self, context: &mut Context<'_>) -> bool {
        let held = self.room.state().claims.held().iter();
        let stale: Vec<EventId> = held.filter(|claim| self.is_stale(claim)).map(|claim| claim.event).collect();
        self.tending.stale.retain(|claim, _| stale.contains(claim));
        for claim in stale {
            self.tending.stale.entry(claim).or_insert(context.now);
        }
        let claims: Vec<EventId> = self.stale().filter(|(_, at)| *at <= context.now).map(|(claim, _)| claim).collect();
        claims.is_empty() || self.say(companion(), Body::ClaimsExpired(ClaimsExpired { claims }), context).is_ok()
    }

    /// When the next claim expires, as far as this companion is the one to say so.
    pub(crate) fn next_stale(&self) -> Option<Timestamp> {
        self.stale().map(|(_, at)| at).min()
    }

    fn stale(&self) -> impl Iterator<Item = (EventId, Timestamp)> + '_ {
        let me = self.me();
        self.tending.stale.iter().filter_map(move |(id, since)| {
            let claim = self.room.state().claims.get(id)?;
            let ours = claim.member == me;
            (ours || self.is_my_turn_to_release()).then(|| (*id, *since + if ours { GONE } else { AWAY }))
        })
    }

    /// Is nobody there who made this claim? What a human claimed holds until a human gives it up.
    fn is_stale(&self, claim: &Claim) -> bool {
        let live = |session: &SessionId| self.reading.live().any(|live| live.session == *session);
        claim.origin == Origin::Agent
            && if claim.member == self.me() { !live(&claim.session) } else { !self.links.contains_key(&claim.member) }
    }
}
