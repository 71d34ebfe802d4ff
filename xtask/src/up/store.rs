//! The store process, where the data is to be in one. Its directory is the one that a node by itself would have: either goes
//! on where the other stopped.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Result;

use super::child::{Came, Child};
use super::node::free_port;

const CONNECT_WITHIN: Duration = Duration::from_millis(100);

pub struct Store {
    pub child: Child,
    address: SocketAddr,
    data: PathBuf,
}

impl Store {
    pub fn start(program: &Path, home: &Path) -> Result<Self> {
        let (address, data) = (SocketAddr::from(([127, 0, 0, 1], free_port()?)), home.join("data"));
        let mut command = Command::new(program);
        command.args(["store", "serve", "--listen", &address.to_string(), "--data"]).arg(&data);
        Ok(Self { child: Child::start("the store process", command, &home.join("store.log"))?, address, data })
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }
    pub fn secret(&self) -> PathBuf {
        self.data.join("secret")
    }

    /// Waits until it takes connections, which is before it serves: a node waits for that itself.
    pub fn wait_ready(&mut self, stop: &mpsc::Receiver<()>) -> Result<Came> {
        let (address, secret) = (self.address, self.secret());
        self.child.wait_ready(stop, || secret.exists() && TcpStream::connect_timeout(&address, CONNECT_WITHIN).is_ok())
    }
}
