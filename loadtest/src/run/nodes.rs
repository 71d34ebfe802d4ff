//! The node under load as a process of this machine: found by its port or started by this program, watched, and broken on
//! purpose when the scenario says so. A node elsewhere is only a name.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::people::{self, Person};
use crate::process::{self, Process};
use crate::report::{Node, NodeMoment};
use crate::scenario::FaultKind;

/// A node that does not let go of its rooms in this time never will; memory that stays for so long has settled.
const ASLEEP_MAX: Duration = Duration::from_secs(90);
const SETTLED: Duration = Duration::from_secs(4);

/// One that was started here can be broken; one that was found is only watched.
#[derive(Clone)]
pub struct Watched {
    name: String,
    pid: Arc<AtomicU32>,
    process: Option<Arc<Mutex<Process>>>,
    version: Option<String>,
}

impl Watched {
    pub async fn started(process: Process) -> Self {
        let (pid, version) = (process.pid(), process.version().await);
        let (name, pid) = (format!("node (process {pid})"), Arc::new(AtomicU32::new(pid)));
        Self { name, pid, process: Some(Arc::new(Mutex::new(process))), version }
    }

    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The process of this machine that listens there, if it may be looked at.
    pub fn found(address: SocketAddr) -> Option<Self> {
        let pid = listener(address)?;
        Some(Self { name: format!("node (process {pid})"), pid: Arc::new(AtomicU32::new(pid)), process: None, version: None })
    }

    /// Makes so many people by the command line of a node that was started here.
    pub async fn enrol(&self, prefix: &str, count: u32, tell: people::Tell<'_>) -> anyhow::Result<Vec<Person>> {
        let process = self.process.as_ref().context("a node that this program did not start has no command line here")?;
        people::enrol(&*process.lock().await, prefix, count, tell).await
    }

    /// Waits until none of its rooms and sessions is awake, and its memory falls no more; only for one that was started here.
    pub async fn asleep(&self) -> anyhow::Result<()> {
        let Some(process) = &self.process else { return Ok(()) };
        let (process, begun) = (process.lock().await, Instant::now());
        let (mut least, mut since) = (u64::MAX, Instant::now());
        while since.elapsed() < SETTLED {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let awake = process.metric("hubbub_actors_sessions_awake").await? + process.metric("hubbub_actors_rooms_awake").await?;
            let memory_bytes = process.private_bytes()?;
            if awake > 0.0 || memory_bytes < least - least / 4096 {
                (least, since) = (memory_bytes, Instant::now());
            }
            ensure!(
                begun.elapsed() < ASLEEP_MAX,
                "{} did not come to rest within {} s: {awake} rooms and sessions are awake",
                self.name,
                ASLEEP_MAX.as_secs()
            );
        }
        Ok(())
    }

    pub fn is_breakable(&self) -> bool {
        self.process.is_some()
    }

    /// The process of one that was started here.
    pub async fn process(&self) -> anyhow::Result<OwnedMutexGuard<Process>> {
        let process = self.process.clone().context("a node that this program did not start cannot be broken")?;
        Ok(process.lock_owned().await)
    }

    /// Does it; returns when the node is ready again.
    pub async fn break_it(&self, kind: FaultKind, away: Duration) -> anyhow::Result<()> {
        let mut process = self.process().await?;
        match kind {
            FaultKind::Pause => {
                process.pause()?;
                tokio::time::sleep(away).await;
                process.go_on()?;
            }
            FaultKind::Kill => {
                process.kill()?;
                tokio::time::sleep(away).await;
                drop(process);
                self.start_again().await?;
            }
            FaultKind::Restart => {
                process.terminate().await?;
                tokio::time::sleep(away).await;
                drop(process);
                self.start_again().await?;
            }
            other => anyhow::bail!("`{}` is nothing that happens to one node alone", other.text()),
        }
        Ok(())
    }

    pub async fn start_again(&self) -> anyhow::Result<()> {
        let mut process = self.process().await?;
        process.start_again().await?;
        self.pid.store(process.pid(), Ordering::Relaxed);
        Ok(())
    }

    pub async fn last_words(&self) -> String {
        match &self.process {
            Some(process) => process.lock().await.last_words(),
            None => String::new(),
        }
    }
}

/// All nodes of a run, and what was seen of them so far.
pub struct Watch {
    seen: Vec<(Watched, Reading)>,
    looked_us: u64,
}

/// What was read of a process the last time, so that a restart is not a negative time.
#[derive(Debug, Default)]
struct Reading {
    pid: u32,
    cpu_us: u64,
    total_cpu_us: u64,
    memory_bytes_before: u64,
    memory_bytes_max: u64,
}

impl Watch {
    /// From now on, before anybody is connected.
    pub fn over(nodes: &[Watched]) -> Self {
        let seen = nodes.iter().map(|node| {
            let mut reading = Reading::default();
            reading.memory_bytes_before = reading.look(node, 1).memory_bytes;
            (node.clone(), reading)
        });
        Self { seen: seen.collect(), looked_us: 0 }
    }

    /// What is used from now on is the run's.
    pub fn begin(&mut self, now_us: u64) {
        self.look(now_us);
        self.seen.iter_mut().for_each(|(_, reading)| reading.total_cpu_us = 0);
    }

    /// What they used since the last look.
    pub fn look(&mut self, now_us: u64) -> Vec<NodeMoment> {
        let over_us = now_us - std::mem::replace(&mut self.looked_us, now_us);
        self.seen.iter_mut().map(|(node, reading)| reading.look(node, over_us)).collect()
    }

    /// Which node gave which delivery is not known: only one alone is told what each cost it.
    pub fn told(&self, delivered: u64) -> Vec<Node> {
        let delivered = if self.seen.len() == 1 { delivered } else { 0 };
        let told = self.seen.iter().map(|(node, reading)| {
            let Reading { total_cpu_us: cpu_us, memory_bytes_before, memory_bytes_max, .. } = *reading;
            let cpu_us_per_delivery = (delivered > 0).then(|| cpu_us as f64 / delivered as f64);
            Node { name: node.name.clone(), cpu_us, cpu_us_per_delivery, memory_bytes_before, memory_bytes_max }
        });
        told.collect()
    }
}

impl Reading {
    fn look(&mut self, node: &Watched, over_us: u64) -> NodeMoment {
        let pid = node.pid.load(Ordering::Relaxed);
        let cpu_us = process::cpu_us(pid).unwrap_or(0);
        let used = if pid == self.pid { cpu_us.saturating_sub(self.cpu_us) } else { cpu_us };
        let memory_bytes = process::private_bytes(pid).unwrap_or(0);
        self.memory_bytes_max = self.memory_bytes_max.max(memory_bytes);
        self.total_cpu_us += used;
        (self.pid, self.cpu_us) = (pid, cpu_us);
        NodeMoment { cpu_percent: used as f64 * 100.0 / over_us.max(1) as f64, memory_bytes }
    }
}

/// The process that owns the listening socket: by its inode in /proc/net/tcp, and who has that open.
fn listener(address: SocketAddr) -> Option<u32> {
    let table = fs::read_to_string(if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" }).ok()?;
    let port = format!(":{:04X}", address.port());
    let listening = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let inode = listening
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&port) && fields[3] == "0A")
        .map(|fields| fields[9].to_owned())
        .next()?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|link| link.to_str() == Some(&socket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_process_is_found_by_its_port() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Watched::found(listening.local_addr().unwrap()).unwrap();
        assert_eq!(found.pid.load(Ordering::Relaxed), std::process::id());
        assert!(!found.is_breakable());
    }
}
