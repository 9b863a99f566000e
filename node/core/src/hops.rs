//! Hops: how many messages agents exchanged since a human last did something, so that two of them
//! cannot run away together; and how many an agent's side has said since it last summed up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{MemberId, SessionId};

/// A human gave its agent a prompt, as the host reported to this companion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompted {}

/// What agents said since a human did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hops {
    count: u32,
    /// What each member's agents pushed since its last summary.
    turns: BTreeMap<MemberId, u32>,
}

impl Hops {
    /// Messages of agents since a human last did something.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// What a member's agents pushed since its last summary.
    pub fn turns(&self, member: &MemberId) -> u32 {
        self.turns.get(member).copied().unwrap_or(0)
    }

    pub(crate) fn check(&self, max: u32) -> Result<(), Refusal> {
        if self.count >= max { Err(Refusal::HopsSpent { max }) } else { Ok(()) }
    }

    /// An agent said something to others.
    pub(crate) fn hop(&mut self) {
        self.count = self.count.saturating_add(1);
    }

    /// An agent pushed something; `sums_up` if it was a summary.
    pub(crate) fn turn(&mut self, member: MemberId, sums_up: bool) {
        let turns = self.turns.entry(member).or_default();
        *turns = if sums_up { 0 } else { turns.saturating_add(1) };
    }

    /// Something had effect: a human's act begins the count anew.
    pub(crate) fn heard(&mut self, event: &Event) {
        if event.origin == Origin::Human && event.session != SessionId::COMPANION {
            self.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::sample::{ALICE, BOB, event};

    #[test]
    fn a_human_begins_the_count_anew_and_a_companion_does_not() {
        let mut hops = Hops::default();
        (0..3).for_each(|_| hops.hop());
        assert_eq!(hops.check(3), Err(Refusal::HopsSpent { max: 3 }));
        let mut own = event(ALICE, Origin::Human, Body::Prompted(Prompted {}));
        own.session = SessionId::COMPANION;
        hops.heard(&own);
        hops.heard(&event(ALICE, Origin::Agent, Body::Prompted(Prompted {})));
        assert_eq!(hops.count(), 3);
        hops.heard(&event(ALICE, Origin::Human, Body::Prompted(Prompted {})));
        assert_eq!((hops.count(), hops.check(1)), (0, Ok(())));
    }

    #[test]
    fn a_summary_begins_the_turns_of_its_side_anew() {
        let mut hops = Hops::default();
        for member in [ALICE, ALICE, BOB] {
            hops.turn(member, false);
        }
        hops.turn(ALICE, true);
        assert_eq!((hops.turns(&ALICE), hops.turns(&BOB)), (0, 1));
    }
}
