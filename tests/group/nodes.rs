//! Nodes of one group on one store process, as processes of which a test sees how they end and all that they said.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use loadtest::process::free_address;
use rustix::process::{Pid, Signal, kill_process};

const BINARY: &str = env!("CARGO_BIN_EXE_hubbub");
/// Between two looks at what another process does.
const LOOK: Duration = Duration::from_millis(20);

/// Killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Node {
    pub http: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
    envs: Vec<(&'static str, String)>,
    child: Option<Running>,
}

/// Of a test that waits for what does not come, this ends the waiting; it says nothing about how quick anything is.
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is() {
            return;
        }
        std::thread::sleep(LOOK); // poll
    }
    panic!("not seen: {what}");
}

impl Node {
    pub fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(BINARY);
        command.arg("serve").envs(self.envs.iter().map(|(key, value)| (*key, value))).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(Running(command.spawn().unwrap()));
    }

    pub fn start_and_wait(&mut self) {
        self.start();
        until("it is ready", || {
            assert!(self.child.as_mut().unwrap().0.try_wait().unwrap().is_none(), "it ended:\n{}", self.log());
            self.get("/readyz").starts_with("HTTP/1.1 200")
        });
    }

    /// What it is told from its next start on.
    pub fn set(&mut self, key: &'static str, value: String) {
        self.envs.retain(|(known, _)| *known != key);
        self.envs.push((key, value));
    }

    pub fn kill(&mut self) {
        self.child = None;
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.as_ref().unwrap().0), signal).unwrap();
    }

    /// When it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("it ends", || {
            status = self.child.as_mut().unwrap().0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// The whole answer of the admin port; empty without one.
    pub fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        let Ok(mut stream) = TcpStream::connect(self.admin) else { return answer };
        let asked = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(asked.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
        answer
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY).args(arguments).env("HUBBUB_NODE_DATA_DIR", self.folder.join("data")).output().unwrap()
    }

    pub fn status(&self) -> serde_json::Value {
        let told = self.command(&["--json", "cluster", "status"]);
        serde_json::from_slice(&told.stdout).map_or(serde_json::Value::Null, |mut told: serde_json::Value| told["status"].take())
    }

    /// As the group numbers it.
    pub fn number(&self) -> u64 {
        self.status()["node"].as_u64().unwrap_or_else(|| panic!("{:?}", self.command(&["--json", "cluster", "status"])))
    }

    /// What its group says of a node: its state, and how many slots it has; `None`: there is no such node.
    pub fn sees(&self, number: u64) -> Option<(String, u64)> {
        let status = self.status();
        let entry = status["nodes"].as_array()?.iter().find(|entry| entry["node"] == number)?;
        Some((entry["status"].as_str()?.to_owned(), entry["slots"].as_u64()?))
    }

    pub fn votes(&self) -> usize {
        let status = self.status();
        status["nodes"].as_array().map_or(0, |nodes| nodes.iter().filter(|entry| entry["votes"] == true).count())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// The nodes end before the store.
pub struct Group {
    pub nodes: Vec<Node>,
    pub store: SocketAddr,
    folder: PathBuf,
    _store: Running,
}

impl Group {
    /// When all of them serve, and more than one votes.
    pub fn start(folder: &Path, count: usize) -> Self {
        let store = free_address().unwrap();
        let mut command = Command::new(BINARY);
        command.args(["store", "serve", "--listen", &store.to_string(), "--data"]).arg(folder.join("store"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut group = Self { nodes: Vec::new(), store, folder: folder.to_owned(), _store: Running(child) };
        until("the store process is there", || folder.join("store/secret").exists() && TcpStream::connect(store).is_ok());
        for _ in 0..count {
            let token = group.nodes.first().map(token);
            group.add(token).start_and_wait();
        }
        until("they vote", || group.nodes[0].votes() == count);
        group
    }

    /// One more, which does not run yet.
    pub fn add(&mut self, token: Option<String>) -> &mut Node {
        let folder = self.folder.join(self.nodes.len().to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let (http, admin, listen) = (free_address().unwrap(), free_address().unwrap(), free_address().unwrap());
        let envs = vec![
            ("HUBBUB_NODE_DATA_DIR", folder.join("data").display().to_string()),
            ("HUBBUB_NODE_DRAIN_MS", "200".into()),
            ("HUBBUB_LISTEN_HTTP", http.to_string()),
            ("HUBBUB_LISTEN_ADMIN", admin.to_string()),
            ("HUBBUB_CLUSTER_LISTEN", listen.to_string()),
            ("HUBBUB_CLUSTER_TOKEN", token.unwrap_or_default()),
            ("HUBBUB_STORE_BACKEND", "remote".into()),
            ("HUBBUB_STORE_ADDRESS", self.store.to_string()),
            ("HUBBUB_STORE_SECRET_FILE", self.folder.join("store/secret").display().to_string()),
        ];
        self.nodes.push(Node { http, admin, folder, envs, child: None });
        self.nodes.last_mut().unwrap()
    }
}

pub fn token(node: &Node) -> String {
    let told = node.command(&["cluster", "token"]);
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}
