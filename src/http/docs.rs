//! `/openapi.json`, `/asyncapi.json`, and `/docs`: a page that shows both, of our own files only.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Http;

const OPENAPI: &str = include_str!("../../docs/api/openapi.json");
const ASYNCAPI: &str = include_str!("../../docs/api/asyncapi.json");
const PAGE: &str = include_str!("../../docs/api/index.html");
const SCRIPT: &str = include_str!("../../docs/api/docs.js");
const STYLE: &str = include_str!("../../docs/api/docs.css");

pub fn routes() -> Router<Http> {
    Router::new()
        .route("/openapi.json", get(|| text("application/json", OPENAPI)))
        .route("/asyncapi.json", get(|| text("application/json", ASYNCAPI)))
        .route("/docs", get(|| text("text/html; charset=utf-8", PAGE)))
        .route("/docs/docs.js", get(|| text("text/javascript; charset=utf-8", SCRIPT)))
        .route("/docs/docs.css", get(|| text("text/css; charset=utf-8", STYLE)))
}

async fn text(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))], text)
        .into_response()
}
