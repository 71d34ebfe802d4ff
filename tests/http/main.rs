//! The REST API as a stranger meets it: real HTTP over loopback, real actors over a simulated store, and the attacks.

mod browser;
mod input;
mod pages;
mod people;
mod races;
mod rights;
mod rooms;

use std::net::SocketAddr;
use std::sync::Arc;

use actors::Node;
use axum::extract::ConnectInfo;
use hubbub::auth::{self, Auth};
use hubbub::http::{Config, Http, Peer};
use schema::{RoomId, UserId, rest};
use serde_json::{Value, json};
use store::{Journal, Records, SimStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";

/// A node's HTTP side.
pub struct House {
    pub address: SocketAddr,
    pub auth: Auth,
    pub node: Node,
    _web: tempfile::TempDir,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    /// Name and value of the cookie that was set, as they are.
    pub cookie: Option<String>,
    pub body: String,
}

/// Somebody signed in by the API.
pub struct Person {
    pub id: UserId,
    pub access: String,
    pub refresh: String,
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_, _| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut auth::Config, &mut Config)) -> Self {
        let web = tempfile::tempdir().unwrap();
        std::fs::create_dir(web.path().join("assets")).unwrap();
        std::fs::write(web.path().join("index.html"), "<!doctype html><title>Hubbub</title>").unwrap();
        std::fs::write(web.path().join("assets/app-1a2b.js"), "export {}").unwrap();
        std::fs::write(web.path().join(".env"), "SECRET=1").unwrap();
        let mut auth = auth::Config { passwords_waiting_max: 1000, ..auth::Config::default() };
        let mut http = Config {
            origins: vec!["https://pages.example".into()],
            nodes: Vec::new(),
            trusted_proxies: Vec::new(),
            web_dir: Some(web.path().to_owned()),
            refresh_days: 30,
            requests_max: 1000,
            events_per_minute: 120,
        };
        change(&mut auth, &mut http);
        let store = SimStore::default();
        let (journal, records): (Arc<dyn Journal>, Arc<dyn Records>) = (Arc::new(store.clone()), Arc::new(store));
        let auth = Auth::open(records.clone(), auth).await.unwrap();
        let config = actors::Config { slots: 4, ..actors::Config::default() };
        let node = Node::start(config, journal, records, Vec::new()).await.unwrap();
        let router = Http::new(auth.clone(), node.clone(), Box::new(|_| Ok(())), http).router();
        let with_peer = router.layer(axum::middleware::map_request(|mut request: axum::extract::Request| async move {
            let ConnectInfo(address) = *request.extensions().get::<ConnectInfo<SocketAddr>>().unwrap();
            request.extensions_mut().insert(Peer { address: address.ip(), tls: false });
            request
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = with_peer.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self { address, auth, node, _web: web }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Bytes as they are, on a connection of their own.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has seen enough may close before it has read all.
        let _ = stream.write_all(bytes).await;
        Self::answer(stream).await
    }

    /// The same from a client that gives up when not all it has to say is taken.
    pub async fn raw_whole(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.expect("the server reads to the end");
        Self::answer(stream).await
    }

    async fn answer(mut stream: TcpStream) -> Answer {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let set = head.lines().filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookie = set.and_then(|(_, cookie)| cookie.split(';').next()).map(str::to_owned);
        Answer { status, head: head.to_lowercase(), cookie, body: body.to_owned() }
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str("content-type: application/json\r\n");
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.raw(request.as_bytes()).await
    }

    pub async fn by(&self, who: &Person, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {}", who.access))], body).await
    }

    pub async fn sign_up(&self, name: &str) -> Person {
        let body = json!({ "name": name, "password": PASSWORD, "device": Uuid::now_v7() });
        let answer = self.ask("POST", "/v1/auth/signup", &[("hubbub-client", "native")], Some(&body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let tokens: rest::Tokens = serde_json::from_str(&answer.body).unwrap();
        Person { id: tokens.user, access: tokens.access, refresh: tokens.refresh.unwrap() }
    }

    pub async fn make_room(&self, owner: &Person, kind: &str, settings: Value, members: &[&Person]) -> RoomId {
        let room = RoomId(Uuid::now_v7());
        let members: Vec<UserId> = members.iter().map(|person| person.id).collect();
        let body = json!({ "room": room, "kind": kind, "settings": settings, "members": members });
        let answer = self.by(owner, "POST", "/v1/rooms", Some(&body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.landed().room
    }

    pub async fn say(&self, who: &Person, room: RoomId, text: &str) -> Answer {
        self.by(who, "POST", &format!("/v1/rooms/{room}/messages"), Some(&json!({ "text": text }))).await
    }

    pub async fn page(&self, who: &Person, room: RoomId) -> rest::Page {
        let answer = self.by(who, "GET", &format!("/v1/rooms/{room}/messages?limit=200"), None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    }
}

impl Answer {
    pub fn landed(&self) -> rest::Landed {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
    /// The code of a refusal, which must be one in the one form.
    pub fn code(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        let problem: rest::Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert!(!problem.detail.is_empty() && problem.request.is_some());
        problem.code
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}
