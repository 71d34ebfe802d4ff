//! The command line's end of the Unix socket.

use std::io;
use std::path::Path;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::{Answer, Order, Refused, socket};

const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A node that runs on this data.
pub struct Running(UnixStream);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the running node did not answer: {0}")]
    Broken(String),
}

/// None if no node runs on this data. Errors: it runs and may not be asked.
pub async fn find(data_dir: &Path) -> io::Result<Option<Running>> {
    match UnixStream::connect(socket::path(data_dir)).await {
        Ok(stream) => Ok(Some(Running(stream))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Running {
    pub async fn ask(self, order: &Order) -> Result<Answer, Error> {
        let broken = |error: &dyn std::fmt::Display| Error::Broken(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.0)).await.map_err(|error| broken(&error))?;
        let connection = tokio::spawn(connection);
        let body = serde_json::to_vec(order).map_err(|error| broken(&error))?;
        let request = Request::post(socket::PATH)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broken(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|error| broken(&error))?.to_bytes();
        drop(sender);
        connection.abort();
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| broken(&error));
        }
        match serde_json::from_slice::<Refused>(&body) {
            Ok(refused) => Err(refused.into()),
            // Another version of us, or an order that it does not know.
            Err(_) => Err(Error::Broken(format!("{status}: {}", String::from_utf8_lossy(&body).trim()))),
        }
    }
}
