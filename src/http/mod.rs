//! The REST API and what else a browser asks of a node: one file a resource, one way in (`guard`) and one way out of
//! trouble (`problem`). Decides nothing about rooms or people: it asks `auth` and the actors.

mod auth;
mod body;
mod channels;
mod cookie;
mod devices;
mod docs;
mod guard;
mod history;
mod invites;
mod members;
mod messages;
mod pages;
mod peer;
mod people;
mod problem;
mod reactions;
mod reading;
mod request;
mod rooms;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use actors::{Command, Node, Reply};
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use schema::client::{Act, Order};
use schema::{ErrorCode, RoomId, UserId, rest};
use tokio::sync::{Semaphore, oneshot};

use crate::auth::{Auth, Identity};
use crate::edge::Origins;

pub use peer::Peer;
pub use problem::Problem;

use request::Key;

/// Whether a user may have one more ordered request done now; else in how many milliseconds.
pub type Admit = Box<dyn Fn(UserId) -> Result<(), u32> + Send + Sync>;

pub struct Config {
    /// Origins besides the node's own whose pages may use the API.
    pub origins: Vec<String>,
    /// Where pages of ours may go besides their own node, as origins; their pages may use the API too.
    pub nodes: Vec<String>,
    pub trusted_proxies: Vec<IpAddr>,
    /// The built web client.
    pub web_dir: Option<PathBuf>,
    /// How long the refresh cookie is kept.
    pub refresh_days: u32,
    /// Requests under way at once; over it: `busy`.
    pub requests_max: usize,
    /// Ordered requests per user and minute, as `admit` counts them: said in the `RateLimit-Policy` header.
    pub events_per_minute: u32,
}

#[derive(Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    auth: Auth,
    node: Node,
    admit: Admit,
    config: Config,
    origins: Origins,
    /// Of every answer: what pages may load, and whom they may talk to.
    policy: HeaderValue,
    places: Semaphore,
    pages: pages::Pages,
}

impl Http {
    pub fn new(auth: Auth, node: Node, admit: Admit, config: Config) -> Self {
        let places = Semaphore::new(config.requests_max.max(1));
        let pages = pages::Pages::new(config.web_dir.clone());
        // One that is no origin lets nobody in; the configuration was checked and has none.
        let origins = Origins::new(config.origins.iter().chain(&config.nodes).cloned()).unwrap_or_default();
        let policy = guard::policy(&config.nodes);
        Self(Arc::new(Inner { auth, node, admit, config, origins, policy, places, pages }))
    }

    /// Everything but the WebSocket. Requests carry a `Peer` extension.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .merge(auth::routes())
            .merge(devices::routes())
            .merge(invites::routes())
            .merge(people::routes())
            .merge(rooms::routes())
            .merge(members::routes())
            .merge(channels::routes())
            .merge(messages::routes())
            .merge(history::routes())
            .merge(reactions::routes())
            .merge(reading::routes())
            .merge(docs::routes());
        let guarded = axum::middleware::from_fn_with_state(self.clone(), guard::guard);
        api.fallback(pages::serve).layer(guarded).with_state(self.clone())
    }

    /// The same rule as for sockets: no page at all, our own, or a configured one, exactly.
    fn allows(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        self.0.origins.allow(headers.get_all(header::ORIGIN).iter().map(HeaderValue::as_bytes), host)
    }

    /// Has an ordered request done by its room. Errors: the room's, `rate_limited`, `unavailable`.
    async fn land(&self, who: Identity, room: RoomId, key: Key, after: Option<u64>, act: Act) -> Result<axum::Json<rest::Landed>, Problem> {
        (self.0.admit)(who.user).map_err(|ms| Problem::from(ErrorCode::RateLimited).after_ms(ms))?;
        let order = Order { id: 0, room, cmid: key.cmid(who.user, room, after), after: after.unwrap_or(0), prev: None };
        let (answer, answered) = oneshot::channel();
        self.0.node.command(Command { user: who.user, order, act, reply: Reply::Once(answer) });
        match answered.await {
            Ok(Ok(landed)) => Ok(axum::Json(landed)),
            Ok(Err(refusal)) => Err(refusal.into()),
            Err(_) => Err(ErrorCode::Unavailable.into()),
        }
    }
}
