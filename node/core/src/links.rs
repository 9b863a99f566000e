//! The streams of this companion: which to open to whom, and what each is about until it is a link
//! or a knock has its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pairwave_wire::TransportId;

use crate::id::{MemberId, RoomId};
use crate::input::{LinkId, Protocol};
use crate::knock::{Knocker, Porter};
use crate::link::{Acceptor, Opener};
use crate::time::Timestamp;

/// First pause before a stream that ended is opened anew.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause before a stream that ended is opened anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most companions that are remembered as strange.
const STRANGERS: usize = 1024;

/// What a stream is about.
pub(crate) enum Phase {
    /// Being opened, to speak of this room.
    OpeningLink {
        room: RoomId,
    },
    /// Being opened, to knock at this room.
    OpeningKnock {
        room: RoomId,
    },
    Opener(Opener),
    /// Accepted; nothing was heard yet.
    AcceptedLink,
    Acceptor(Acceptor),
    Knocker {
        room: RoomId,
        knocker: Knocker,
    },
    /// Accepted; nothing was heard yet.
    AcceptedKnock,
    Porter {
        room: RoomId,
        porter: Porter,
    },
    /// A link of this room with this member.
    Live {
        room: RoomId,
        member: MemberId,
    },
    /// Everything was said; the other side may still read.
    Ending,
}

/// One stream.
pub(crate) struct Stream {
    pub peer: TransportId,
    pub phase: Phase,
    pub since: Timestamp,
}

/// One companion, for one room, by one protocol.
pub(crate) type Goal = (RoomId, TransportId, Protocol);

/// Trying to reach one companion for one room.
#[derive(Debug, Default)]
struct Attempt {
    failures: u32,
    due: Timestamp,
    /// The stream of this attempt, while there is one.
    stream: Option<LinkId>,
    /// A better connection than that of the stream has come up.
    outpaced: bool,
}

/// All streams and attempts.
#[derive(Default)]
pub(crate) struct Links {
    opened: u64,
    streams: BTreeMap<LinkId, Stream>,
    attempts: BTreeMap<Goal, Attempt>,
    strangers: BTreeMap<TransportId, Timestamp>,
    /// Streams over circuits with small limits.
    small: BTreeSet<LinkId>,
}

impl Links {
    /// The stream runs over a circuit with small limits.
    pub fn mark_small(&mut self, link: LinkId) {
        if self.streams.contains_key(&link) {
            self.small.insert(link);
        }
    }

    pub fn is_small(&self, link: &LinkId) -> bool {
        self.small.contains(link)
    }

    pub fn get(&self, link: &LinkId) -> Option<&Stream> {
        self.streams.get(link)
    }

    /// Takes the stream's phase out, to be put back by [`Self::set`] unless the stream is over.
    pub fn take(&mut self, link: &LinkId) -> Option<Stream> {
        self.streams.remove(link)
    }

    pub fn set(&mut self, link: LinkId, stream: Stream) {
        self.streams.insert(link, stream);
    }

    /// A companion opened a stream.
    pub fn accepted(&mut self, link: LinkId, peer: TransportId, phase: Phase, now: Timestamp) {
        self.streams.insert(link, Stream { peer, phase, since: now });
    }

    /// Begins to open a stream.
    pub fn open(&mut self, goal: Goal, now: Timestamp) -> LinkId {
        self.opened += 2;
        let link = LinkId(self.opened);
        let (room, peer, protocol) = goal.clone();
        let phase = match protocol {
            Protocol::Room => Phase::OpeningLink { room },
            Protocol::Knock => Phase::OpeningKnock { room },
        };
        self.streams.insert(link, Stream { peer, phase, since: now });
        let attempt = self.attempts.entry(goal).or_default();
        (attempt.stream, attempt.outpaced) = (Some(link), false);
        link
    }

    /// May a stream be opened now?
    pub fn is_due(&self, goal: &Goal, now: Timestamp) -> bool {
        self.attempts.get(goal).is_none_or(|attempt| attempt.stream.is_none() && attempt.due <= now)
    }

    /// Is a stream of this goal on its way to become a link?
    pub fn is_opening(&self, goal: &Goal) -> bool {
        let stream = self.attempts.get(goal).and_then(|attempt| self.streams.get(&attempt.stream?));
        stream.is_some_and(Stream::is_unproved)
    }

    /// A better connection has come up. A stream of this goal that is on its way to become a link is to move
    /// when it is one; says whether there is such a stream.
    pub fn outpaced(&mut self, goal: &Goal) -> bool {
        let is_opening = self.is_opening(goal);
        if let Some(attempt) = self.attempts.get_mut(goal).filter(|_| is_opening) {
            attempt.outpaced = true;
        }
        is_opening
    }

    /// How often this goal was tried in vain of late.
    pub fn failures(&self, goal: &Goal) -> u32 {
        self.attempts.get(goal).map_or(0, |attempt| attempt.failures)
    }

