//! The REST API, one request a connection. Only what a load run needs: signing up and in, pages, and any other call by
//! method and path.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use schema::rest::{LogIn, Page, Problem, Refresh, SignUp, Tokens};
use schema::wire::{from_json, to_json};
use schema::{DeviceId, RoomId};
use serde::de::DeserializeOwned;
use tokio::net::TcpSocket;

use super::stream::Stream;
use super::{Error, Tls};

const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Where a node listens, from which address we come, and whether that is by TLS.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub node: SocketAddr,
    pub source: Option<IpAddr>,
    pub tls: Option<&'static Tls>,
}

impl Target {
    pub fn new(node: SocketAddr) -> Self {
        Self { node, source: None, tls: None }
    }

    pub(super) async fn connect(&self) -> Result<Stream, Error> {
        let socket = if self.node.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(Error::Connect)?;
        socket.set_reuseaddr(true).map_err(Error::Connect)?;
        if let Some(source) = self.source {
            socket.bind((source, 0).into()).map_err(Error::Connect)?;
        }
        let stream = socket.connect(self.node).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        match self.tls {
            Some(tls) => Stream::secure(stream, tls).await.map_err(Error::Secure),
            None => Ok(Stream::plain(stream)),
        }
    }

    /// As requests name it.
    pub(super) fn host(&self) -> String {
        match self.tls {
            Some(tls) => format!("{}:{}", tls.name.to_str(), self.node.port()),
            None => self.node.to_string(),
        }
    }
}

/// The API as one login, or as nobody.
#[derive(Clone, Debug)]
pub struct Api {
    pub target: Target,
    pub access: Option<String>,
}

impl Api {
    pub fn nobody(target: Target) -> Self {
        Self { target, access: None }
    }
    pub fn signed_in(target: Target, access: &str) -> Self {
        Self { target, access: Some(access.to_owned()) }
    }

    pub async fn sign_up(&self, name: &str, password: &str, device: DeviceId) -> Result<Tokens, Error> {
        let (name, password, label) = (name.to_owned(), password.to_owned(), "loadtest".to_owned());
        let body = SignUp { display: name.clone(), name, password, device, label, invite: None };
        self.call(Method::POST, "/v1/auth/signup", Some(to_json(&body))).await
    }

    pub async fn log_in(&self, name: &str, password: &str, device: DeviceId) -> Result<Tokens, Error> {
        let (name, password, label) = (name.to_owned(), password.to_owned(), "loadtest".to_owned());
        let body = LogIn { name, password, device, label };
        self.call(Method::POST, "/v1/auth/login", Some(to_json(&body))).await
    }

    pub async fn refresh(&self, refresh: &str) -> Result<Tokens, Error> {
        let body = Refresh { refresh: Some(refresh.to_owned()), device: None };
        self.call(Method::POST, "/v1/auth/refresh", Some(to_json(&body))).await
    }

    pub async fn page_after(&self, room: RoomId, after: u64, limit: usize) -> Result<Page, Error> {
        self.call(Method::GET, &format!("/v1/rooms/{room}/messages?after={after}&limit={limit}"), None).await
    }

    /// Any call; `body` is JSON.
    pub async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<T, Error> {
        let stream = self.target.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Error::http)?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(self.request(method, path, body)?).await.map_err(Error::http)?;
        let status = response.status();
        let whole = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|error| Error::Http(error.to_string()))?;
        let body = whole.to_bytes();
        drop(sender);
        connection.abort();
        if status.is_success() {
            return from_json(&body).map_err(|error| Error::Answer { path: path.to_owned(), reason: error.0 });
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(Error::Problem(Box::new(problem))),
            Err(_) => Err(Error::Status { path: path.to_owned(), status: status.as_u16() }),
        }
    }

    fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.target.host());
        // Not a page: the refresh token is to come in the body.
        request = request.header("hubbub-client", "native");
        if let Some(access) = &self.access {
            request = request.header(header::AUTHORIZATION, format!("Bearer {access}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(body.unwrap_or_default())).map_err(|error| Error::Http(error.to_string()))
    }
}
