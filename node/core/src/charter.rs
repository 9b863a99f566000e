//! The charter: what the members agreed to do, and not to do, before their agents push.
//!
//! A charter is agreed when every member has accepted the same text, and all of them are verified to
//! each other. A further proposal takes its place, and until it is agreed nothing is; where somebody
//! declines it, the one before is in force again. Agents may agree to what binds them as much as the
//! charter before, or more; what allows them more is for humans.

use std::collections::{BTreeMap, BTreeSet};

use pairwave_wire::{cbor, limits};
use serde::{Deserialize, Serialize};

use crate::actions::Risk;
use crate::bounds::{few, filled, within};
use crate::command::Refusal;
use crate::event::{Event, Origin};
use crate::id::{CharterHash, EventId, MemberId};
use crate::key;
use crate::log::Position;
use crate::time::Timestamp;

/// Messages of agents without a human between, where no charter says otherwise.
pub const MAX_HOPS: u32 = 3;
/// Most hops that a charter may allow.
const HOPS: u32 = 100_000;
/// Minutes of live mode, where no charter says otherwise.
pub const LIVE_MINUTES: u32 = 20;
/// Most minutes of live mode that a charter may allow.
const MINUTES: u32 = 24 * 60;
/// Longest title and purpose of a charter in bytes.
const PURPOSE: usize = 4 * 1024;

/// Which requests a companion may approve by itself. Never those of high risk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoApprove {
    #[default]
    None,
    /// Those of low risk.
    Low,
    /// Those of low and of medium risk.
    All,
}

/// The text of a charter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    pub title: String,
    pub purpose: String,
    pub scope: Vec<String>,
    pub out_of_scope: Vec<String>,
    pub must_nots: Vec<String>,
    /// How the sides answer each other.
    pub response_contract: Vec<String>,
    pub auto_approve: AutoApprove,
    pub max_hops: u32,
    pub live_minutes: u32,
}

/// The author proposes a charter, and accepts it where it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterProposed {
    pub charter: Charter,
}

/// The author accepts the charter of this hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterAccepted {
    pub hash: CharterHash,
}

/// The author does not agree to the charter of this hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterDeclined {
    pub hash: CharterHash,
    pub reason: Option<String>,
}

/// The charters of a room: the newest, and the last one before it that was agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charters {
    newest: Option<Proposal>,
    before: Option<Proposal>,
    /// Whose acceptance counts: the members, if they are verified to each other.
    members: BTreeSet<MemberId>,
    verified: bool,
}

/// A charter that was proposed, and who thinks what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub event: EventId,
    pub by: MemberId,
    /// What the proposer's clock said.
    pub at: Timestamp,
    pub charter: Charter,
    pub hash: CharterHash,
    pub accepted: BTreeSet<MemberId>,
    /// Who declined, and why.
    pub declined: BTreeMap<MemberId, Option<String>>,
    /// Those of them that only a human can take back.
    declined_by_humans: BTreeSet<MemberId>,
    /// Only humans can agree to it.
    pub humans_only: bool,
    /// Was it in force once?
    was_agreed: bool,
}

