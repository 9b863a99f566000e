//! Charter, floor and requests, as a face sees them.

use pairwave_api::{
    CharterAnswer, CharterText, CharterView, DeclinedCharter, FloorAnswer, FloorClaim, FloorView, RequestView,
    WarningView,
};
use pairwave_core::actions::{Action, LIFETIME, Request, RequestState, Requested, Risk};
use pairwave_core::charter::{AutoApprove, Charter, Proposal, Standing};
use pairwave_core::command::Speaker;
use pairwave_core::consenting::ANSWER_WITHIN;
use pairwave_core::event::Body;
use pairwave_core::id::{EventId, MemberId};
use pairwave_core::log::{Log, LogError};
use pairwave_core::time::Timestamp;
use pairwave_guard::danger;
use pairwave_guard::patch::Patch;

use super::{Viewer, origin, time};

/// Bytes of an artifact that a request may hand over.
const PAYLOAD: u64 = 1 << 20;

/// What the guard says of a request.
pub struct Judged {
    pub risk: Risk,
    pub warnings: Vec<WarningView>,
    pub paths: Vec<String>,
}

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

    /// A request with what the guard says of it, where it is still to be decided or done.
    pub fn request_view(&self, id: &EventId, request: &Request) -> Result<RequestView, LogError> {
        let requested = self.requested(id)?;
        let judged = match (request.state(), &requested) {
            (RequestState::Pending | RequestState::Approved | RequestState::Handed, Some(requested)) => {
                Some(judged(requested, self.payload(requested)?.as_deref()))
            }
            _ => None,
        };
        let asked = judged.as_ref().map_or(Risk::Low, |judged| judged.risk);
        let risk = request.risk_with(request.approval.as_ref().map_or(asked, |approval| approval.risk.max(asked)));
        let (warnings, paths) = judged.map_or_else(Default::default, |judged| (judged.warnings, judged.paths));
        let charters = &self.room().state().charters;
        let covered = charters.auto_approve().covers(risk)
            || (risk < Risk::High && self.room().state().actions.always(&request.to, request).is_some());
        let me = self.me();
        Ok(RequestView {
            id: id.to_string(),
            action: request.action.name().to_owned(),
            risk: risk.name().to_owned(),
            claimed_risk: request.risk.name().to_owned(),
            summary: request.summary.clone(),
            target_path: requested.and_then(|requested| requested.target_path),
            artifact: request.artifact.as_ref().map(ToString::to_string),
            hash: request.hash.to_string(),
            by: request.by.to_string(),
            from: self.name(&request.by),
            from_session: self.session_name(&request.by, &request.session),
            to: self.name(&request.to),
            mine: request.by == me,
            for_me: request.to == me,
            state: request.state().name().to_owned(),
            at: time(request.asked),
            expires_at: time(request.asked + LIFETIME),
            needs_human: !covered,
            may_be_always: risk < Risk::High,
            warnings,
            paths,
            approved_by: request.approval.as_ref().map(|approval| origin(approval.step.origin).to_owned()),
            reason: request.denial.as_ref().and_then(|denial| denial.reason.clone()),
            detail: self.detail(request)?,
        })
    }

    /// What a request wants done, from the log.
    pub fn requested(&self, id: &EventId) -> Result<Option<Requested>, LogError> {
        Ok(self.event(id)?.and_then(|(_, event)| match event.body {
            Body::Requested(requested) => Some(requested),
            _ => None,
        }))
    }

    /// What a request would hand over: its payload, or the artifact that it names where that is all
    /// here and a text of bearable size.
    pub fn payload(&self, requested: &Requested) -> Result<Option<String>, LogError> {
        let Some(artifact) = requested.artifact.filter(|_| requested.payload.is_empty()) else {
            return Ok(Some(requested.payload.clone()));
        };
        let Some(found) = self.artifact(&artifact)?.filter(|found| found.shared.blob.size <= PAYLOAD) else {
            return Ok(None);
        };
        let content = found.shared.blob.read(self.node.log(), &self.room.id())?;
        Ok(content.and_then(|content| String::from_utf8(content).ok()))
    }

    /// What came of a request, in full: the state keeps the beginning alone.
    fn detail(&self, request: &Request) -> Result<Option<String>, LogError> {
        let Some(report) = &request.report else { return Ok(None) };
        Ok(self.event(&report.step.event)?.and_then(|(_, event)| match event.body {
            Body::Completed(completed) => completed.detail,
            _ => None,
        }))
    }

    /// A request in a sentence.
    pub fn request_name(&self, id: &EventId) -> String {
        let request = self.room().state().actions.get(id);
        request.map_or_else(|| "a request".to_owned(), |request| format!("“{}”", request.summary))
    }

    /// Requests in the room's order.
    pub fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Vec<(EventId, &Request)> {
        let all = self.room().state().actions.iter().filter(|(_, request)| wanted(request));
        let mut all: Vec<_> = all.map(|(id, request)| (*id, request)).collect();
        all.sort_unstable_by_key(|(_, request)| request.position);
        all
    }

    /// Does it wait for our yes or no?
    pub fn is_permission(&self, request: &Request) -> bool {
        request.to == self.me() && request.state() == RequestState::Pending
    }

    /// Is it to be done here?
    pub fn is_task(&self, request: &Request) -> bool {
        request.to == self.me() && matches!(request.state(), RequestState::Approved | RequestState::Handed)
    }

    /// Does a charter wait for this speaker's side to say yes or no?
    pub fn charter_waits(&self) -> Option<&Proposal> {
        let Standing::Proposed(proposal) = self.room().state().charters.standing() else { return None };
        Some(proposal).filter(|proposal| !proposal.accepted.contains(&self.me()))
    }
}

