//! A store process and nodes over real sockets: what a broken connection means, who is let in, and what is bounded.

mod away;
mod cut;
mod golden;
mod grants;
mod pages;
mod proxy;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use schema::SlotId;
use store::remote::{Secret, Server, ServerConfig};
use store::{Append, Remote, RemoteConfig, SimStore};
use tokio::net::TcpListener;
use uuid::Uuid;

pub const SLOT: SlotId = SlotId(3);

pub fn secret() -> Secret {
    Secret::new(b"a secret that is long enough for it").unwrap()
}

pub fn append(epoch: u64, head: u64, id: u128) -> Append {
    Append { slot: SLOT, epoch, head, batch: Uuid::from_u128(id), block: Bytes::from(format!("batch {id}")) }
}

/// A store process over a store in memory.
pub struct Process {
    pub store: Arc<SimStore>,
    pub server: Server,
}

impl Process {
    pub async fn start() -> Self {
        Self::over(Arc::default(), "127.0.0.1:0".parse().unwrap()).await
    }
    pub async fn over(store: Arc<SimStore>, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Server::start(listener, store.clone(), ServerConfig::new(secret())).unwrap();
        Self { store, server }
    }
    pub async fn node(&self) -> Remote {
        node(self.server.address()).await
    }
}

pub async fn node(address: SocketAddr) -> Remote {
    Remote::open(RemoteConfig::new(address.to_string(), secret())).await.unwrap()
}
