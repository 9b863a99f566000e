//! What one side asks the other to do, and the gate before it.

use pairwave_api::{
    ActionRequested, Applied, Apply, Code, Complete, EventDone, Failure, RequestAction, RequestDetail, RequestList,
    RequestView, Requests, Respond, Responded, ShowRequest, WarningView,
};
use pairwave_core::actions::{Action, Completed, Denied, Request, RequestState, Requested, Risk};
use pairwave_core::command::{Command, Refusal, Speaker};
use pairwave_core::consenting::Act;
use pairwave_core::event::{Body, Origin};
use pairwave_core::id::{EventId, RequestHash, RoomId, SessionId};
use pairwave_core::log::Log;
use pairwave_guard::patch::Patch;

use super::judging::blocking;
use super::talk::named;
use super::{Answers, wrong_id};
use crate::caller::Caller;
use crate::refusals::{refused, unreadable};
use crate::resolve;
use crate::view::{Unjudged, Viewer, diff, is_open};

/// A request as it is to be decided.
struct InQuestion {
    id: EventId,
    hash: RequestHash,
    /// What its risk is to be judged by.
    unjudged: Option<Unjudged>,
}

impl Answers {
    pub(super) async fn request_action(&self, by: &Caller, ask: RequestAction) -> Result<ActionRequested, Failure> {
        let wanted = ask.room.clone();
        let (room, requested) = self.look_in(by, &wanted, move |viewer| requested(viewer, ask)).await?;
        let body = Body::Requested(requested.clone());
        let cleared = self.clear(by, room, &body).await?;
        let event = self.settle(cleared, self.act(by, room, Act::Request(requested)).await)?;
        // It was said, whatever becomes of the warnings.
        let warnings = self.claimed_by_request(room, event).await.unwrap_or_default();
        Ok(ActionRequested { event: event.to_string(), request: event.to_string(), warnings })
    }

    /// What a request touches that another has claimed.
    async fn claimed_by_request(&self, room: RoomId, event: EventId) -> Result<Vec<WarningView>, Failure> {
        let look = move |viewer: &Viewer<'_, _>| viewer.unjudged(&event).map_err(|error| unreadable(&error));
        let Some(unjudged) = self.look(room, look).await? else { return Ok(Vec::new()) };
        let paths = self.judge(unjudged).await?.0.paths.clone();
        self.claimed(room, paths).await
    }

