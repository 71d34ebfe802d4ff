//! What every request passes: an id, a place among those under way, the check of its origin; and every answer: headers that
//! keep browsers safe, errors in the one form, a line in the log, a measurement.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use metrics::Histogram;
use schema::ErrorCode;
use tracing::Instrument;
use uuid::Uuid;

use super::body::Shared;
use super::{Http, Peer, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer than anything but a node in trouble takes; its clients resend.
const DEADLINE: Duration = Duration::from_secs(30);

/// Scripts, styles and connections of our own only; nothing may frame us. A string becomes a script's address by the client's
/// one policy (`web/app/src/model/trusted.ts`), and markup by none.
const POLICY: &str = "default-src 'self'; connect-src 'self'{nodes}; img-src 'self' data: blob:; media-src 'self' blob:; \
    style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hubbub";

/// With the other nodes, whom pages may ask and have a socket to.
pub fn policy(nodes: &[String]) -> HeaderValue {
    let sources: String = nodes.iter().map(|node| format!(" {node} {}", node.replacen("http", "ws", 1))).collect();
    let own = || HeaderValue::from_str(&POLICY.replace("{nodes}", ""));
    HeaderValue::from_str(&POLICY.replace("{nodes}", &sources)).or_else(|_| own()).expect("the policy is a header")
}

pub async fn guard(State(http): State<Http>, request: Request, next: Next) -> Response {
    let (start, id) = (Instant::now(), Uuid::now_v7().to_string());
    let (parts, body) = request.into_parts();
    let peer = Peer::of(&parts, &http);
    let (method, is_api) = (parts.method.clone(), parts.uri.path().starts_with("/v1/"));
    let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let page = page_of(&http, &parts.headers);
    let span = tracing::info_span!("request", %id, %method, route);
    let work = async {
        match &page {
            Err(()) => Problem::new(ErrorCode::Forbidden, "pages of that origin may not use this node").into_response(),
            Ok(Some(_)) if method == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
            Ok(_) => {
                // Who waits to be told to go on sends nothing that is not asked for.
                let waits = parts.headers.contains_key(header::EXPECT);
                let body = Shared::new(body);
                let response = run(&http, Request::from_parts(parts, body.handle()), next).await;
                if !waits {
                    body.read_to_the_end().await;
                }
                response
            }
        }
    };
    let mut response = write_out(work.instrument(span.clone()).await, is_api, &id);
    let status = response.status();
    add_headers(response.headers_mut(), peer, is_api, &id);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, http.0.policy.clone());
    if let Ok(Some(origin)) = &page {
        add_cors(response.headers_mut(), origin);
    }
    if is_api {
        let policy = HeaderValue::from_str(&format!("\"user\";q={};w=60", http.0.config.events_per_minute));
        response.headers_mut().extend(policy.map(|policy| (HeaderName::from_static("ratelimit-policy"), policy)));
    }
    measure(status, start.elapsed());
    let _entered = span.enter();
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), "a request failed");
    } else {
        tracing::debug!(status = status.as_u16(), micros = start.elapsed().as_micros() as u64, "answered");
    }
    response
}

async fn run(http: &Http, request: Request, next: Next) -> Response {
    let Ok(_place) = http.0.places.try_acquire() else {
        return Problem::new(ErrorCode::Busy, "the node has as many requests as it takes: resend later").into_response();
    };
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a request met a bug and was given up");
            Problem::from(ErrorCode::Internal).into_response()
        }
        Err(_) => Problem::from(ErrorCode::Unavailable).into_response(),
    }
}

/// The page that asks. Our tokens are not sent by themselves, so this is the second lock on the door; for the cookie it is
/// the first. Err: it may not.
fn page_of(http: &Http, headers: &HeaderMap) -> Result<Option<HeaderValue>, ()> {
    if http.allows(headers) { Ok(headers.get(header::ORIGIN).cloned()) } else { Err(()) }
}

/// Refusals, and what the router says by itself, in the one form.
fn write_out(mut response: Response, is_api: bool, id: &str) -> Response {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let cookie = response.headers_mut().remove(header::SET_COOKIE);
        let mut response = problem.write(status, id.to_owned());
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        return response;
    }
    let is_bare = is_api && status.is_client_error() && !response.headers().contains_key(header::CONTENT_TYPE);
    match status {
        StatusCode::METHOD_NOT_ALLOWED if is_bare => {
            let allow = response.headers_mut().remove(header::ALLOW);
            let problem = Problem::new(ErrorCode::BadRequest, "this address does not take that method");
            let mut response = problem.write(status, id.to_owned());
            response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
            response
        }
        _ if is_bare => Problem::from(ErrorCode::BadRequest).write(status, id.to_owned()),
        _ => response,
    }
}

fn add_headers(headers: &mut HeaderMap, peer: Peer, is_api: bool, id: &str) {
    let mut set = |name: HeaderName, value: &'static str| drop(headers.insert(name, HeaderValue::from_static(value)));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "geolocation=(), payment=(), usb=()");
    if peer.tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    headers.extend(HeaderValue::from_str(id).map(|id| (REQUEST_ID, id)));
}

/// Without credentials: a page elsewhere signs in with tokens in bodies, never with the cookie.
fn add_cors(headers: &mut HeaderMap, origin: &HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key, hubbub-client"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after, ratelimit, ratelimit-policy, x-request-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// By class of answer: one handle each, so that no look-up by name is on the way.
fn measure(status: StatusCode, took: Duration) {
    static SECONDS: OnceLock<[Histogram; 3]> = OnceLock::new();
    let histograms = SECONDS.get_or_init(|| {
        ["ok", "refused", "failed"].map(|outcome| metrics::histogram!("hubbub_http_request_seconds", "outcome" => outcome))
    });
    let class = match status.as_u16() {
        ..400 => 0,
        400..500 => 1,
        _ => 2,
    };
    histograms[class].record(took);
}
