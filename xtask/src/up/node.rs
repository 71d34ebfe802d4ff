//! A node: its command, its ports, when it answers, and the token by which it joins others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::child::{Came, Child};
use super::home::Home;
use super::store::Store;
use crate::client;

/// Nobody else's clients have to find another node here.
const DRAIN_MS: &str = "500";
const CONNECT_WITHIN: Duration = Duration::from_millis(100);

/// Other nodes dial one at a port below those that the system gives to whoever connects, so that it is still free next time.
const CLUSTER_PORT_FIRST: u16 = 10_000;
const CLUSTER_PORTS_COUNT: u16 = 20_000;

/// What a node is to the others.
pub enum Is<'a> {
    /// It has the data itself.
    Alone,
    /// `token`: of the group that it is to join. `nodes`: where browsers reach them all.
    OnStore { store: &'a Store, number: u16, token: Option<String>, nodes: &'a [String] },
}

pub struct Node {
    pub child: Child,
    port: u16,
}

/// Where a browser reaches the node of this port.
pub fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl Node {
    /// `first`: with room for the demo's people to say all their lines at once.
    pub fn start(program: &Path, home: &Home, port: u16, is: &Is, first: bool) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("HUBBUB_NODE_WEB_DIR", client::BUILT)
            .env("HUBBUB_NODE_DRAIN_MS", DRAIN_MS)
            .env("HUBBUB_LISTEN_HTTP", format!("127.0.0.1:{port}"))
            .env("HUBBUB_LISTEN_ADMIN", format!("127.0.0.1:{}", free_port()?));
        if first {
            command.env("HUBBUB_LIMITS_USER_EVENTS_BURST", "1000");
        }
        let Is::OnStore { store, number, token, nodes } = is else {
            command.env("HUBBUB_NODE_DATA_DIR", home.data());
            return Ok(Self { child: Child::start("the node", command, &home.path().join("node.log"))?, port });
        };
        let folder = home.node(*number);
        std::fs::create_dir_all(&folder)?;
        command.env("HUBBUB_NODE_DATA_DIR", data(&folder)).env("HUBBUB_CLUSTER_LISTEN", cluster_address(&folder, port)?);
        command.env("HUBBUB_STORE_BACKEND", "remote").env("HUBBUB_STORE_ADDRESS", store.address());
        command.env("HUBBUB_STORE_SECRET_FILE", store.secret()).env("HUBBUB_EDGE_NODES", nodes.join(","));
        if let Some(token) = token {
            command.env("HUBBUB_CLUSTER_TOKEN", token);
        }
        Ok(Self { child: Child::start(format!("node {number}"), command, &folder.join("log"))?, port })
    }

    pub fn address(&self) -> String {
        address(self.port)
    }

    /// Waits until the page answers.
    pub fn wait_ready(&mut self, stop: &mpsc::Receiver<()>) -> Result<Came> {
        let port = self.port;
        self.child.wait_ready(stop, || answers(port))
    }

    /// From now on it is called what its group calls it, as `hubbub cluster status` does.
    pub fn name_as_in_group(&mut self, program: &Path, folder: &Path) -> Result<()> {
        self.child.rename(format!("node {}", number(program, folder)?));
        Ok(())
    }
}

/// The group's number of the node that runs in this folder.
pub fn number(program: &Path, folder: &Path) -> Result<u64> {
    let asked = Command::new(program).args(["--json", "cluster", "status"]).env("HUBBUB_NODE_DATA_DIR", data(folder)).output()?;
    let told: serde_json::Value = serde_json::from_slice(&asked.stdout)
        .with_context(|| format!("the node does not say who it is: {}", String::from_utf8_lossy(&asked.stderr).trim()))?;
    told.pointer("/status/node").or(told.get("node")).and_then(serde_json::Value::as_u64).context("the node does not say who it is")
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Where others reach this node: the same at every start, since they know it by it.
fn cluster_address(folder: &Path, port: u16) -> Result<String> {
    let file = folder.join("cluster-port");
    let kept = std::fs::read_to_string(&file).ok().and_then(|port| port.trim().parse::<u16>().ok());
    let Some(port) = kept else {
        let mut ports = (0..CLUSTER_PORTS_COUNT).map(|step| CLUSTER_PORT_FIRST + (port % CLUSTER_PORTS_COUNT + step) % CLUSTER_PORTS_COUNT);
        let port = ports.find(|port| is_free(*port)).context("no port is free at which other nodes could reach this one")?;
        std::fs::write(&file, port.to_string())?;
        return Ok(format!("127.0.0.1:{port}"));
    };
    ensure!(
        is_free(port),
        "port {port} is taken, at which the other nodes know the one in {}: stop what listens there, or drop the data with `--fresh`",
        folder.display()
    );
    Ok(format!("127.0.0.1:{port}"))
}

/// Lets one node join the group of the node that runs in this folder.
pub fn token(program: &Path, folder: &Path) -> Result<String> {
    let asked = Command::new(program).args(["cluster", "token"]).env("HUBBUB_NODE_DATA_DIR", data(folder)).output()?;
    let token = String::from_utf8_lossy(&asked.stdout).lines().last().unwrap_or_default().to_owned();
    ensure!(asked.status.success() && !token.is_empty(), "no other node is let in: {}", String::from_utf8_lossy(&asked.stderr).trim());
    Ok(token)
}

/// Whether the page is there.
pub fn answers(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, CONNECT_WITHIN) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = [0; 12];
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b"200")
}

/// The node would say it too, but into its log.
pub fn ensure_free(port: u16) -> Result<()> {
    ensure!(is_free(port), "port {port} is taken: stop what listens there, or choose another with `--port N`");
    Ok(())
}

pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// For ports that nobody has to know.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
