//! What one side asks the other to do, and the gate before it.

use pairwave_api::{
    ActionRequested, Applied, Apply, Code, Complete, EventDone, Failure, RequestAction, RequestDetail, RequestList,
    RequestView, Requests, Respond, Responded, ShowRequest,
};
use pairwave_core::actions::{Action, Completed, Denied, Request, RequestState, Requested, Risk};
use pairwave_core::command::{Command, Refusal, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{EventId, RequestHash, RoomId, SessionId};
use pairwave_core::log::Log;
use pairwave_guard::patch::Patch;

use super::talk::named;
use super::{Answers, wrong_id};
use crate::caller::Caller;
use crate::refusals::{refused, unreadable};
use crate::resolve;
use crate::view::{Viewer, diff, judged};

const ACTIONS: &[(&str, Action)] = &[
    ("apply_patch", Action::ApplyPatch),
    ("write_file", Action::WriteFile),
    ("run_command", Action::RunCommand),
    ("fetch_url", Action::FetchUrl),
];

const RISKS: &[(&str, Risk)] = &[("low", Risk::Low), ("medium", Risk::Medium), ("high", Risk::High)];

/// A request as it is to be decided.
struct InQuestion {
    id: EventId,
    hash: RequestHash,
    risk: Risk,
}

impl Answers {
    pub(super) async fn request_action(&self, by: &Caller, ask: RequestAction) -> Result<ActionRequested, Failure> {
        let wanted = ask.room.clone();
        let (room, requested) = self.look_in(by, &wanted, move |viewer| requested(viewer, ask)).await?;
        let body = Body::Requested(requested.clone());
        self.clear(by, room, &body).await?;
        let event = self.act(by, room, Act::Request(requested)).await?;
        self.noted(by, room, &body);
        Ok(ActionRequested { event: event.to_string(), request: event.to_string() })
    }

    pub(super) async fn requests(&self, by: &Caller, ask: &Requests) -> Result<RequestList, Failure> {
        let all = ask.all;
        let list = move |viewer: &Viewer<'_, _>| {
            let wanted = viewer.requests(|request| all || is_open(request));
            let views = wanted.into_iter().map(|(id, request)| viewer.request_view(&id, request));
            let requests = views.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
            Ok(RequestList { requests })
        };
        Ok(self.look_in(by, &ask.room, list).await?.1)
    }

    pub(super) async fn show_request(&self, by: &Caller, ask: &ShowRequest) -> Result<RequestDetail, Failure> {
        let wanted = ask.request.clone();
        let show = move |viewer: &Viewer<'_, _>| {
            let (id, request) = request(viewer, &wanted)?;
            let view = viewer.request_view(&id, request).map_err(|error| unreadable(&error))?;
            let requested = viewer.requested(&id).map_err(|error| unreadable(&error))?;
            let payload = requested.and_then(|requested| viewer.payload(&requested).transpose()).transpose();
            Ok(detail(view, payload.map_err(|error| unreadable(&error))?))
        };
        Ok(self.look_in(by, &ask.room, show).await?.1)
    }

    pub(super) async fn respond(&self, by: &Caller, ask: &Respond) -> Result<Responded, Failure> {
        let approves = named("decision", &ask.decision, &[("approve", true), ("deny", false)])?;
        let wanted = ask.request.clone();
        let (room, found) = self.look_in(by, &ask.room, move |viewer| in_question(viewer, &wanted)).await?;
        let hash = ask.hash.as_deref().map(str::parse).transpose();
        let hash = hash.map_err(|_| wrong_id("request", "`pairwave requests`"))?.unwrap_or(found.hash);
        let request = found.id;
        let act = if approves {
            Act::Approve { request, hash, risk: found.risk, always: ask.always_allow }
        } else {
            let reason = ask.reason.clone();
            self.clear(by, room, &Body::Denied(Denied { request, reason: reason.clone() })).await?;
            Act::Deny { request, reason }
        };
        self.act(by, room, act).await?;
        let state = self.look(room, move |viewer| Ok(state(viewer, &request))).await?;
        let (id, decision) = (request.to_string(), ask.decision.clone());
        Ok(Responded { request: id.clone(), id, decision, state })
    }

    /// Hands an approved request over. That it was is durable before anybody has it.
    pub(super) async fn apply(&self, by: &Caller, ask: &Apply) -> Result<Applied, Failure> {
        let wanted = ask.request.clone();
        let find = move |viewer: &Viewer<'_, _>| {
            let (id, _) = request(viewer, &wanted)?;
            let requested = viewer.requested(&id).map_err(|error| unreadable(&error))?;
            let requested = requested.ok_or_else(|| refused(Refusal::NoSuchRequest))?;
            let payload = viewer.payload(&requested).map_err(|error| unreadable(&error))?.ok_or_else(not_here)?;
            Ok((id, requested, payload))
        };
        let (room, (request, requested, payload)) = self.look_in(by, &ask.room, find).await?;
        self.act(by, room, Act::Hand { request }).await?;
        let warnings = judged(&requested, Some(&payload)).warnings;
        let Requested { action, target_path, .. } = requested;
        Ok(Applied { request: request.to_string(), action: action.name().to_owned(), payload, target_path, warnings })
    }

    pub(super) async fn complete(&self, by: &Caller, ask: &Complete) -> Result<EventDone, Failure> {
        let wanted = ask.request.clone();
        let (room, id) = self.look_in(by, &ask.room, move |viewer| Ok(request(viewer, &wanted)?.0)).await?;
        let (request, ok, detail) = (id, ask.ok, ask.detail.clone());
        self.clear(by, room, &Body::Completed(Completed { request, ok, detail: detail.clone() })).await?;
        let event = self.act(by, room, Act::Complete { request, ok, detail }).await?;
        Ok(EventDone { event: event.to_string() })
    }

    /// A request came in: what a charter or a human's standing approval covers needs nobody.
    pub(super) async fn approve_if_covered(&self, room: RoomId, event: EventId) {
        let find = move |viewer: &Viewer<'_, _>| {
            let Some(request) = viewer.room().state().actions.get(&event) else { return Ok(None) };
            if request.to != viewer.me() || request.state() != RequestState::Pending || request.by == viewer.me() {
                return Ok(None);
            }
            in_question(viewer, &event.to_string()).map(Some)
        };
        let Ok(Some(InQuestion { id, hash, risk })) = self.look(room, find).await else { return };
        let by = Speaker { session: SessionId::COMPANION, origin: Origin::Agent };
        let act = Act::Approve { request: id, hash, risk, always: false };
        match self.parts.driver.command(Command::Act { room, by, act }).await {
            Ok(_) => tracing::info!(request = %id, "approved by what was agreed"),
            Err(Refusal::HumansOnly) => {}
            Err(refusal) => tracing::warn!(%refusal, "a request that needs nobody could not be approved"),
        }
    }
}

