//! `--metrics ADDRESS`: `/metrics` for Prometheus while a run is under way. Serves nothing else, and nobody is let in by it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::exposition::Exposition;
use crate::run::News;

/// At a time; who comes on top waits.
const CONNECTIONS_MAX: usize = 16;
const HEADER_MAX: Duration = Duration::from_secs(10);

pub struct Endpoint {
    exposition: Arc<Mutex<Exposition>>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot serve metrics at {address}: choose another --metrics"))?;
        let exposition = Arc::new(Mutex::new(Exposition::default()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&exposition)));
        Ok(Self { exposition, serving })
    }

    pub fn tell(&self, news: &News) {
        if let Ok(mut exposition) = self.exposition.lock() {
            exposition.hear(news);
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, exposition: Arc<Mutex<Exposition>>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let exposition = Arc::clone(&exposition);
        tokio::spawn(async move {
            let answering = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &exposition))));
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX);
            // Who asked and went away misses nothing.
            http.serve_connection(TokioIo::new(stream), answering).await.ok();
            drop(place);
        });
    }
}

fn answer(request: &Request<Incoming>, exposition: &Mutex<Exposition>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        let mut response = Response::new(Full::from("the figures are at /metrics\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let text = exposition.lock().map(|exposition| exposition.text()).unwrap_or_default();
    let mut response = Response::new(Full::from(text));
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
