//! Requests, as a face sees them. What one would do is taken out of the room first and judged elsewhere:
//! that takes its time.

use pairwave_api::{RequestView, WarningView};
use pairwave_core::actions::{Action, LIFETIME, Request, RequestState, Requested, Risk};
use pairwave_core::charter::AutoApprove;
use pairwave_core::event::Body;
use pairwave_core::id::EventId;
use pairwave_core::log::{Log, LogError};
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

/// What is to be judged, out of the room.
pub struct Unjudged {
    pub id: EventId,
    pub requested: Requested,
    /// As [`Viewer::payload`] gives it.
    pub payload: Option<String>,
}

/// A request out of the room, which lacks what the guard says of it.
pub struct Asked {
    pub id: EventId,
    /// Where it is still to be decided or done.
    pub is_open: bool,
    request: Request,
    /// What a charter lets pass without a human.
    auto_approve: AutoApprove,
    /// A standing approval covers it.
    always: bool,
    view: RequestView,
}

impl Asked {
    /// With what the guard says of it.
    pub fn judged(self, judged: Option<&Judged>) -> RequestView {
        let Self { request, auto_approve, always, view, .. } = self;
        let asked = judged.map_or(Risk::Low, |judged| judged.risk);
        let risk = request.risk_with(request.approval.as_ref().map_or(asked, |approval| approval.risk.max(asked)));
        RequestView {
            risk: risk.name().to_owned(),
            needs_human: !(auto_approve.covers(risk) || risk < Risk::High && always),
            may_be_always: risk < Risk::High,
            warnings: judged.map(|judged| judged.warnings.clone()).unwrap_or_default(),
            paths: judged.map(|judged| judged.paths.clone()).unwrap_or_default(),
            ..view
        }
    }
}

impl<L: Log> Viewer<'_, L> {
    /// A request with the beginning of what came of it.
    pub fn asked(&self, id: &EventId, request: &Request) -> Result<Asked, LogError> {
        let state = self.room().state();
        Ok(Asked {
            id: *id,
            is_open: is_open(request),
            request: request.clone(),
            auto_approve: state.charters.auto_approve(),
            always: state.actions.always(&request.to, request).is_some(),
            view: self.request_view(id, request)?,
        })
    }

    fn request_view(&self, id: &EventId, request: &Request) -> Result<RequestView, LogError> {
        let me = self.me();
        Ok(RequestView {
            id: id.to_string(),
            action: request.action.name().to_owned(),
            claimed_risk: request.risk.name().to_owned(),
            summary: request.summary.clone(),
            target_path: self.requested(id)?.and_then(|requested| requested.target_path),
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
            approved_by: request.approval.as_ref().map(|approval| origin(approval.step.origin).to_owned()),
            reason: request.denial.as_ref().and_then(|denial| denial.reason.clone()),
            detail: request.report.as_ref().and_then(|report| report.detail.clone()),
            ..RequestView::default()
        })
    }

    /// What there is to be judged of a request.
    pub fn unjudged(&self, id: &EventId) -> Result<Option<Unjudged>, LogError> {
        let Some(requested) = self.requested(id)? else { return Ok(None) };
        let payload = self.payload(&requested)?;
        Ok(Some(Unjudged { id: *id, requested, payload }))
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
    pub fn detail(&self, request: &Request) -> Result<Option<String>, LogError> {
        let Some(report) = &request.report else { return Ok(None) };
        Ok(self.event(&report.step.event)?.and_then(|(_, event)| match event.body {
            Body::Completed(completed) => completed.detail,
            _ => None,
        }))
    }

    /// A request by its id: a sentence holds no words of whoever asked, for it passes as its author's.
    pub fn request_name(&self, id: &EventId) -> String {
        format!("request {}", id.to_string().chars().take(8).collect::<String>())
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
}

/// Is it still to be decided or done?
pub fn is_open(request: &Request) -> bool {
    matches!(request.state(), RequestState::Pending | RequestState::Approved | RequestState::Handed)
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

/// What the guard warns of, in the api's words.
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
