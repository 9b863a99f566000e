//! What must not happen before something is durable waits here, in order.

use std::collections::{BTreeSet, VecDeque};

use pairwave_core::command::Refusal;
use pairwave_core::effect::Effect;
use pairwave_core::id::RoomId;
use pairwave_core::input::{Input, LinkId};

use crate::store::Refused;

/// Effects behind writes that are under way.
#[derive(Debug, Default)]
pub(super) struct Held {
    submitted: u64,
    settled: u64,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// The write that it waits for.
    barrier: u64,
    /// What a reply is about.
    room: Option<RoomId>,
    effect: Effect,
}

/// What a settled write lets go.
#[derive(Debug, Default)]
pub(super) struct Released {
    pub effects: Vec<Effect>,
    /// Links on which something was to be said that must not be: what follows there makes no sense.
    pub broken: BTreeSet<LinkId>,
    /// What relays were not asked for: a ratchet must not speak before it is saved.
    pub unasked: Vec<Input>,
}

impl Held {
    /// A write is under way: what comes now waits for it.
    pub fn submitted(&mut self, number: u64) {
        self.submitted = self.submitted.max(number);
    }

    /// Hands an effect back if nothing is under way, and keeps it otherwise. `room` is what a reply
    /// is about.
    pub fn push(&mut self, effect: Effect, room: Option<RoomId>) -> Option<Effect> {
        if self.is_settled() && self.waiting.is_empty() {
            return Some(effect);
        }
        self.waiting.push_back(Waiting { barrier: self.submitted, room, effect });
        None
    }

    /// Nothing is under way.
    pub fn is_settled(&self) -> bool {
        self.settled >= self.submitted
    }

    /// Lets go what waited for writes up to `through`. Where one was refused, what was said since may
    /// rest on it: nobody who asked in its room is told that it succeeded, and nothing is sent. Who
    /// asked in another room goes on waiting for its own writes.
    pub fn settle(&mut self, through: u64, refused: Option<&Refused>) -> Released {
        self.settled = self.settled.max(through);
        let mut released = Released::default();
        let safe = refused.map_or(through, |refused| through.min(refused.first.saturating_sub(1)));
        let safe = self.waiting.partition_point(|waiting| waiting.barrier <= safe);
        released.effects.extend(self.waiting.drain(..safe).map(|waiting| waiting.effect));
        let Some(refused) = refused else { return released };
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.rests_on(through, refused) {
                released.refuse(waiting.effect, &refused.why);
            } else if waiting.barrier <= through {
                released.effects.push(waiting.effect);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        released
    }
}

impl Waiting {
    /// Only of a reply it is known which room it is about. That a link breaks without need costs
    /// little: it comes up again.
    fn rests_on(&self, through: u64, refused: &Refused) -> bool {
        if !matches!(self.effect, Effect::Reply { .. }) || (refused.entire && self.barrier <= through) {
            return true;
        }
        self.room.is_none_or(|room| refused.appends.iter().any(|(closed, _)| *closed == room))
    }
}

impl Released {
    fn refuse(&mut self, effect: Effect, why: &str) {
        match effect {
            Effect::Reply { token, result: Ok(_) } => {
                let result = Err(Refusal::StoreFailed { why: why.to_owned() });
                self.effects.push(Effect::Reply { token, result });
            }
            Effect::Send { link, .. } => {
                self.broken.insert(link);
            }
            Effect::Mail { id, .. } => self.unasked.push(Input::Mailed { id, answer: None }),
            effect => self.effects.push(effect),
        }
    }
}

#[cfg(test)]
mod tests {
    use pairwave_core::command::{Outcome, Token};

    use super::*;

    fn reply(token: u64) -> Effect {
        Effect::Reply { token: Token(token), result: Ok(Outcome::Done) }
    }

    fn send(link: u64) -> Effect {
        Effect::Send { link: LinkId(link), frame: vec![1] }
    }

    const ROOM: RoomId = RoomId([1; 32]);
    const OTHER: RoomId = RoomId([2; 32]);

    fn refused(first: u64) -> Refused {
        Refused { first, entire: true, appends: vec![(ROOM, first)], why: "full".into() }
    }

    impl Held {
        fn keeps(&mut self, number: u64, effect: Effect, room: RoomId) {
            self.submitted(number);
            assert!(self.push(effect, Some(room)).is_none());
        }
    }

    fn replies(released: &Released) -> Vec<(u64, bool)> {
        let reply = |effect: &Effect| match effect {
            Effect::Reply { token, result } => Some((token.0, result.is_ok())),
            _ => None,
        };
        released.effects.iter().filter_map(reply).collect()
    }

    #[test]
    fn write_then_speak() {
        let mut held = Held::default();
        assert!(held.push(reply(1), Some(ROOM)).is_some(), "nothing is under way");
        held.submitted(1);
        assert!(held.push(reply(2), Some(ROOM)).is_none());
        held.submitted(2);
        assert!(held.push(reply(3), Some(ROOM)).is_none());
        assert_eq!(replies(&held.settle(1, None)), [(2, true)]);
        assert!(held.push(reply(4), Some(ROOM)).is_none(), "it comes after what still waits");
        assert_eq!(replies(&held.settle(2, None)), [(3, true), (4, true)]);
        assert!(held.is_settled());
        assert!(held.push(reply(5), Some(ROOM)).is_some());
    }

    #[test]
    fn nobody_is_told_of_what_was_refused() {
        let mut held = Held::default();
        held.submitted(1);
        assert!(held.push(reply(1), Some(ROOM)).is_none());
        held.submitted(2);
        assert!(held.push(reply(2), Some(ROOM)).is_none());
        assert!(held.push(send(6), Some(ROOM)).is_none());
        held.submitted(3);
        assert!(held.push(reply(3), Some(ROOM)).is_none());
        let released = held.settle(2, Some(&refused(2)));
        assert_eq!(replies(&released), [(1, true), (2, false), (3, false)]);
        assert_eq!(released.broken, BTreeSet::from([LinkId(6)]));
        assert!(!released.effects.iter().any(|effect| matches!(effect, Effect::Send { .. })));
    }

    #[test]
    fn who_asked_in_another_room_goes_on_waiting() {
        let mut held = Held::default();
        held.keeps(1, reply(1), ROOM);
        held.keeps(1, reply(2), OTHER);
        held.keeps(2, reply(3), OTHER);
        held.keeps(3, reply(4), ROOM);
        held.keeps(4, reply(5), OTHER);
        let released = held.settle(1, Some(&refused(1)));
        assert_eq!(replies(&released), [(1, false), (2, false), (4, false)], "nothing of 1 was written");
        let late = Refused { entire: false, ..refused(3) };
        assert_eq!(replies(&held.settle(4, Some(&late))), [(3, true), (5, true)], "3 alone was refused");
        assert!(held.is_settled());
    }

    #[test]
    fn a_refusal_stays_a_refusal() {
        let mut held = Held::default();
        held.submitted(1);
        let no = Effect::Reply { token: Token(1), result: Err(Refusal::NoSuchRoom) };
        assert!(held.push(no, Some(ROOM)).is_none());
        let released = held.settle(1, Some(&refused(1)));
        assert!(matches!(released.effects[..], [Effect::Reply { result: Err(Refusal::NoSuchRoom), .. }]));
    }
}
