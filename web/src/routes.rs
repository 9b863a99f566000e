//! What is where: the files of the page, the login, questions, the transcript as a file, and the stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pairwave_api::{Code, Companion, Failure};
use serde::Deserialize;
use serde_json::json;

use crate::ask::{self, failed};
use crate::guard::{self, Guard};
use crate::passes::Passes;
use crate::places::Places;
use crate::{export, stream, ui};

/// Largest question in bytes: twice the largest event, for JSON writes some letters longer.
const BODY: usize = 512 * 1024;

/// How long somebody who was not let in may take to say the rest of a question.
const SAYING: Duration = Duration::from_secs(10);

pub fn router(companion: Arc<dyn Companion>, passes: Arc<Passes>, address: SocketAddr) -> Router {
    let guard = Guard::new(address, passes);
    let behind_the_token = Router::new()
        .route("/api/ask", post(ask::ask))
        .route("/api/export", post(export::export))
        .route("/api/stream", get(stream::stream).with_state((companion.clone(), Places::default())))
        .route_layer(from_fn_with_state(guard.clone(), guard::token))
        .with_state(companion);
    Router::new()
        .route("/api/login", post(login))
        .route("/api/proof", post(proof))
        .route_layer(from_fn(in_time))
        .with_state(guard.clone())
        .merge(behind_the_token)
        .fallback(files)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn_with_state(guard, guard::gate))
}

async fn files(uri: Uri, headers: HeaderMap) -> Response {
    ui::file(uri.path().trim_start_matches('/'), &headers)
}

/// Half a question holds one of few connections.
async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(SAYING, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    code: String,
}

async fn login(State(guard): State<Guard>, Json(login): Json<Login>) -> Response {
    match guard.passes.redeem(&login.code) {
        Some(token) => ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "token": token }))).into_response(),
        None => {
            let message = "This code was used already, is too old, or never was one";
            let next = "Run `pairwave dashboard` in a terminal for a new one.";
            failed(StatusCode::FORBIDDEN, &Failure::new(Code::Refused, "wrong_code", message, next))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    id: String,
    nonce: String,
}

/// For a page that wants to know who is here before it shows its token.
async fn proof(State(guard): State<Guard>, Json(challenge): Json<Challenge>) -> Response {
    match guard.passes.proof(&challenge.id, &challenge.nonce) {
        Some(proof) => ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "proof": proof }))).into_response(),
        None => {
            let message = "This browser was not let in, or too long ago";
            let next = "Run `pairwave dashboard` in a terminal: it opens the page anew.";
            failed(StatusCode::FORBIDDEN, &Failure::new(Code::Refused, "unknown_token", message, next))
        }
    }
}
