//! A whole node on its own data, met over its real doors.

mod memory;
mod sign_in;

use std::time::Duration;

use hubbub::auth::{NewUser, Origin, SignedIn};
use hubbub::config::Config;
use hubbub::wiring::{self, Running};
use loadtest::client::{Heard, Socket, Target};
use schema::client::{ClientEvent, Hello};
use schema::wire::Format;
use schema::{DeviceId, ServerEvent};
use tempfile::TempDir;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";
/// How soon a socket whose login has ended must be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

pub struct House {
    pub node: Running,
    _data: TempDir,
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        change(&mut config);
        config.node.data_dir = data.path().join("data");
        config.listen.http.set_port(0);
        config.listen.admin.set_port(0);
        config.edge.lots = 1;
        Self { node: wiring::start(&config).await.unwrap(), _data: data }
    }

    pub async fn sign_up(&self, name: &str) -> SignedIn {
        let new = NewUser { name: name.into(), display: String::new(), password: PASSWORD.into(), admin: false };
        self.node.auth.add_user(new).await.unwrap();
        self.log_in(name).await
    }

    pub async fn log_in(&self, name: &str) -> SignedIn {
        self.node.auth.log_in(name, PASSWORD, origin()).await.unwrap()
    }

    /// A socket that has said this hello.
    pub async fn hello(&self, hello: Hello) -> Socket {
        let mut socket = Socket::open(Target::new(self.node.http), Format::Json).await.unwrap();
        socket.push(&ClientEvent::Hello(hello));
        socket
    }

    /// A socket that was greeted.
    pub async fn connect(&self, signed_in: &SignedIn) -> Socket {
        let mut socket = self.hello(by_token(&signed_in.access)).await;
        assert!(is_greeted(&mut socket).await);
        socket
    }

    pub fn target(&self) -> Target {
        Target::new(self.node.http)
    }
}

pub fn origin() -> Origin {
    Origin { address: "127.0.0.1".parse().unwrap(), device: DeviceId(Uuid::now_v7()), label: "a test".into() }
}

pub fn by_token(token: &str) -> Hello {
    Hello { token: Some(token.into()), ticket: None, device: DeviceId(Uuid::now_v7()), resume: Vec::new() }
}

pub fn by_ticket(ticket: &str) -> Hello {
    Hello { token: None, ticket: Some(ticket.into()), ..by_token("") }
}

/// False: the node closed it.
pub async fn is_greeted(socket: &mut Socket) -> bool {
    loop {
        match socket.turn().await.unwrap() {
            Some(Heard::Event(event)) if matches!(*event, ServerEvent::Ready(_)) => return true,
            Some(Heard::Closed(_)) => return false,
            _ => {}
        }
    }
}

/// The code that the node closes the socket with, soon.
pub async fn close_code(mut socket: Socket) -> u16 {
    let closed = async {
        loop {
            if let Some(Heard::Closed(code)) = socket.turn().await.unwrap() {
                return code;
            }
        }
    };
    tokio::time::timeout(CLOSED_WITHIN, closed).await.expect("the socket was to be closed")
}
