//! What a companion does for a room by itself, because time has made it true: it gives up requests
//! that waited too long, releases the floor of a member that is away, and has our own claims expire
//! whose session is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::actions::{Expired, LIFETIME, RequestState};
use crate::context::Context;
use crate::event::Body;
use crate::floor::FloorReleased;
use crate::id::EventId;
use crate::pairing::companion;
use crate::seat::Seat;
use crate::time::Timestamp;

/// How long a holder of the floor may be away.
const AWAY: Duration = Duration::from_secs(60);
/// The least time that a request to us waits here.
const SOONEST: Duration = Duration::from_secs(3600);
/// How long to wait after something could not be said.
const PAUSE: Duration = Duration::from_secs(5);

/// What this companion watches by its own clock.
#[derive(Debug, Default)]
pub(crate) struct Tending {
    /// The floor as it was given to a member that is away, and since when it is.
    away: Option<(EventId, Timestamp)>,
    /// What could not be said is not tried again before this.
    paused: Option<Timestamp>,
    /// Requests to us that wait for an answer, and when we first saw them: their author's clock may
    /// be wrong.
    seen: BTreeMap<EventId, Timestamp>,
    /// Claims whose session is gone, since when, and whether it was here before.
    pub(crate) stale: BTreeMap<EventId, (Timestamp, bool)>,
    /// Claims whose session is here.
    pub(crate) fresh: BTreeSet<EventId>,
}

impl Seat {
    /// Does what is due, and takes note of who is away.
    pub(crate) fn tend(&mut self, context: &mut Context<'_>) {
        if self.tending.paused.is_some_and(|until| context.now < until) {
            return;
        }
        self.notice_requests(context);
        let able =
            self.room.is_settled() && self.room.is_member(&self.me()) && self.check_recovered(context.now).is_ok();
        let done = able && {
            let told = [self.expire_requests(context), self.watch_holder(context), self.watch_claims(context)];
            told.into_iter().all(|told| told)
        };
        self.tending.paused = (!done).then_some(context.now + PAUSE);
    }

    pub(crate) fn poll_tend(&self) -> Option<Timestamp> {
        if !self.room.is_member(&self.me()) {
            return None;
        }
        let expiry = self.expiries().map(|(at, _)| at).min();
        let release = self.tending.away.filter(|_| self.is_my_turn_to_release()).map(|(_, since)| since + AWAY);
        let due = expiry.into_iter().chain(release).chain(self.next_stale()).min();
        due.map(|at| self.tending.paused.map_or(at, |until| at.max(until)))
    }

    /// Has the member that was given the floor by this event been away for long?
    pub(crate) fn is_long_gone(&self, held: EventId, context: &Context<'_>) -> bool {
        self.tending.away.is_some_and(|(of, since)| of == held && context.now >= since + AWAY)
    }

    /// Open requests of ours or to us, and when they have waited too long.
    fn expiries(&self) -> impl Iterator<Item = (Timestamp, EventId)> + '_ {
        let me = self.me();
        let pending = self.room.state().actions.pending();
        let open = pending.filter(move |(_, request)| request.by == me || request.to == me);
        open.map(|(id, request)| (self.expiry(id, request.asked), *id))
    }

    /// By the asker's clock; where that disagrees with ours, no later than a lifetime after we saw
    /// it, and no sooner than an hour.
    fn expiry(&self, request: &EventId, asked: Timestamp) -> Timestamp {
        let told = asked + LIFETIME;
        self.tending.seen.get(request).map_or(told, |seen| told.clamp(*seen + SOONEST, *seen + LIFETIME))
    }

    fn notice_requests(&mut self, context: &Context<'_>) {
        let me = self.me();
        let actions = &self.room.state().actions;
        self.tending
            .seen
            .retain(|id, _| actions.get(id).is_some_and(|request| request.state() == RequestState::Pending));
        for (id, _) in actions.pending().filter(|(_, request)| request.to == me && request.by != me) {
            self.tending.seen.entry(*id).or_insert(context.now);
        }
    }

    /// Says whether everything that is due was said.
    fn expire_requests(&mut self, context: &mut Context<'_>) -> bool {
        let due: Vec<EventId> =
            self.expiries().filter(|(at, _)| *at <= context.now).map(|(_, request)| request).collect();
        due.into_iter().all(|request| self.say(companion(), Body::Expired(Expired { request }), context).is_ok())
    }

    /// Says whether everything that is due was said.
    fn watch_holder(&mut self, context: &mut Context<'_>) -> bool {
        let me = self.me();
        let holder = self.room.state().floor.holder().filter(|holder| holder.member != me);
        let away = holder.filter(|holder| !self.links.contains_key(&holder.member)).map(|holder| holder.held);
        self.tending.away = match (away, self.tending.away) {
            (Some(held), Some((of, since))) if of == held => Some((held, since)),
            (Some(held), _) => Some((held, context.now)),
            (None, _) => None,
        };
        let due = away.filter(|held| self.is_long_gone(*held, context) && self.is_my_turn_to_release());
        due.is_none_or(|held| self.say(companion(), Body::FloorReleased(FloorReleased { held }), context).is_ok())
    }

    /// One of those who are there releases the floor, so that it is said once.
    fn is_my_turn_to_release(&self) -> bool {
        let me = self.me();
        let there = self.room.members().filter(|member| self.links.contains_key(member));
        there.chain([me]).min() == Some(me)
    }
}
