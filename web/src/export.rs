//! The transcript as a file: a part at a time out of the companion, so that nobody holds all of it.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use pairwave_api::{Companion, CompanionExt, ExportPart, ExportedPart, Failure};
use serde::Deserialize;

use crate::ask::{refused, unreadable};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    room: String,
    format: String,
}

/// Whatever the format, it comes as bytes to keep: a browser that were led here would show nothing of it.
pub async fn export(
    State(companion): State<Arc<dyn Companion>>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Response {
    let wanted = match wanted {
        Ok(Json(Wanted { room, format })) => ExportPart { room: Some(room), format: Some(format), next: None },
        Err(rejection) => return unreadable(&rejection),
    };
    match companion.ask(wanted.clone()).await {
        Ok(first) => {
            let headers = [
                (header::CACHE_CONTROL, "no-store"),
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CONTENT_DISPOSITION, "attachment"),
            ];
            (headers, Body::from_stream(whole(companion, wanted, first))).into_response()
        }
        Err(failure) => refused(&failure),
    }
}

/// The parts from the first one on. What is cut short is no file: it ends with an error.
fn whole(
    companion: Arc<dyn Companion>,
    wanted: ExportPart,
    ExportedPart { text, next }: ExportedPart,
) -> impl Stream<Item = io::Result<String>> {
    let rest = stream::try_unfold((companion, next), move |(companion, next)| {
        let wanted = wanted.clone();
        async move {
            let Some(next) = next else { return Ok(None) };
            let asked = companion.ask(ExportPart { next: Some(next), ..wanted }).await;
            let ExportedPart { text, next } = asked.map_err(|Failure { message, .. }| io::Error::other(message))?;
            Ok(Some((text, (companion, next))))
        }
    });
    stream::once(async { Ok(text) }).chain(rest)
}