/// Where the charter of a room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    None,
    /// Some have not accepted it, or are not verified.
    Proposed(&'a Proposal),
    Agreed(&'a Proposal),
}

impl AutoApprove {
    /// Does it let an agent approve what has this risk?
    pub fn covers(self, risk: Risk) -> bool {
        match self {
            Self::None => false,
            Self::Low => risk == Risk::Low,
            Self::All => risk < Risk::High,
        }
    }
}

impl Charter {
    /// Names the text: BLAKE2b-256 of its deterministic CBOR.
    pub fn hash(&self) -> CharterHash {
        let bytes = cbor::encode(self).expect("texts and integers always encode");
        CharterHash(key::hash(b"pairwave-charter-v1", &[&bytes]))
    }

    /// Does it allow agents more than a room without it? Then only humans can agree to it.
    pub fn widens(&self) -> bool {
        self.auto_approve != AutoApprove::None || self.max_hops > MAX_HOPS || self.live_minutes > LIVE_MINUTES
    }

    /// Does it allow agents more than this one, or drop a bound that is set there?
    pub fn loosens(&self, other: &Self) -> bool {
        let dropped = |before: &[String], now: &[String]| before.iter().any(|entry| !now.contains(entry));
        self.auto_approve > other.auto_approve
            || self.max_hops > other.max_hops
            || self.live_minutes > other.live_minutes
            || dropped(&other.must_nots, &self.must_nots)
            || dropped(&other.out_of_scope, &self.out_of_scope)
    }

    /// Checks forms and bounds.
    pub fn check(&self) -> Result<(), Refusal> {
        filled("title", &self.title, limits::TITLE)?;
        filled("purpose", &self.purpose, PURPOSE)?;
        list("scope", &self.scope)?;
        list("out_of_scope", &self.out_of_scope)?;
        list("must_nots", &self.must_nots)?;
        list("response_contract", &self.response_contract)?;
        at_most("max_hops", self.max_hops, HOPS)?;
        at_most("live_minutes", self.live_minutes, MINUTES)
    }
}

impl Charters {
    /// Where things stand.
    pub fn standing(&self) -> Standing<'_> {
        let in_question = self.in_question();
        match in_question {
            None => Standing::None,
            Some(proposal) if self.is_agreed(proposal) => Standing::Agreed(proposal),
            Some(proposal) => Standing::Proposed(proposal),
        }
    }

    /// The charter that is agreed, if one is.
    pub fn in_force(&self) -> Option<&Proposal> {
        self.in_question().filter(|proposal| self.is_agreed(proposal))
    }

    /// The newest proposal, also where it was declined.
    pub fn newest(&self) -> Option<&Proposal> {
        self.newest.as_ref()
    }

    /// Messages of agents that there may be without a human between. A proposal that is not agreed
    /// lifts no bound that was.
    pub fn max_hops(&self) -> u32 {
        let agreed = [&self.newest, &self.before].into_iter().flatten().filter(|proposal| proposal.was_agreed);
        let before = agreed.map(|proposal| proposal.charter.max_hops).fold(MAX_HOPS, u32::min);
        self.in_force().map_or(before, |agreed| agreed.charter.max_hops)
    }

    /// What may be approved without a human.
    pub fn auto_approve(&self) -> AutoApprove {
        self.in_force().map_or(AutoApprove::None, |agreed| agreed.charter.auto_approve)
    }

    /// Would accepting this one have an effect?
    pub(crate) fn check_accept(
        &self,
        by: &MemberId,
        accepted: &CharterAccepted,
        origin: Origin,
    ) -> Result<(), Refusal> {
        let proposal = self.open(&accepted.hash)?;
        let for_humans = proposal.humans_only || proposal.declined_by_humans.contains(by);
        if for_humans && origin == Origin::Agent { Err(Refusal::HumansOnly) } else { Ok(()) }
    }

    /// Would declining this one have an effect? Humans can decline what was agreed too: then it is so
    /// no more.
    pub(crate) fn check_decline(&self, declined: &CharterDeclined, origin: Origin) -> Result<(), Refusal> {
        if self.open(&declined.hash)?.was_agreed && origin == Origin::Agent {
            return Err(Refusal::HumansOnly);
        }
        within("reason", declined.reason.as_deref().unwrap_or(""), limits::LIST_ENTRY)
    }

    pub(crate) fn propose(&mut self, event: &Event, proposed: &CharterProposed, at: Position) -> Result<(), Refusal> {
        proposed.charter.check()?;
        // Declining what was agreed does not free the next one from being measured by it.
        if let Some(agreed) = self.newest.as_ref().filter(|proposal| proposal.was_agreed) {
            self.before = Some(agreed.clone());
        }
        let charter = proposed.charter.clone();
        let humans_only = charter.widens() || self.before.as_ref().is_some_and(|it| charter.loosens(&it.charter));
        let accepts = !humans_only || event.origin == Origin::Human;
        self.newest = Some(Proposal {
            event: at.id,
            by: event.author,
            at: event.claimed_time,
            hash: charter.hash(),
            charter,
            accepted: accepts.then_some(event.author).into_iter().collect(),
            declined: BTreeMap::new(),
            declined_by_humans: BTreeSet::new(),
            humans_only,
            was_agreed: false,
        });
        self.note_agreement();
        Ok(())
    }

    pub(crate) fn accept(&mut self, event: &Event, accepted: &CharterAccepted) -> Result<(), Refusal> {
        self.check_accept(&event.author, accepted, event.origin)?;
        for proposal in [&mut self.newest, &mut self.before].into_iter().flatten() {
            if proposal.hash == accepted.hash {
                proposal.declined.remove(&event.author);
                proposal.declined_by_humans.remove(&event.author);
                proposal.accepted.insert(event.author);
            }
        }
        self.note_agreement();
        Ok(())
    }

    pub(crate) fn decline(&mut self, event: &Event, declined: &CharterDeclined) -> Result<(), Refusal> {
        self.check_decline(declined, event.origin)?;
        for proposal in [&mut self.newest, &mut self.before].into_iter().flatten() {
            if proposal.hash == declined.hash {
                proposal.accepted.remove(&event.author);
                proposal.declined.insert(event.author, declined.reason.clone());
                if event.origin == Origin::Human {
                    proposal.declined_by_humans.insert(event.author);
                }
            }
        }
        self.note_agreement();
        Ok(())
    }

    /// Somebody came, went or was verified.
    pub(crate) fn follow(&mut self, members: &BTreeSet<MemberId>, verified: bool) {
        self.members.clone_from(members);
        self.verified = verified;
        self.note_agreement();
    }

    /// The newest one, or the one before where the newest was declined; none where both were.
    fn in_question(&self) -> Option<&Proposal> {
        let declined = |proposal: &&Proposal| proposal.declined.keys().any(|member| self.members.contains(member));
        [&self.newest, &self.before].into_iter().flatten().find(|proposal| !declined(proposal))
    }

    fn note_agreement(&mut self) {
        let agreed = self.in_force().map(|agreed| agreed.event);
        for proposal in [&mut self.newest, &mut self.before].into_iter().flatten() {
            proposal.was_agreed |= Some(proposal.event) == agreed;
        }
    }

    fn is_agreed(&self, proposal: &Proposal) -> bool {
        self.verified && self.members.iter().all(|member| proposal.accepted.contains(member))
    }

    /// One that can be accepted: the newest, and the one before where that is in question.
    fn open(&self, hash: &CharterHash) -> Result<&Proposal, Refusal> {
        let open = [self.newest.as_ref(), self.in_question()].into_iter().flatten();
        open.into_iter().find(|proposal| proposal.hash == *hash).ok_or(Refusal::NoSuchCharter)
    }
}