/// Judges what a request would do. What cannot be seen is of high risk.
pub fn judged(requested: &Requested, payload: Option<&str>) -> Judged {
    let target = requested.target_path.as_deref().unwrap_or("");
    let Some(payload) = payload else {
        return Judged { risk: Risk::High, warnings: vec![unseen()], paths: Vec::new() };
    };
    let action = match requested.action {
        Action::RunCommand => danger::Action::RunCommand { command: payload },
        Action::WriteFile => danger::Action::WriteFile { path: target, content: payload },
        Action::ApplyPatch => danger::Action::ApplyPatch { patch: payload },
        Action::FetchUrl => danger::Action::FetchUrl { url: payload },
    };
    let mut judgement = danger::judge(&action);
    // Where something is to be put counts, whatever it is that is to be done.
    if requested.action != Action::WriteFile && !target.is_empty() {
        let there = danger::judge(&danger::Action::WriteFile { path: target, content: "" });
        judgement.risk = judgement.risk.max(there.risk);
        judgement.warnings.extend(there.warnings);
    }
    let paths = match requested.action {
        Action::ApplyPatch => Patch::parse(payload)
            .map(|patch| patch.paths().into_iter().map(str::to_owned).collect())
            .unwrap_or_default(),
        Action::WriteFile => vec![target.to_owned()],
        Action::RunCommand | Action::FetchUrl => Vec::new(),
    };
    Judged { risk: risk(judgement.risk), warnings: judgement.warnings.iter().map(warning).collect(), paths }
}

fn unseen() -> WarningView {
    WarningView {
        rule: "unseen".to_owned(),
        risk: Risk::High.name().to_owned(),
        reason: "What it would do is not here, is no text, or is too long to be looked at.".to_owned(),
        excerpt: String::new(),
    }
}

pub fn warning(warning: &danger::Warning) -> WarningView {
    WarningView {
        rule: warning.rule.to_owned(),
        risk: risk(warning.risk).name().to_owned(),
        reason: warning.reason.to_owned(),
        excerpt: warning.excerpt.clone(),
    }
}

fn risk(risk: danger::Risk) -> Risk {
    match risk {
        danger::Risk::Low => Risk::Low,
        danger::Risk::Medium => Risk::Medium,
        danger::Risk::High => Risk::High,
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