    pub(super) async fn requests(&self, by: &Caller, ask: &Requests) -> Result<RequestList, Failure> {
        let all = ask.all;
        let list = move |viewer: &Viewer<'_, _>| {
            let wanted = viewer.requests(|request| all || is_open(request));
            let asked = wanted.into_iter().map(|(id, request)| viewer.asked(&id, request));
            asked.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(&error))
        };
        let (room, asked) = self.look_in(by, &ask.room, list).await?;
        Ok(RequestList { requests: self.judged_views(room, asked).await? })
    }

    /// To an agent only where somebody marks it as another's words.
    pub(super) async fn show_request(&self, by: &Caller, ask: &ShowRequest) -> Result<RequestDetail, Failure> {
        if by.speaker.origin == Origin::Agent && by.live.is_none() {
            return Err(refused(Refusal::HumansOnly));
        }
        let wanted = ask.request.clone();
        let show = move |viewer: &Viewer<'_, _>| {
            let (id, request) = request(viewer, &wanted)?;
            let found = viewer.asked(&id, request).and_then(|asked| {
                let (unjudged, detail) = (viewer.unjudged(&id)?, viewer.detail(request)?);
                Ok((asked, unjudged, detail))
            });
            found.map_err(|error| unreadable(&error))
        };
        let (room, (asked, unjudged, full)) = self.look_in(by, &ask.room, show).await?;
        let (judged, payload) = match unjudged {
            Some(unjudged) if asked.is_open => {
                let (judged, unjudged) = self.judge(unjudged).await?;
                (Some(judged), unjudged.payload)
            }
            unjudged => (None, unjudged.and_then(|unjudged| unjudged.payload)),
        };
        let mut view = RequestView { detail: full, ..asked.judged(judged.as_deref()) };
        view.warnings.extend(self.claimed(room, view.paths.clone()).await?);
        blocking(move || detail(view, payload)).await
    }

    pub(super) async fn respond(&self, by: &Caller, ask: &Respond) -> Result<Responded, Failure> {
        let approves = named("decision", &ask.decision, &[("approve", true), ("deny", false)])?;
        let wanted = ask.request.clone();
        let (room, found) = self.look_in(by, &ask.room, move |viewer| in_question(viewer, &wanted)).await?;
        let risk = self.risk(found.unjudged).await?;
        let hash = ask.hash.as_deref().map(str::parse).transpose();
        let hash = hash.map_err(|_| wrong_id("request", "`pairwave requests`"))?.unwrap_or(found.hash);
        let request = found.id;
        if approves {
            let act = Act::Approve { request, hash, risk, always: ask.always_allow };
            self.act(by, room, act).await?;
        } else {
            let reason = ask.reason.clone();
            let cleared = self.clear(by, room, &Body::Denied(Denied { request, reason: reason.clone() })).await?;
            self.settle(cleared, self.act(by, room, Act::Deny { request, reason }).await)?;
        }
        let state = self.look(room, move |viewer| Ok(state(viewer, &request))).await?;
        let (id, decision) = (request.to_string(), ask.decision.clone());
        Ok(Responded { request: id.clone(), id, decision, state })
    }

    /// Hands an approved request over. That it was is durable before anybody has it.
    pub(super) async fn apply(&self, by: &Caller, ask: &Apply) -> Result<Applied, Failure> {
        let wanted = ask.request.clone();
        let find = move |viewer: &Viewer<'_, _>| {
            let (id, request) = request(viewer, &wanted)?;
            asker_is_here(viewer, request)?;
            let unjudged = viewer.unjudged(&id).map_err(|error| unreadable(&error))?;
            let unjudged = unjudged.ok_or_else(|| refused(Refusal::NoSuchRequest))?;
            if unjudged.payload.is_none() { Err(not_here()) } else { Ok(unjudged) }
        };
        let (room, unjudged) = self.look_in(by, &ask.room, find).await?;
        let (judged, unjudged) = self.judge(unjudged).await?;
        let Unjudged { id: request, requested, payload } = unjudged;
        // Before it is handed over: after that, nothing may come between.
        let mut warnings = judged.warnings.clone();
        warnings.extend(self.claimed(room, judged.paths.clone()).await?);
        self.act(by, room, Act::Hand { request }).await?;
        let payload = payload.unwrap_or_default();
        let Requested { action, target_path, .. } = requested;
        Ok(Applied { request: request.to_string(), action: action.name().to_owned(), payload, target_path, warnings })
    }

    pub(super) async fn complete(&self, by: &Caller, ask: &Complete) -> Result<EventDone, Failure> {
        let wanted = ask.request.clone();
        let (room, id) = self.look_in(by, &ask.room, move |viewer| Ok(request(viewer, &wanted)?.0)).await?;
        let (request, ok, detail) = (id, ask.ok, ask.detail.clone());
        let body = Body::Completed(Completed { request, ok, detail: detail.clone() });
        let cleared = self.clear(by, room, &body).await?;
        let event = self.settle(cleared, self.act(by, room, Act::Complete { request, ok, detail }).await)?;
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
        let Ok(Some(InQuestion { id, hash, unjudged })) = self.look(room, find).await else { return };
        let Ok(risk) = self.risk(unjudged).await else { return };
        let by = Speaker { session: SessionId::COMPANION, origin: Origin::Agent };
        let act = Act::Approve { request: id, hash, risk, always: false };
        match self.parts.driver.command(Command::Act { room, by, act }).await {
            Ok(_) => tracing::info!(request = %id, "approved by what was agreed"),
            Err(Refusal::HumansOnly) => {}
            Err(refusal) => tracing::warn!(%refusal, "a request that needs nobody could not be approved"),
        }
    }

    /// What cannot be looked at is of high risk.
    async fn risk(&self, unjudged: Option<Unjudged>) -> Result<Risk, Failure> {
        match unjudged {
            Some(unjudged) => Ok(self.judge(unjudged).await?.0.risk),
            None => Ok(Risk::High),
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
        action: named("action", &ask.action, &Action::ALL.map(|action| (action.name(), action)))?,
        risk: named("risk", &ask.risk, &Risk::ALL.map(|risk| (risk.name(), risk)))?,
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
    let unjudged = viewer.unjudged(&id).map_err(|error| unreadable(&error))?;
    Ok(InQuestion { id, hash: request.hash, unjudged })
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

/// What somebody asked for who is here no more is not done for them.
fn asker_is_here<L: Log>(viewer: &Viewer<'_, L>, request: &Request) -> Result<(), Failure> {
    let next = match request.state() {
        _ if request.to != viewer.me() || viewer.members().contains(&request.by) => return Ok(()),
        RequestState::Pending => "Your human can deny it: `pairwave deny ID`, or the page.",
        RequestState::Approved => "There is nothing to do: it stays undone.",
        _ => return Ok(()),
    };
    let message = "Who asked for it has left the room, so it is handed to nobody";
    Err(Failure::new(Code::Refused, "asker_left", message, next))
}
