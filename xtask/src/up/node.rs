//! The node as a child process: started in a group of its own, so that Ctrl-C reaches it once, from us, as SIGTERM.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::client;

/// A store that was killed may take some seconds to open.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// A drain ends by itself within a minute.
const ENDED_WITHIN: Duration = Duration::from_secs(75);
/// Nobody else's clients have to find another node here.
const DRAIN_MS: &str = "500";
const POLL: Duration = Duration::from_millis(100);
const LOG_END_LINES: usize = 20;

pub struct Node {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Node {
    /// `first`: with room for the demo's people to say all their lines at once.
    pub fn start(program: &Path, home: &Path, port: u16, first: bool) -> Result<Self> {
        let log = home.join("node.log");
        let log_file = std::fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env("HUBBUB_NODE_DATA_DIR", home.join("data"))
            .env("HUBBUB_NODE_WEB_DIR", client::BUILT)
            .env("HUBBUB_NODE_DRAIN_MS", DRAIN_MS)
            .env("HUBBUB_LISTEN_HTTP", format!("127.0.0.1:{port}"))
            .env("HUBBUB_LISTEN_ADMIN", format!("127.0.0.1:{}", free_port()?))
            .stdin(Stdio::null())
            .stdout(log_file.try_clone()?)
            .stderr(log_file)
            .process_group(0);
        if first {
            command.env("HUBBUB_LIMITS_USER_EVENTS_BURST", "1000");
        }
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, port, log })
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until the page answers; false when it was told to stop before.
    pub fn wait_ready(&mut self, stop: &mpsc::Receiver<()>) -> Result<bool> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if self.answers() {
                return Ok(true);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the node did not start ({status}); the end of its log:\n{}", self.log_end());
            }
            if stop.recv_timeout(POLL).is_ok() {
                return Ok(false);
            }
        }
        bail!("the node does not answer after {} s; the end of its log:\n{}", READY_WITHIN.as_secs(), self.log_end())
    }

    fn answers(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, POLL) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let mut answer = [0; 12];
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b"200")
    }

    /// Waits for the node's own end, or `None` when it is told to stop.
    pub fn wait(&mut self, stop: &mpsc::Receiver<()>) -> Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if stop.recv_timeout(POLL).is_ok() {
                return Ok(None);
            }
        }
    }

    /// SIGTERM, and waits for the drain; a node that does not end is killed, which its store survives.
    pub fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        let deadline = Instant::now() + ENDED_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the node ended with {status}; the end of its log:\n{}", self.log_end());
                println!("stopped");
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("the node did not end within {} s and was killed", ENDED_WITHIN.as_secs())
    }

    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_END_LINES)..].join("\n")
    }
}

/// The node would say it too, but into its log.
pub fn ensure_free(port: u16) -> Result<()> {
    let bound = TcpListener::bind(("127.0.0.1", port));
    ensure!(bound.is_ok(), "port {port} is taken: stop what listens there, or choose another with `--port N`");
    Ok(())
}

/// For the admin port, which nobody has to know.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// An early return must not leave a node behind.
impl Drop for Node {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
