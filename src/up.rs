//! What becomes of what connections say: who is it, what do they want, which part of the node answers.
//!
//! Called on a lot's thread, so nothing here waits: what takes time is a task. Every request with an id is answered once.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actors::error::Refused;
use actors::outlet::{Down, Encoded, Outlet};
use actors::{Attach, Command, Node, PageQuery, Reply};
use schema::client::{Hello, History, StateHash};
use schema::server::{self, Refusal};
use schema::wire::Format;
use schema::{ClientEvent, CloseCode, ConnectionId, ErrorCode, ServerEvent, UserId};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::auth::{Auth, Identity};
use crate::edge::{Up, UpFn};

/// Greetings at once; the others wait their turn, with hello's own deadline running.
const GREETINGS_MAX: usize = 256;
/// Pages and hashes being read at once.
const READS_MAX: usize = 256;
/// From asking for one until it is given up.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// When a read that was refused for now may be tried again.
const READ_RETRY_MS: u32 = 1_000;

struct Upward {
    node: Node,
    auth: Auth,
    outlets: Vec<Outlet>,
    runtime: Handle,
    greetings: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

/// The way up for all lots of a node.
pub fn upward(node: Node, auth: Auth, outlets: Vec<Outlet>, runtime: Handle) -> UpFn {
    let upward = Arc::new(Upward {
        node,
        auth,
        outlets,
        runtime,
        greetings: Arc::new(Semaphore::new(GREETINGS_MAX)),
        reads: Arc::new(Semaphore::new(READS_MAX)),
    });
    Arc::new(move |ups| {
        // A lot is a plain thread: what the node starts as a task must find the runtime.
        let _inside = upward.runtime.enter();
        upward.take(ups);
    })
}

impl Upward {
    /// Ordered requests that stand together go to their rooms together, and a room submits them as one.
    fn take(self: &Arc<Self>, ups: &mut VecDeque<Up>) {
        let mut commands = Vec::new();
        while let Some(up) = ups.pop_front() {
            match sorted(up) {
                Sorted::Ordered(command) => commands.push(command),
                Sorted::Other(up) => {
                    self.node.commands(commands.drain(..));
                    self.other(up);
                }
            }
        }
        self.node.commands(commands.drain(..));
    }

    fn other(self: &Arc<Self>, up: Up) {
        match up {
            Up::Hello { connection, hello, .. } => self.hello(connection, hello),
            Up::Event { connection, user, format, event } => match event {
                ClientEvent::History(e) => self.history(connection, user, format, e),
                ClientEvent::StateHash(e) => self.state_hash(connection, user, e),
                other => self.node.say(user, connection, other),
            },
            Up::Left { room, lot, count } => self.node.left(room, lot, count),
            Up::Closed { connection, user: Some(user) } => self.node.detach(user, connection),
            Up::Closed { user: None, .. } => {}
        }
    }

    fn hello(self: &Arc<Self>, connection: ConnectionId, hello: Hello) {
        let this = self.clone();
        self.runtime.spawn(async move {
            let _place = this.greetings.acquire().await;
            let Hello { token, ticket, device: _, resume } = hello;
            let identity = match (token, ticket) {
                (Some(token), None) => this.auth.check(&token),
                (None, Some(ticket)) => this.auth.check_ticket(&ticket),
                _ => Err(ErrorCode::BadRequest),
            };
            let Identity { user, login, device } = match identity {
                Ok(identity) => identity,
                Err(code) => return this.turn_away(connection, Refusal::new(0, code)),
            };
            if let Err(refusal) = this.node.attach(Attach { user, device, login, connection, resume }).await {
                this.turn_away(connection, refusal);
            }
        });
    }

    fn turn_away(&self, connection: ConnectionId, refusal: Refusal) {
        let code = match refusal.code {
            ErrorCode::BadRequest => CloseCode::BadHello,
            ErrorCode::LoginRevoked => CloseCode::Revoked,
            code if code.is_temporary() || code == ErrorCode::Internal => CloseCode::Busy,
            _ => CloseCode::Unauthenticated,
        };
        self.send(connection, ServerEvent::Error(refusal));
        self.outlet(connection).push(Down::Close { connection, code });
    }

    /// What is at hand is answered from here: most pages that are read are the last one of a room where much happens.
    fn history(self: &Arc<Self>, connection: ConnectionId, user: UserId, format: Format, asked: History) {
        let History { id, room, before, after, around, at, limit } = asked;
        let query = PageQuery { room, before, after, around, at, limit };
        if let Some(page) = self.node.page_at_hand(user, query, format) {
            return self.outlet(connection).push(Down::Page { connection, id, page });
        }
        let this = self.clone();
        self.runtime.spawn(async move {
            match this.in_turn(this.node.page(user, query, format)).await {
                Ok(page) => this.outlet(connection).push(Down::Page { connection, id, page }),
                Err(why) => this.answer(connection, id, Err(why)),
            }
        });
    }

    fn state_hash(self: &Arc<Self>, connection: ConnectionId, user: UserId, asked: StateHash) {
        let this = self.clone();
        self.runtime.spawn(async move {
            let StateHash { id, room, from, to } = asked;
            let hash = this.in_turn(this.node.state_hash(user, room, from, to)).await;
            let answer = hash.map(|hash| ServerEvent::StateHash(server::StateHash { id, room, from, to, hash }));
            this.answer(connection, id, answer);
        });
    }

    /// Waiting for its turn counts: whoever asked has given it up after that.
    async fn in_turn<T>(&self, read: impl Future<Output = Result<T, Refused>>) -> Result<T, Refused> {
        let in_turn = async {
            let _place = self.reads.acquire().await;
            read.await
        };
        tokio::time::timeout(READ_WITHIN, in_turn).await.unwrap_or(Err(ErrorCode::Unavailable.into()))
    }

    fn answer(&self, connection: ConnectionId, id: u32, answer: Result<ServerEvent, Refused>) {
        let retry_after_ms = |code: ErrorCode| code.is_temporary().then_some(READ_RETRY_MS);
        let refuse = |why: Refused| ServerEvent::Error(Refusal { retry_after_ms: retry_after_ms(why.code), ..why.refusal(id) });
        self.send(connection, answer.unwrap_or_else(refuse));
    }

    fn outlet(&self, connection: ConnectionId) -> &Outlet {
        &self.outlets[usize::from(connection.lot)]
    }
    fn send(&self, connection: ConnectionId, event: ServerEvent) {
        self.outlet(connection).push(Down::Send { connection, event: Encoded::new(event) });
    }
}

enum Sorted {
    Ordered(Command),
    Other(Up),
}

fn sorted(up: Up) -> Sorted {
    let Up::Event { connection, user, format, event } = up else { return Sorted::Other(up) };
    let (order, act) = match event {
        ClientEvent::Post(e) => e.into_parts(),
        ClientEvent::Edit(e) => e.into_parts(),
        ClientEvent::Delete(e) => e.into_parts(),
        ClientEvent::React(e) => e.into_parts(),
        ClientEvent::Pin(e) => e.into_parts(),
        ClientEvent::Join(e) => e.into_parts(),
        ClientEvent::Leave(e) => e.into_parts(),
        ClientEvent::Invite(e) => e.into_parts(),
        ClientEvent::Kick(e) => e.into_parts(),
        ClientEvent::Role(e) => e.into_parts(),
        ClientEvent::Create(e) => e.into_parts(),
        ClientEvent::Settings(e) => e.into_parts(),
        event => return Sorted::Other(Up::Event { connection, user, format, event }),
    };
    Sorted::Ordered(Command { user, reply: Reply::Connection { connection, id: order.id }, order, act })
}
