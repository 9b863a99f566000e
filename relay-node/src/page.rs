//! Figures, health and one status page over HTTP, for the owner of the relay.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::desk::Desk;
use crate::error::RelayError;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Nothing is loaded, run, framed or sent from the page.
const POLICY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// What the pages show.
struct Shown {
    desk: Arc<Desk>,
    since: Instant,
}

/// Serves until the task is aborted.
pub async fn serve(at: SocketAddr, desk: Arc<Desk>) -> Result<(SocketAddr, JoinHandle<()>), RelayError> {
    let failed = |why| RelayError::Metrics { at, why };
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let shown = Arc::new(Shown { desk, since: Instant::now() });
    let router = Router::new()
        .route("/", get(status))
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .with_state(shown);
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the figures are served no longer");
        }
    });
    Ok((bound, serving))
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    shown.refresh();
    ([(header::CONTENT_TYPE, OPEN_METRICS)], shown.desk.figures.text())
}

async fn health(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    if shown.desk.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if shown.desk.spool.is_sound().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the spool cannot be written\n")
    }
}

async fn status(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    shown.refresh();
    (POLICY, Html(shown.page()))
}

impl Shown {
    /// Takes up what is counted elsewhere.
    fn refresh(&self) {
        let figures = &self.desk.figures;
        let (bytes, letters) = self.desk.spool.waiting();
        figures.spool_bytes.set(bytes.try_into().unwrap_or(i64::MAX));
        figures.letters.set(letters.try_into().unwrap_or(i64::MAX));
        figures.records.set(self.desk.records().try_into().unwrap_or(i64::MAX));
        figures.uptime.set(self.since.elapsed().as_secs().try_into().unwrap_or(i64::MAX));
    }

    fn page(&self) -> String {
        let figures = &self.desk.figures;
        let rows = [
            ("Connections", figures.connections.get()),
            ("Reservations", figures.reservations.get()),
            ("Circuits", figures.circuits.get()),
            ("Letters that wait", figures.letters.get()),
            ("Bytes of letters", figures.spool_bytes.get()),
            ("Records of addresses", figures.records.get()),
            ("Seconds since start", figures.uptime.get()),
        ];
        let mut page = String::from(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>pairwave relay</title>\
             <h1>pairwave relay</h1><table>",
        );
        for (name, value) in rows {
            let _ = write!(page, "<tr><th scope=\"row\">{name}<td>{value}");
        }
        let version = env!("CARGO_PKG_VERSION");
        let _ = write!(
            page,
            "</table><p>Version {version}. What passes through is encrypted from end to end. \
             <a href=\"metrics\">Figures</a> · <a href=\"healthz\">Health</a>"
        );
        page
    }
}