fn list(field: &'static str, list: &[String]) -> Result<(), Refusal> {
    few(field, list, limits::LIST)?;
    list.iter().try_for_each(|entry| filled(field, entry, limits::LIST_ENTRY))
}

fn at_most(field: &'static str, got: u32, max: u32) -> Result<(), Refusal> {
    if got > max { Err(Refusal::TooHigh { field, got, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Body;
    use crate::sample::{ALICE, BOB, event, position};

    fn charter(purpose: &str) -> Charter {
        let (title, purpose) = ("parser".into(), purpose.into());
        Charter { title, purpose, max_hops: MAX_HOPS, live_minutes: LIVE_MINUTES, ..Charter::default() }
    }

    fn two(verified: bool) -> Charters {
        let mut charters = Charters::default();
        charters.follow(&[ALICE, BOB].into(), verified);
        charters
    }

    fn propose(charters: &mut Charters, by: MemberId, origin: Origin, charter: Charter, number: u16) {
        let proposed = CharterProposed { charter };
        let event = event(by, origin, Body::CharterProposed(proposed.clone()));
        charters.propose(&event, &proposed, position(number)).unwrap();
    }

    fn accept(charters: &mut Charters, by: MemberId, origin: Origin, charter: &Charter) -> Result<(), Refusal> {
        let accepted = CharterAccepted { hash: charter.hash() };
        charters.accept(&event(by, origin, Body::CharterAccepted(accepted.clone())), &accepted)
    }

    #[test]
    fn every_word_and_number_is_in_the_hash() {
        let base = charter("make it fast");
        let others = [
            Charter { title: "parsers".into(), ..base.clone() },
            Charter { scope: vec!["x".into()], ..base.clone() },
            Charter { out_of_scope: vec!["x".into()], ..base.clone() },
            Charter { must_nots: vec!["x".into()], ..base.clone() },
            Charter { response_contract: vec!["x".into()], ..base.clone() },
            Charter { auto_approve: AutoApprove::Low, ..base.clone() },
            Charter { max_hops: 2, ..base.clone() },
            Charter { live_minutes: 2, ..base.clone() },
        ];
        let hashes: BTreeSet<CharterHash> = others.iter().chain([&base]).map(Charter::hash).collect();
        assert_eq!(hashes.len(), 9);
    }

    #[test]
    fn high_risk_is_covered_by_no_charter() {
        for auto in [AutoApprove::None, AutoApprove::Low, AutoApprove::All] {
            assert!(!auto.covers(Risk::High));
        }
        assert!(AutoApprove::All.covers(Risk::Medium) && !AutoApprove::Low.covers(Risk::Medium));
    }

    #[test]
    fn a_charter_binds_when_all_accepted_and_are_verified() {
        for verified in [false, true] {
            let mut charters = two(verified);
            let text = charter("make it fast");
            propose(&mut charters, ALICE, Origin::Agent, text.clone(), 1);
            assert!(charters.in_force().is_none());
            accept(&mut charters, BOB, Origin::Agent, &text).unwrap();
            assert_eq!(charters.in_force().is_some(), verified);
        }
    }

    #[test]
    fn the_wish_of_who_left_counts_no_more() {
        let mut charters = two(true);
        let text = charter("make it fast");
        propose(&mut charters, ALICE, Origin::Human, text.clone(), 1);
        let declined = CharterDeclined { hash: text.hash(), reason: None };
        charters.decline(&event(BOB, Origin::Human, Body::CharterDeclined(declined.clone())), &declined).unwrap();
        assert_eq!(charters.standing(), Standing::None);
        charters.follow(&[ALICE].into(), true);
        assert!(charters.in_force().is_some());
    }

    #[test]
    fn one_that_fell_out_of_force_because_somebody_came_is_not_forgotten() {
        let mut charters = two(true);
        let first = charter("make it fast");
        propose(&mut charters, ALICE, Origin::Human, first.clone(), 1);
        accept(&mut charters, BOB, Origin::Human, &first).unwrap();
        charters.follow(&[ALICE, BOB, crate::sample::MALLORY].into(), true);
        propose(&mut charters, BOB, Origin::Human, charter("or do not"), 2);
        let declined = CharterDeclined { hash: charter("or do not").hash(), reason: None };
        charters.decline(&event(ALICE, Origin::Human, Body::CharterDeclined(declined.clone())), &declined).unwrap();
        accept(&mut charters, crate::sample::MALLORY, Origin::Agent, &first).unwrap();
        assert_eq!(charters.in_force().map(|agreed| agreed.hash), Some(first.hash()));
    }

    fn decline(charters: &mut Charters, by: MemberId, origin: Origin, charter: &Charter) -> Result<(), Refusal> {
        let declined = CharterDeclined { hash: charter.hash(), reason: None };
        charters.decline(&event(by, origin, Body::CharterDeclined(declined.clone())), &declined)
    }

    #[test]
    fn agents_do_not_shed_what_humans_agreed() {
        let mut charters = two(true);
        let strict = Charter { must_nots: vec!["No new dependencies".into()], max_hops: 1, ..charter("make it fast") };
        propose(&mut charters, ALICE, Origin::Human, strict.clone(), 1);
        accept(&mut charters, BOB, Origin::Human, &strict).unwrap();
        assert_eq!(decline(&mut charters, BOB, Origin::Agent, &strict), Err(Refusal::HumansOnly));
        decline(&mut charters, BOB, Origin::Human, &strict).unwrap();
        assert_eq!(charters.max_hops(), 1, "what was agreed still bounds the agents");
        let loose = charter("make it fast");
        propose(&mut charters, ALICE, Origin::Agent, loose.clone(), 2);
        assert_eq!(accept(&mut charters, BOB, Origin::Agent, &loose), Err(Refusal::HumansOnly));
    }

    #[test]
    fn an_agent_does_not_take_its_humans_no_back() {
        let mut charters = two(true);
        let text = charter("make it fast");
        propose(&mut charters, ALICE, Origin::Agent, text.clone(), 1);
        decline(&mut charters, BOB, Origin::Human, &text).unwrap();
        assert_eq!(accept(&mut charters, BOB, Origin::Agent, &text), Err(Refusal::HumansOnly));
        accept(&mut charters, BOB, Origin::Human, &text).unwrap();
        assert!(charters.in_force().is_some());
    }
}
