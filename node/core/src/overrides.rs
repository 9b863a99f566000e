//! Overrides: a human lets one finding of the secret scan pass.

use pairwave_wire::limits;
use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{FindingId, MemberId, RoomId};
use crate::key::Identity;
use crate::shares::remember;

/// Most overrides that are remembered.
const OVERRIDES: usize = 1024;

/// A human looked at a finding of the author's companion and lets it pass. The secret is not here:
/// the id is a keyed hash that only that companion can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overridden {
    pub finding: FindingId,
    /// The rule that found it.
    pub rule: String,
}

impl Identity {
    /// Names a finding, so that nobody else can tell from the name what was found.
    pub fn finding(&self, room: Option<&RoomId>, rule: &str, secret: &[u8]) -> FindingId {
        let room = room.map_or(&[][..], |room| &room.0);
        let hash = self.keyed(b"pairwave-finding-v1", &[room, rule.as_bytes(), secret]);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        FindingId(id)
    }
}

/// Findings that may pass, by whose companion found them, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    made: Vec<(MemberId, FindingId)>,
}

impl Overrides {
    /// May this finding of this member's companion pass?
    pub fn lets_pass(&self, member: &MemberId, finding: &FindingId) -> bool {
        self.made.contains(&(*member, *finding))
    }

    pub(crate) fn check(&self, origin: Origin, overridden: &Overridden) -> Result<(), Refusal> {
        let (got, max) = (overridden.rule.len(), limits::NAME);
        if origin != Origin::Human {
            return Err(Refusal::HumansOnly);
        }
        if got > max {
            return Err(Refusal::TooLong { field: "rule", got, max });
        }
        Ok(())
    }

    pub(crate) fn apply(&mut self, event: &Event, overridden: &Overridden) -> Result<(), Refusal> {
        self.check(event.origin, overridden)?;
        if !self.lets_pass(&event.author, &overridden.finding) {
            remember(&mut self.made, (event.author, overridden.finding), OVERRIDES, |(member, _)| *member);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::sample::{ALICE, MALLORY, event};

    fn say(overrides: &mut Overrides, by: MemberId, origin: Origin, number: u16) -> Result<(), Refusal> {
        let mut finding = [0; 16];
        finding[..2].copy_from_slice(&number.to_be_bytes());
        let overridden = Overridden { finding: FindingId(finding), rule: "token".into() };
        overrides.apply(&event(by, origin, Body::Overridden(overridden.clone())), &overridden)
    }

    #[test]
    fn an_agent_overrides_nothing_and_a_flood_takes_nobodys_away() {
        let mut overrides = Overrides::default();
        assert_eq!(say(&mut overrides, ALICE, Origin::Agent, 0), Err(Refusal::HumansOnly));
        say(&mut overrides, ALICE, Origin::Human, 0).unwrap();
        (0..3000).for_each(|number| say(&mut overrides, MALLORY, Origin::Human, number).unwrap());
        assert!(overrides.lets_pass(&ALICE, &FindingId([0; 16])));
        assert_eq!(overrides.made.len(), OVERRIDES);
    }
}
