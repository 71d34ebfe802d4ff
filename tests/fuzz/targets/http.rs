//! Requests as a stranger and as a member send them, through the whole router over a simulated store: paths, queries,
//! cursors, cookies, keys, bodies. No request may meet a bug, and each refusal has the one form.

use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actors::Node;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, header};
use hubbub::auth::{self, Auth, Origin};
use hubbub::http::{Config, Http, Peer};
use schema::DeviceId;
use schema::rest::{Problem, SignUp};
use store::{Journal, Records, SimStore};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use super::{Target, golden, is_a_sentence};
use crate::mutate::Form;

pub const HTTP_REQUEST: Target = Target { name: "http_request", form: Form::Text(WORDS), seeds, feed };

const ROOM: &str = "01937b2c-4e5f-7a6b-8c7d-9eafb0c1d210";

const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "PUT ",
    "PATCH ",
    "DELETE ",
    "OPTIONS ",
    "HEAD ",
    "/v1/",
    "rooms/",
    "messages/",
    "members/",
    "channels",
    "users",
    "me",
    "reactions/",
    "pin",
    "read",
    "typing",
    "receipts",
    "state_hash",
    "auth/",
    "login",
    "signup",
    "refresh",
    "logout",
    "password",
    "devices",
    "ticket",
    "tickets",
    "docs",
    "assets/",
    "%2e%2e",
    "before=",
    "after=",
    "around=",
    "at=",
    "limit=",
    "from=",
    "to=",
    "cursor=",
    "q=",
    "18446744073709551615",
    "-1",
    "0",
    "1",
    "65536",
    ROOM,
    "\nauthorization: Bearer x",
    "\ncontent-type: application/json",
    "\ncookie: hubbub_refresh=",
    "\nidempotency-key: ",
    "\nx-forwarded-for: ",
    "\norigin: https://pages.example",
    "\naccept-encoding: gzip",
    "\nif-none-match: ",
    "\nrange: bytes=0-",
    "\n\n",
    "{}",
    "%00",
    "%f0%9f%91%8d",
];

fn seeds() -> Vec<Vec<u8>> {
    let plain = [
        "GET /",
        "GET /v1/me",
        "GET /v1/rooms?limit=2&cursor=AZN7LE5femuMfZ6vsMHSEA",
        "GET /v1/users?q=so",
        "GET /v1/auth/devices",
        "POST /v1/auth/logout",
        "POST /v1/auth/refresh\ncookie: hubbub_refresh=hr_a.b.1.c",
        "GET /docs",
        "GET /v1/openapi.json",
        "OPTIONS /v1/rooms\norigin: https://pages.example",
    ];
    let rooms = [
        "",
        "/messages?before=9&limit=3",
        "/messages?around=5",
        "/messages?at=1500000000000",
        "/members?limit=2",
        "/receipts",
        "/state_hash?from=1&to=9",
        "/channels",
    ];
    let mut seeds: Vec<Vec<u8>> = plain.iter().map(|line| line.as_bytes().to_vec()).collect();
    seeds.extend(rooms.iter().map(|rest| format!("GET /v1/rooms/{ROOM}{rest}").into_bytes()));
    seeds.push(format!("PUT /v1/rooms/{ROOM}/messages/3/reactions/%F0%9F%91%8D\nidempotency-key: one").into_bytes());
    seeds.push(format!("DELETE /v1/rooms/{ROOM}/messages/3?reason=spam\nidempotency-key: two").into_bytes());
    let paths = [
        "auth/signup",
        "auth/login",
        "auth/refresh",
        "auth/password",
        "me",
        "rooms",
        &format!("rooms/{ROOM}/messages"),
        &format!("rooms/{ROOM}/read"),
    ]
    .map(str::to_owned);
    for (number, body) in golden("rest", ".json").iter().enumerate() {
        let head = format!("POST /v1/{}\ncontent-type: application/json\nidempotency-key: k{number}\n\n", paths[number % paths.len()]);
        seeds.push([head.as_bytes(), body].concat());
    }
    seeds
}

struct House {
    runtime: Runtime,
    router: Router,
    bearer: HeaderValue,
}

impl House {
    fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, access) = runtime.block_on(async {
            let store = SimStore::default();
            let (journal, records): (Arc<dyn Journal>, Arc<dyn Records>) = (Arc::new(store.clone()), Arc::new(store));
            let auth = Auth::open(records.clone(), auth::Config::default()).await.expect("a sign-in");
            let config = actors::Config { slots: 4, ..actors::Config::default() };
            let node = Node::start(config, journal, records, Vec::new()).await.expect("a node");
            let somebody = SignUp {
                name: "somebody".into(),
                display: String::new(),
                password: "correct horse battery".into(),
                device: DeviceId::default(),
                label: String::new(),
                invite: None,
            };
            let origin = Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device: DeviceId::default(), label: String::new() };
            let signed_in = auth.sign_up(somebody, origin).await.expect("somebody signs up");
            let config = Config {
                origins: vec!["https://pages.example".into()],
                nodes: Vec::new(),
                trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
                web_dir: None,
                refresh_days: 30,
                requests_max: 10,
                events_per_minute: 120,
            };
            (Http::new(auth, node, Box::new(|_| Ok(())), config).router(), signed_in.access)
        });
        Self { runtime, router, bearer: HeaderValue::from_str(&format!("Bearer {access}")).expect("a token is a header") }
    }

    fn ask(&self, mut request: Request<Body>) {
        request.headers_mut().entry(header::AUTHORIZATION).or_insert(self.bearer.clone());
        request.extensions_mut().insert(Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: false });
        let is_head = request.method() == Method::HEAD;
        let shown = format!("{} {}", request.method(), request.uri());
        self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (status, kind) = (response.status(), response.headers().get(header::CONTENT_TYPE).cloned());
            let body = to_bytes(response.into_body(), 4 << 20).await.expect("a body that ends");
            assert_ne!(status.as_u16(), 500, "{shown} met a bug");
            if !is_head && kind.is_some_and(|kind| kind == "application/problem+json") {
                let problem: Problem = serde_json::from_slice(&body).expect("a problem in its form");
                is_a_sentence(&problem.detail);
            }
        });
    }
}

thread_local! {
    static HOUSE: OnceCell<House> = const { OnceCell::new() };
}

/// `METHOD path`, lines of headers, an empty line, a body.
fn feed(input: &[u8]) {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((input, &[][..]), |at| (&input[..at], &input[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let builder = Request::builder().method(first.next().unwrap_or_default()).uri(first.next().unwrap_or_default());
    let Ok(mut request) = builder.body(Body::from(body.to_vec())) else { return };
    if !request.uri().path().starts_with('/') {
        return; // Nothing that hyper would hand on.
    }
    for (name, value) in lines.filter_map(|line| line.split_once(": ")).take(60) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            request.headers_mut().append(name, value);
        }
    }
    HOUSE.with(|house| house.get_or_init(House::build).ask(request));
}
