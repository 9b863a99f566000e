//! The gate: what may be said when, by position in the order. Between people, everything but chat,
//! questions, answers and status needs verified members and an agreed charter; what pushes needs the
//! floor; what agents say to each other is counted. Brain and git need no floor, and are no messages.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::event::{Body, Event, Origin};
use crate::id::{EventId, MemberId, SessionId};
use crate::state::RoomState;
use crate::talk::Kind;
use crate::verification::Verification;

/// Who is in the room at this position of the order, and whether they are verified to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    members: BTreeSet<MemberId>,
    verified: bool,
}

/// What a body needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Verified members and an agreed charter.
    pub gate: bool,
    pub floor: bool,
    /// Is it a message to others, counted where an agent says it?
    pub hop: bool,
    /// Is an agent held to a pace in saying it?
    pub rated: bool,
    /// May an agent say it again at once, word by word?
    pub repeats: bool,
}

impl Needs {
    const NOTHING: Self = Self { gate: false, floor: false, hop: false, rated: false, repeats: true };
    const GATE: Self = Self { gate: true, ..Self::NOTHING };
    const TALK: Self = Self { hop: true, rated: true, repeats: false, ..Self::NOTHING };
    const PUSH: Self = Self { gate: true, floor: true, ..Self::TALK };
    /// What is for the others to find, and wakes nobody.
    const NOTE: Self = Self { rated: true, repeats: false, ..Self::GATE };
    /// What holds until it is said otherwise, and may come to hold again.
    const STANDING: Self = Self { rated: true, ..Self::GATE };

    /// What saying this needs.
    pub fn of(body: &Body) -> Self {
        match body {
            Body::Message(message) => match message.kind {
                Kind::Answer | Kind::Chat | Kind::Question | Kind::Status => Self::TALK,
                Kind::Context | Kind::Decision | Kind::Finding | Kind::Handoff | Kind::Review | Kind::Summary => {
                    Self::PUSH
                }
            },
            Body::Requested(_) | Body::Shared(_) => Self::PUSH,
            // Their texts reach the others as a message does.
            Body::CharterProposed(_) | Body::CharterDeclined(_) => Self::TALK,
            Body::FloorClaimed(_) => Self::GATE,
            Body::Remembered(_) => Self::NOTE,
            Body::GitSetUp(_) | Body::Committed(_) | Body::PathsClaimed(_) => Self::STANDING,
            _ => Self::NOTHING,
        }
    }
}

impl Gate {
    /// Members at this position.
    pub fn members(&self) -> &BTreeSet<MemberId> {
        &self.members
    }

    /// Is there nobody else in the room?
    pub fn is_alone(&self) -> bool {
        self.members.len() <= 1
    }

    /// Are all members verified to each other?
    pub fn is_verified(&self) -> bool {
        self.verified
    }
}

impl RoomState {
    /// May this be said now? Both the sender's companion and every receiver's fold ask.
    pub fn check_policy(&self, by: &MemberId, session: &SessionId, origin: Origin, body: &Body) -> Result<(), Refusal> {
        // Who says it wrongly is told what is wrong first: it stays wrong whoever agrees.
        if let Body::Message(message) = body {
            message.check()?;
        } else if let Body::Remembered(remembered) = body {
            remembered.check()?;
        }
        let needs = Needs::of(body);
        let alone = self.gate.is_alone();
        if needs.gate && !alone {
            if !self.gate.verified {
                return Err(Refusal::Unverified);
            }
            if self.charters.in_force().is_none() {
                return Err(Refusal::NoCharter);
            }
        }
        if needs.hop && origin == Origin::Agent && !alone {
            self.hops.check(self.charters.max_hops())?;
        }
        if needs.floor { self.floor.check_push(by, session, alone) } else { Ok(()) }
    }

    /// An agent leaves something to others where there are others.
    pub(crate) fn may_claim_everything(&self, origin: Origin) -> bool {
        origin == Origin::Human || self.gate.is_alone()
    }

    /// An event had effect: what that means for what comes after it.
    pub(crate) fn follow(&mut self, event: &Event, id: EventId) {
        let needs = Needs::of(&event.body);
        if event.origin == Origin::Agent && needs.hop && !self.gate.is_alone() {
            self.hops.hop();
        }
        if event.origin == Origin::Agent && needs.floor {
            let sums_up = matches!(&event.body, Body::Message(message) if message.kind == Kind::Summary);
            self.hops.turn(event.author, sums_up);
        }
        if needs.floor {
            self.floor.pushed(event);
        }
        self.hops.heard(event);
        let changed = self.gate.follow(event, &self.verification);
        if let Body::Removed(removed) = &event.body {
            self.gone(&removed.member, id);
        } else if let Body::Left(_) = &event.body {
            self.gone(&event.author, id);
        }
        if changed {
            self.charters.follow(&self.gate.members, self.gate.verified);
        }
    }

    /// A member left or was removed.
    fn gone(&mut self, member: &MemberId, id: EventId) {
        self.floor.gone(member, id);
        self.claims.gone(member);
        self.git.gone(member);
    }
}

impl Gate {
    fn follow(&mut self, event: &Event, verification: &Verification) -> bool {
        match &event.body {
            Body::Genesis(_) => _ = self.members.insert(event.author),
            Body::Admitted(admitted) => _ = self.members.insert(admitted.member),
            Body::Removed(removed) => _ = self.members.remove(&removed.member),
            Body::Left(_) => _ = self.members.remove(&event.author),
            Body::Verified(_) => (),
            _ => return false,
        }
        self.verified = verification.joins_all(&self.members);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::talk::Message;

    #[test]
    fn four_kinds_of_message_need_neither_charter_nor_floor_and_all_are_hops() {
        let free = Kind::ALL.into_iter().filter(|kind| {
            let needs = Needs::of(&Body::Message(Message::new(*kind, "x")));
            assert!(needs.hop && needs.gate == needs.floor);
            !needs.gate
        });
        assert_eq!(free.collect::<Vec<_>>(), [Kind::Answer, Kind::Chat, Kind::Question, Kind::Status]);
    }

    #[test]
    fn an_empty_room_is_not_verified() {
        assert!(!Gate::default().is_verified() && Gate::default().is_alone());
    }
}
