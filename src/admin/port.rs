//! The operators' port: probes, metrics, version, log level. Plain HTTP without log-in: it belongs on a private address.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};

use crate::health::{Health, Report};
use crate::logs;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Clone)]
pub struct Port {
    pub health: Health,
    pub metrics: PrometheusHandle,
}

/// Body of `GET` and `PUT /log`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLevel {
    pub level: String,
}

pub fn router(port: Port) -> Router {
    Router::new()
        .route("/livez", get(|State(port): State<Port>| async move { probe(port.health.live()) }))
        .route("/readyz", get(|State(port): State<Port>| async move { probe(port.health.ready()) }))
        .route("/startupz", get(|State(port): State<Port>| async move { probe(port.health.started()) }))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .route("/log", put(set_level).get(level))
        .with_state(port)
}

fn probe(report: Report) -> Response {
    let status = if report.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], axum::Json(report)).into_response()
}

async fn metrics(State(port): State<Port>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], port.metrics.render())
}

async fn version() -> impl IntoResponse {
    axum::Json(serde_json::json!({ "name": "hubbub", "version": VERSION, "level": schema::limits::LEVEL }))
}

async fn level() -> impl IntoResponse {
    axum::Json(LogLevel { level: logs::level().unwrap_or_default() })
}

async fn set_level(body: axum::Json<LogLevel>) -> Response {
    match logs::set_level(&body.level) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn ask(port: &Port, path: &str) -> (StatusCode, String) {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = router(port.clone()).oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn probes_follow_the_health_of_the_node() {
        let port = Port { health: Health::default(), metrics: super::super::metrics::install().unwrap() };
        assert_eq!(ask(&port, "/startupz").await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask(&port, "/livez").await.0, StatusCode::OK);
        port.health.serving();
        assert_eq!(ask(&port, "/readyz").await, (StatusCode::OK, "{\"ok\":true,\"phase\":\"serving\"}".into()));
        port.health.draining();
        assert_eq!(ask(&port, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn metrics_are_shown_as_histograms_with_buckets() {
        let port = Port { health: Health::default(), metrics: super::super::metrics::install().unwrap() };
        metrics::histogram!("hubbub_test_wait_seconds").record(0.002);
        let (status, page) = ask(&port, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("hubbub_test_wait_seconds_bucket{le=\"0.0025\"} 1"), "{page}");
    }
}