    /// The attempt led to a link. Says whether a better connection for it has come up.
    pub fn succeeded(&mut self, goal: &Goal) -> bool {
        let Some(attempt) = self.attempts.get_mut(goal) else { return false };
        attempt.failures = 0;
        std::mem::take(&mut attempt.outpaced)
    }

    /// Not before `due`.
    pub fn postpone(&mut self, goal: Goal, due: Timestamp) {
        let attempt = self.attempts.entry(goal).or_default();
        attempt.due = attempt.due.max(due);
    }

    /// Forgets earlier failures to reach this goal.
    pub fn encourage(&mut self, goal: &Goal) {
        self.attempts.remove(goal);
        self.strangers.remove(&goal.1);
    }

    /// The stream is no more; its attempt may begin anew after a while.
    pub fn ended(&mut self, link: &LinkId, now: Timestamp) {
        self.streams.remove(link);
        self.small.remove(link);
        if let Some(attempt) = self.attempts.values_mut().find(|attempt| attempt.stream == Some(*link)) {
            let pause = FIRST_PAUSE.saturating_mul(1 << attempt.failures.min(10)).min(LONGEST_PAUSE);
            attempt.stream = None;
            attempt.failures = attempt.failures.saturating_add(1);
            attempt.due = attempt.due.max(now + pause);
        }
    }

    /// The stream is no more, and nobody is to be told.
    pub fn forget(&mut self, link: &LinkId) {
        self.ended(link, Timestamp(0));
    }

    /// Ends the streams of links that are none any more: replaced, or to somebody who was removed.
    pub fn end_unless(&mut self, is_live: impl Fn(&RoomId, &MemberId, LinkId) -> bool, now: Timestamp) {
        let over = self.streams.iter().filter(|(link, stream)| match &stream.phase {
            Phase::Live { room, member } => !is_live(room, member, **link),
            _ => false,
        });
        let over: Vec<LinkId> = over.map(|(link, _)| *link).collect();
        over.iter().for_each(|link| self.ended(link, now));
    }

    /// What was given up may be tried at once.
    pub fn restart(&mut self, now: Timestamp) {
        self.strangers.clear();
        for attempt in self.attempts.values_mut() {
            attempt.failures = 0;
            attempt.due = attempt.due.min(now);
        }
    }

    /// This companion has nothing to do with any room here, until then.
    pub fn strange(&mut self, peer: TransportId, until: Timestamp) {
        if self.strangers.len() >= STRANGERS {
            self.strangers.pop_first();
        }
        self.strangers.insert(peer, until);
    }

    pub fn is_strange(&self, peer: &TransportId, now: Timestamp) -> bool {
        self.strangers.get(peer).is_some_and(|until| *until > now)
    }

    /// Streams that had their time to prove who is there.
    pub fn too_slow(&self, patience: Duration, now: Timestamp) -> Vec<LinkId> {
        let slow = self.streams.iter().filter(|(_, stream)| stream.is_unproved() && stream.since + patience <= now);
        slow.map(|(link, _)| *link).collect()
    }

    pub fn poll_timeout(&self, patience: Duration) -> Option<Timestamp> {
        let unproved =
            self.streams.values().filter(|stream| stream.is_unproved()).map(|stream| stream.since + patience);
        let idle = self.attempts.values().filter(|attempt| attempt.stream.is_none() && attempt.due > Timestamp(0));
        let strangers = self.strangers.values().copied();
        unproved.chain(idle.map(|attempt| attempt.due)).chain(strangers).min()
    }

    /// Drops what has run out, so that it wakes nobody up again.
    pub fn expire(&mut self, now: Timestamp) {
        self.strangers.retain(|_, until| *until > now);
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.due <= now) {
            attempt.due = Timestamp(0);
        }
        self.attempts
            .retain(|_, attempt| attempt.stream.is_some() || attempt.due > Timestamp(0) || attempt.failures > 0);
    }
}

impl Stream {
    fn is_unproved(&self) -> bool {
        !matches!(self.phase, Phase::Live { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::BOB;

    #[test]
    fn a_better_connection_that_comes_during_the_handshake_is_taken_after_it() {
        let (room, peer) = (RoomId([1; 32]), TransportId::new([0, 1, 2]).unwrap());
        let goal = (room, peer.clone(), Protocol::Room);
        let mut links = Links::default();
        assert!(!links.outpaced(&goal));
        let link = links.open(goal.clone(), Timestamp(0));
        assert!(links.outpaced(&goal));
        links.accepted(link, peer, Phase::Live { room, member: BOB }, Timestamp(0));
        assert!(links.succeeded(&goal));
        assert!(!links.succeeded(&goal) && !links.outpaced(&goal), "it is told once");
        links.open(goal.clone(), Timestamp(0));
        assert!(!links.succeeded(&goal), "a new stream takes the best connection there is");
    }
}
