//! Charter and floor, as a face sees them.

use pairwave_api::{CharterAnswer, CharterText, CharterView, DeclinedCharter, FloorAnswer, FloorClaim, FloorView};
use pairwave_core::charter::{AutoApprove, Charter, Proposal, Standing};
use pairwave_core::command::Speaker;
use pairwave_core::consenting::ANSWER_WITHIN;
use pairwave_core::id::MemberId;
use pairwave_core::log::Log;
use pairwave_core::time::Timestamp;

use super::{Viewer, time};

impl<L: Log> Viewer<'_, L> {
    pub fn charter_view(&self) -> CharterView {
        let (state, proposal) = self.charter_standing();
        CharterView {
            state: state.to_owned(),
            title: proposal.map(|proposal| proposal.charter.title.clone()),
            hash: proposal.map(|proposal| proposal.hash.to_string()),
        }
    }

    /// Where the charter stands, to the last detail.
    pub fn charter_answer(&self) -> CharterAnswer {
        let (state, proposal) = self.charter_standing();
        let verified = self.room().state().gate.is_verified();
        let charters = &self.room().state().charters;
        let declined = charters.newest().filter(|newest| proposal.is_none_or(|other| other.event != newest.event));
        let names = |accepted: bool| {
            let of =
                |member: &MemberId| proposal.is_some_and(|proposal| proposal.accepted.contains(member)) == accepted;
            self.members().iter().filter(|member| of(member)).map(|member| self.name(member)).collect::<Vec<_>>()
        };
        let mut answer = CharterAnswer {
            state: state.to_owned(),
            charter: proposal.map(|proposal| charter_text(&proposal.charter)),
            hash: proposal.map(|proposal| proposal.hash.to_string()),
            by: proposal.map(|proposal| self.name(&proposal.by)),
            at: proposal.map(|proposal| time(proposal.at)),
            accepted: names(true),
            missing: if proposal.is_some() { names(false) } else { Vec::new() },
            declined: declined.and_then(|newest| self.declined(newest)),
            verified,
            needs_human: proposal.is_some_and(|proposal| proposal.humans_only),
            next: String::new(),
        };
        answer.next = self.charter_next(&answer, proposal);
        answer
    }

    fn charter_standing(&self) -> (&'static str, Option<&Proposal>) {
        match self.room().state().charters.standing() {
            Standing::None => ("none", None),
            Standing::Proposed(proposal) => ("proposed", Some(proposal)),
            Standing::Agreed(proposal) => ("agreed", Some(proposal)),
        }
    }

    fn declined(&self, proposal: &Proposal) -> Option<DeclinedCharter> {
        let (by, reason) = proposal.declined.iter().next()?;
        let (title, hash) = (proposal.charter.title.clone(), proposal.hash.to_string());
        Some(DeclinedCharter { title, hash, by: self.name(by), reason: reason.clone() })
    }

    fn charter_next(&self, answer: &CharterAnswer, proposal: Option<&Proposal>) -> String {
        let accepted = proposal.is_some_and(|proposal| proposal.accepted.contains(&self.me()));
        let next = match (&answer.state[..], answer.verified) {
            ("agreed", _) => "",
            ("none", _) => "Propose one: `pairwave charter propose FILE`, or the tool `pair_charter`.",
            (_, _) if !accepted && answer.needs_human => {
                "It lets agents do more than a room without it: a human accepts it with `pairwave charter accept`, or on the page."
            }
            (_, _) if !accepted => {
                "Read it, then accept it with `pairwave charter accept`, or decline it with a reason."
            }
            (_, false) => "Verify each other: `pairwave verify` on both sides; nothing is agreed before.",
            _ => "Wait for the others to accept it.",
        };
        next.to_owned()
    }

    pub fn floor_view(&self, by: &Speaker, now: Timestamp) -> FloorView {
        let state = self.room().state();
        let holder = state.floor.holder();
        let session = holder.and_then(|holder| holder.session);
        let claims = state.floor.waiting().iter().map(|claim| FloorClaim {
            member: claim.member.to_string(),
            name: self.name(&claim.member),
            session_name: self.session_name(&claim.member, &claim.session),
            reason: claim.reason.clone(),
            since: time(claim.at),
            take_in_s: (claim.member == self.me() && claim.session == by.session)
                .then(|| (claim.at + ANSWER_WITHIN).0.saturating_sub(now.0).div_ceil(1000)),
        });
        FloorView {
            holder: holder.map(|holder| holder.member.to_string()),
            holder_name: holder.map(|holder| self.name(&holder.member)),
            session: session.map(|session| session.to_string()),
            session_name: holder.zip(session).map(|(holder, session)| self.session_name(&holder.member, &session)),
            waiting: claims.collect(),
            hops: state.hops.count(),
            max_hops: state.charters.max_hops(),
        }
    }

    pub fn floor_answer(&self, by: &Speaker, now: Timestamp) -> FloorAnswer {
        let floor = self.floor_view(by, now);
        let holder = self.room().state().floor.holder();
        let yours = holder.is_some_and(|holder| holder.is(&self.me(), &by.session));
        let take = floor.waiting.iter().find_map(|claim| claim.take_in_s);
        let next = match (yours, take, &floor.holder_name) {
            (true, ..) if !floor.waiting.is_empty() => {
                "Others wait for it: yield it when you are done, or claim it again to keep it.".to_owned()
            }
            (true, ..) => "Yield it when you are done.".to_owned(),
            (false, Some(0), _) => "Claim it again: it is yours, for nobody answered.".to_owned(),
            (false, Some(wait), _) => format!("Wait for an answer; if none comes, claim it again in {wait} s."),
            (false, None, Some(name)) => format!("Claim it, and wait for {name} to yield it."),
            (false, None, None) => "Claim it before you push.".to_owned(),
        };
        FloorAnswer { floor, yours, next }
    }

    /// Does a charter wait for this speaker's side to say yes or no?
    pub fn charter_waits(&self) -> Option<&Proposal> {
        let Standing::Proposed(proposal) = self.room().state().charters.standing() else { return None };
        Some(proposal).filter(|proposal| !proposal.accepted.contains(&self.me()))
    }
}

fn charter_text(charter: &Charter) -> CharterText {
    CharterText {
        title: charter.title.clone(),
        purpose: charter.purpose.clone(),
        scope: charter.scope.clone(),
        out_of_scope: charter.out_of_scope.clone(),
        must_nots: charter.must_nots.clone(),
        response_contract: charter.response_contract.clone(),
        auto_approve: Some(auto_approve(charter.auto_approve).to_owned()),
        max_hops: Some(charter.max_hops),
        live_minutes: Some(charter.live_minutes),
    }
}

pub fn auto_approve(auto_approve: AutoApprove) -> &'static str {
    match auto_approve {
        AutoApprove::None => "none",
        AutoApprove::Low => "low",
        AutoApprove::All => "all",
    }
}
