//! The guard in front of everything: any page of the web and any program of this machine may try to
//! talk to a port of 127.0.0.1.
//!
//! `Host` must be ours, or a foreign name was made to point here (DNS rebinding). `Origin` must be
//! ours where there is one. A question must be JSON, which no foreign page can send without asking
//! first, and nobody who asks is told yes: there is no CORS. And it must show a token, kept where
//! another port of this machine cannot read it, as it could a cookie (RFC 6265 §8.5).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pairwave_api::{Code, Failure};

use crate::ask::failed;
use crate::passes::Passes;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
    font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types pairwave";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What the guard knows.
#[derive(Clone)]
pub struct Guard {
    hosts: Arc<[String; 2]>,
    pub passes: Arc<Passes>,
}

impl Guard {
    pub fn new(address: SocketAddr, passes: Arc<Passes>) -> Self {
        let port = address.port();
        Self { hosts: Arc::new([format!("127.0.0.1:{port}"), format!("localhost:{port}")]), passes }
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|ours| host.eq_ignore_ascii_case(ours))
    }

    /// Why a request is turned away at the gate, if it is.
    fn objection(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let hosts = headers.get_all(header::HOST).iter().count();
        if hosts != 1 || !text(header::HOST).is_some_and(|host| self.is_host(host)) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "this page answers under its own address alone"));
        }
        let origin = headers.get(header::ORIGIN);
        let ours = text(header::ORIGIN)
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|host| self.is_host(host));
        if origin.is_some() && !ours {
            return Some((StatusCode::FORBIDDEN, "another page may not ask"));
        }
        let site = text(HeaderName::from_static("sec-fetch-site"));
        let from_elsewhere = matches!(site, Some("cross-site" | "same-site"));
        match *method {
            // A link on a foreign page may lead here; what it gets is the empty page.
            Method::GET => None,
            Method::POST if from_elsewhere => Some((StatusCode::FORBIDDEN, "another page may not ask")),
            Method::POST if !is_json(text(header::CONTENT_TYPE)) => {
                Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, "a question is JSON"))
            }
            Method::POST => None,
            _ => Some((StatusCode::METHOD_NOT_ALLOWED, "there is nothing to do so")),
        }
    }
}

fn is_json(kind: Option<&str>) -> bool {
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Stands before every route, and puts on every answer what a browser is to keep to.
pub async fn gate(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.objection(request.method(), request.headers()) {
        Some((status, why)) => (status, why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Stands before what only a browser that was let in may ask.
pub async fn token(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|shown| shown.strip_prefix("Bearer "));
    if token.is_some_and(|token| guard.passes.is_good(token)) {
        return next.run(request).await;
    }
    let failure = Failure::new(
        Code::Refused,
        "locked",
        "This browser was not let in",
        "Run `pairwave dashboard` in a terminal: it opens the page with a code that is good once.",
    );
    failed(StatusCode::UNAUTHORIZED, &failure)
}
