//! Nodes whose data is in a store process: any of them is killed under load, and what they say when something is wrong.

mod group;
mod kills;
mod words;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use loadtest::process::{self, Key};
use rustix::process::{Pid, Signal, kill_process};

pub const BINARY: &str = env!("CARGO_BIN_EXE_hubbub");

/// `hubbub store serve`; killed when it is dropped.
pub struct Store {
    pub folder: PathBuf,
    pub address: SocketAddr,
    child: Child,
}

impl Store {
    /// When it serves.
    pub fn start(folder: &Path) -> Self {
        let address = process::free_address().unwrap();
        Self { folder: folder.to_owned(), address, child: spawn(folder, address) }
    }
    /// -9, and again on the same data and address.
    pub fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.folder, self.address);
    }
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
    /// In good order.
    pub fn stop(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
    pub fn secret(&self) -> PathBuf {
        self.folder.join("secret")
    }
    /// What a node needs to know.
    pub fn keys(&self) -> Vec<Key<'static>> {
        let mut keys = process::unbounded_keys();
        keys.push(("store", "backend", "\"remote\"".into()));
        keys.push(("store", "address", format!("\"{}\"", self.address)));
        keys.push(("store", "secret_file", format!("{:?}", self.secret().display().to_string())));
        keys
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(folder: &Path, listen: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["store", "serve", "--listen", listen, "--data"]).arg(folder).stdin(Stdio::null()).env("HUBBUB_LOG_FORMAT", "json");
    command
}

fn spawn(folder: &Path, address: SocketAddr) -> Child {
    let mut child = command(folder, &address.to_string()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut seen = Vec::new();
    let serves = lines.by_ref().any(|line| {
        let serves = line.contains("serving the store");
        seen.push(line);
        serves
    });
    assert!(serves, "{}", seen.join("\n"));
    // Somebody has to go on reading, else its log blocks it.
    let mut log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    std::thread::spawn(move || lines.for_each(|line| std::io::Write::write_all(&mut log, format!("{line}\n").as_bytes()).unwrap()));
    child
}
