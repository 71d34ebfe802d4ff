//! The node: its command, its port, and when it answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::child::Child;
use super::store::Store;
use crate::client;

/// Nobody else's clients have to find another node here.
const DRAIN_MS: &str = "500";
const CONNECT_WITHIN: Duration = Duration::from_millis(100);

pub struct Node {
    pub child: Child,
    port: u16,
}

impl Node {
    /// `store`: the store process that has its data, if it has them not itself. `first`: with room for the demo's people to say
    /// all their lines at once.
    pub fn start(program: &Path, home: &Path, port: u16, store: Option<&Store>, first: bool) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("HUBBUB_NODE_DATA_DIR", home.join(if store.is_some() { "node" } else { "data" }))
            .env("HUBBUB_NODE_WEB_DIR", client::BUILT)
            .env("HUBBUB_NODE_DRAIN_MS", DRAIN_MS)
            .env("HUBBUB_LISTEN_HTTP", format!("127.0.0.1:{port}"))
            .env("HUBBUB_LISTEN_ADMIN", format!("127.0.0.1:{}", free_port()?));
        if let Some(store) = store {
            command.env("HUBBUB_STORE_BACKEND", "remote").env("HUBBUB_STORE_ADDRESS", store.address());
            command.env("HUBBUB_STORE_SECRET_FILE", store.secret());
        }
        if first {
            command.env("HUBBUB_LIMITS_USER_EVENTS_BURST", "1000");
        }
        Ok(Self { child: Child::start("the node", command, &home.join("node.log"))?, port })
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until the page answers; false when it was told to stop before.
    pub fn wait_ready(&mut self, stop: &mpsc::Receiver<()>) -> Result<bool> {
        let port = self.port;
        self.child.wait_ready(stop, || answers(port))
    }
}

fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, CONNECT_WITHIN) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = [0; 12];
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b"200")
}

/// The node would say it too, but into its log.
pub fn ensure_free(port: u16) -> Result<()> {
    let bound = TcpListener::bind(("127.0.0.1", port));
    ensure!(bound.is_ok(), "port {port} is taken: stop what listens there, or choose another with `--port N`");
    Ok(())
}

/// For ports that nobody has to know.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
