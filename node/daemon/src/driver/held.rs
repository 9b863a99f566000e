//! What must not happen before something is durable waits here, in order.

use std::collections::{BTreeSet, VecDeque};

use pairwave_core::command::Refusal;
use pairwave_core::effect::Effect;
use pairwave_core::input::LinkId;

use crate::store::Refused;

/// Effects behind writes that are under way.
#[derive(Debug, Default)]
pub(super) struct Held {
    submitted: u64,
    settled: u64,
    waiting: VecDeque<(u64, Effect)>,
}

/// What a settled write lets go.
#[derive(Debug, Default)]
pub(super) struct Released {
    pub effects: Vec<Effect>,
    /// Links on which something was to be said that must not be: what follows there makes no sense.
    pub broken: BTreeSet<LinkId>,
}

impl Held {
    /// A write is under way: what comes now waits for it.
    pub fn submitted(&mut self, number: u64) {
        self.submitted = self.submitted.max(number);
    }

    /// Hands an effect back if nothing is under way, and keeps it otherwise.
    pub fn push(&mut self, effect: Effect) -> Option<Effect> {
        if self.is_settled() && self.waiting.is_empty() {
            return Some(effect);
        }
        self.waiting.push_back((self.submitted, effect));
        None
    }

    /// Nothing is under way.
    pub fn is_settled(&self) -> bool {
        self.settled >= self.submitted
    }

    /// Lets go what waited for writes up to `through`. Where one was refused, all that was said
    /// since may rest on it: nobody is told that it succeeded, and nothing of it is sent.
    pub fn settle(&mut self, through: u64, refused: Option<&Refused>) -> Released {
        self.settled = self.settled.max(through);
        let mut released = Released::default();
        let safe = refused.map_or(through, |refused| through.min(refused.first.saturating_sub(1)));
        let safe = self.waiting.partition_point(|(barrier, _)| *barrier <= safe);
        released.effects.extend(self.waiting.drain(..safe).map(|(_, effect)| effect));
        if let Some(refused) = refused {
            self.waiting.drain(..).for_each(|(_, effect)| released.refuse(effect, &refused.why));
        }
        released
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
            effect => self.effects.push(effect),
        }
    }
}

#[cfg(test)]
mod tests {
    use pairwave_core::command::{Outcome, Token};
    use pairwave_core::id::RoomId;

    use super::*;

    fn reply(token: u64) -> Effect {
        Effect::Reply { token: Token(token), result: Ok(Outcome::Done) }
    }

    fn send(link: u64) -> Effect {
        Effect::Send { link: LinkId(link), frame: vec![1] }
    }

    fn refused(first: u64) -> Refused {
        Refused { first, appends: vec![(RoomId([1; 32]), first)], why: "full".into() }
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
        assert!(held.push(reply(1)).is_some(), "nothing is under way");
        held.submitted(1);
        assert!(held.push(reply(2)).is_none());
        held.submitted(2);
        assert!(held.push(reply(3)).is_none());
        assert_eq!(replies(&held.settle(1, None)), [(2, true)]);
        assert!(held.push(reply(4)).is_none(), "it comes after what still waits");
        assert_eq!(replies(&held.settle(2, None)), [(3, true), (4, true)]);
        assert!(held.is_settled());
        assert!(held.push(reply(5)).is_some());
    }

    #[test]
    fn nobody_is_told_of_what_was_refused() {
        let mut held = Held::default();
        held.submitted(1);
        assert!(held.push(reply(1)).is_none());
        held.submitted(2);
        assert!(held.push(reply(2)).is_none());
        assert!(held.push(send(6)).is_none());
        held.submitted(3);
        assert!(held.push(reply(3)).is_none());
        let released = held.settle(2, Some(&refused(2)));
        assert_eq!(replies(&released), [(1, true), (2, false), (3, false)]);
        assert_eq!(released.broken, BTreeSet::from([LinkId(6)]));
        assert!(!released.effects.iter().any(|effect| matches!(effect, Effect::Send { .. })));
    }

    #[test]
    fn a_refusal_stays_a_refusal() {
        let mut held = Held::default();
        held.submitted(1);
        let no = Effect::Reply { token: Token(1), result: Err(Refusal::NoSuchRoom) };
        assert!(held.push(no).is_none());
        let released = held.settle(1, Some(&refused(1)));
        assert!(matches!(released.effects[..], [Effect::Reply { result: Err(Refusal::NoSuchRoom), .. }]));
    }
}
