//! Questions of the page: those that every face may ask, but for what belongs to a terminal. What was
//! said comes with its HTML, an invite with its QR code.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pairwave_api::{Code, Companion, Failure, Request};
use serde_json::{Value, json};

use crate::{qr, rendering};

/// Answers one question.
pub async fn ask(
    State(companion): State<Arc<dyn Companion>>,
    question: Result<Json<Request>, JsonRejection>,
) -> Response {
    let question = match question {
        Ok(Json(question)) => question,
        Err(rejection) => return unreadable(&rejection),
    };
    if !is_for_a_page(&question) {
        return failed(StatusCode::BAD_REQUEST, &not_for_a_page());
    }
    let invites = matches!(question, Request::Invite(_));
    let decides = is_decided_about(&question);
    match companion.call(question).await {
        Ok(mut answer) => {
            if invites {
                with_qr(&mut answer);
            }
            let answer = if decides { rendering::to_decide(answer).await } else { rendering::answer(answer).await };
            ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(failure) => refused(&failure),
    }
}

/// A question that cannot be read.
pub fn unreadable(rejection: &JsonRejection) -> Response {
    failed(malformed(rejection.status()), &not_understood(rejection))
}

/// What the companion refused.
pub fn refused(failure: &Failure) -> Response {
    failed(status(failure.code), failure)
}

/// A failure as the page reads it.
pub fn failed(status: StatusCode, failure: &Failure) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "error": failure }))).into_response()
}

fn with_qr(answer: &mut Value) {
    let Some(invite) = answer["invite"].as_str().map(str::to_owned) else { return };
    answer["join_command"] = format!("pairwave join {invite}").into();
    if let Some(code) = qr::code(&invite) {
        answer["qr"] = code;
    }
}

fn is_decided_about(question: &Request) -> bool {
    matches!(
        question,
        Request::ListArtifacts(_) | Request::Requests(_) | Request::ShowArtifact(_) | Request::ShowRequest(_)
    )
}

/// Folders and processes are a terminal's business, and what was given is marked by `mark_read`.
fn is_for_a_page(question: &Request) -> bool {
    match question {
        Request::AcceptCharter(_)
        | Request::AddRelay(_)
        | Request::Answer(_)
        | Request::Arrivals(_)
        | Request::ClaimFloor(_)
        | Request::ClaimPaths(_)
        | Request::CloseInvite(_)
        | Request::Days(_)
        | Request::DeclineCharter(_)
        | Request::Deliveries(_)
        | Request::Diagnose(_)
        | Request::Findings(_)
        | Request::Handoff(_)
        | Request::Invite(_)
        | Request::Invites(_)
        | Request::Leave(_)
        | Request::ListArtifacts(_)
        | Request::MarkRead(_)
        | Request::Override(_)
        | Request::ProposeCharter(_)
        | Request::Read(_)
        | Request::Recall(_)
        | Request::Relays(_)
        | Request::ReleasePaths(_)
        | Request::Remember(_)
        | Request::Remove(_)
        | Request::RemoveArtifact(_)
        | Request::RemoveRelay(_)
        | Request::Rename(_)
        | Request::Report(_)
        | Request::Requests(_)
        | Request::Respond(_)
        | Request::Restore(_)
        | Request::Resume(_)
        | Request::Rooms(_)
        | Request::Send(_)
        | Request::ShowCharter(_)
        | Request::ShowFloor(_)
        | Request::ShowGit(_)
        | Request::ShowLedger(_)
        | Request::ShowRequest(_)
        | Request::Share(_)
        | Request::ShowArtifact(_)
        | Request::ShowStatus(_)
        | Request::Verify(_)
        | Request::Whoami(_)
        | Request::Writing(_)
        | Request::YieldFloor(_) => true,
        Request::AnnounceCommit(_)
        | Request::Apply(_)
        | Request::CheckPaths(_)
        | Request::Complete(_)
        | Request::Create(_)
        | Request::Down(_)
        | Request::Export(_)
        | Request::ExportArtifact(_)
        | Request::ExportBrain(_)
        | Request::ExportPart(_)
        | Request::ImportBrain(_)
        | Request::Inbox(_)
        | Request::Join(_)
        | Request::LiveMode(_)
        | Request::OpenDashboard(_)
        | Request::Prompted(_)
        | Request::RequestAction(_)
        | Request::SetUpGit(_)
        | Request::Wait(_) => false,
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Usage => StatusCode::BAD_REQUEST,
        Code::Refused => StatusCode::CONFLICT,
        Code::CompanionUnreachable => StatusCode::SERVICE_UNAVAILABLE,
        Code::PeerUnreachable => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// A question of another shape is as wrong as one that is no JSON.
fn malformed(status: StatusCode) -> StatusCode {
    if status == StatusCode::UNPROCESSABLE_ENTITY { StatusCode::BAD_REQUEST } else { status }
}

fn not_understood(rejection: &JsonRejection) -> Failure {
    let message = format!("The companion does not understand the question: {}", rejection.body_text());
    Failure::new(Code::Usage, "not_understood", message, "Load the page again: it may be of another version.")
}

fn not_for_a_page() -> Failure {
    let message = "This is nothing that the page may ask";
    Failure::new(Code::Usage, "not_for_a_page", message, "Use the command line: `pairwave --help`.")
}