/// What is to be asked for, in the core's words.
fn requested<L: Log>(viewer: &Viewer<'_, L>, ask: RequestAction) -> Result<Requested, Failure> {
    let alone = viewer.members().len() == 1 && ask.to.is_none();
    let to = if alone { viewer.me() } else { resolve::other_member(viewer, ask.to.as_deref())? };
    let artifact = ask.artifact.map(|event| resolve::event(viewer.node(), viewer.room(), &event)).transpose()?;
    Ok(Requested {
        to,
        action: named("action", &ask.action, ACTIONS)?,
        risk: named("risk", &ask.risk, RISKS)?,
        summary: ask.summary.trim().to_owned(),
        payload: ask.payload,
        target_path: ask.target_path,
        artifact,
    })
}

/// A request by its id, or by a prefix that only it has.
fn request<'a, L: Log>(viewer: &'a Viewer<'_, L>, wanted: &str) -> Result<(EventId, &'a Request), Failure> {
    let named: Vec<_> = if wanted.len() < 4 {
        Vec::new()
    } else {
        viewer.requests(|_| true).into_iter().filter(|(id, _)| id.to_string().starts_with(wanted)).collect()
    };
    match &named[..] {
        [(id, request)] => Ok((*id, request)),
        [] => {
            let message = format!("There is no request {:?}", wanted.chars().take(60).collect::<String>());
            Err(Failure::new(Code::Usage, "no_such_request", message, "See the requests with `pairwave requests`."))
        }
        several => {
            let ids = several.iter().map(|(id, _)| id.to_string()).collect();
            let message = "Several requests begin so";
            Err(Failure::new(Code::Usage, "ambiguous_request", message, "Give more of the id.").among(ids))
        }
    }
}

fn in_question<L: Log>(viewer: &Viewer<'_, L>, wanted: &str) -> Result<InQuestion, Failure> {
    let (id, request) = request(viewer, wanted)?;
    let requested = viewer.requested(&id).map_err(|error| unreadable(&error))?;
    let payload = requested.as_ref().map(|requested| viewer.payload(requested)).transpose();
    let payload = payload.map_err(|error| unreadable(&error))?.flatten();
    let risk = requested.map_or(Risk::High, |requested| judged(&requested, payload.as_deref()).risk);
    Ok(InQuestion { id, hash: request.hash, risk })
}

fn state<L: Log>(viewer: &Viewer<'_, L>, request: &EventId) -> String {
    let request = viewer.room().state().actions.get(request);
    request.map_or("gone", |request| request.state().name()).to_owned()
}

fn detail(request: RequestView, payload: Option<String>) -> RequestDetail {
    let patch = payload.as_deref().filter(|_| request.action == Action::ApplyPatch.name()).map(Patch::parse);
    let diff_error = patch.as_ref().and_then(|patch| patch.as_ref().err().map(ToString::to_string));
    let diff = patch.and_then(Result::ok).map(|patch| diff(&patch).0);
    RequestDetail { request, payload, diff, diff_error }
}

fn not_here() -> Failure {
    let message = "What it would do is not all here, is no text, or is too long";
    Failure::new(Code::Refused, "payload_missing", message, "See how far it is with `pairwave quarantine`.")
}

fn is_open(request: &Request) -> bool {
    matches!(request.state(), RequestState::Pending | RequestState::Approved | RequestState::Handed)
}
