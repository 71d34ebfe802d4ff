//! A peer's server as processes: started in a group of its own on given processors, measured with all that it started,
//! ended as a group. Knows nothing of what it serves.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::process;

const START_MAX: Duration = Duration::from_secs(60);

pub enum Server {
    /// Our node has its own keeper.
    Ours(process::Process),
    Theirs {
        child: Child,
        log: PathBuf,
        version: String,
    },
}

impl Server {
    /// Starts it with its output in `log` in its folder, and waits until its address takes connections.
    pub fn start(mut command: Command, folder: &Path, cpus: &[usize], address: SocketAddr, version: String) -> Result<Self, Error> {
        let log = folder.join("log");
        let out = File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).current_dir(folder).process_group(0);
        let (program, cpus) = (command.get_program().to_string_lossy().into_owned(), cpus.to_vec());
        // A child inherits the processors of the thread that makes it.
        let spawned = std::thread::spawn(move || {
            if !cpus.is_empty() {
                process::pin(&cpus)?;
            }
            command.spawn()
        });
        let spawned = spawned.join().unwrap_or_else(|_| Err(std::io::Error::other("the starting thread broke")));
        let child = spawned.with_context(|| format!("cannot start {program}"))?;
        let mut server = Self::Theirs { child, log, version };
        server.until_ready(address)?;
        Ok(server)
    }

    fn until_ready(&mut self, address: SocketAddr) -> Result<(), Error> {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Self::Theirs { child, .. } = self
                && let Some(status) = child.try_wait()?
            {
                bail!("it ended while it started ({status}); {}", self.last_words());
            }
            anyhow::ensure!(begun.elapsed() < START_MAX, "it was not ready after {} s; {}", START_MAX.as_secs(), self.last_words());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub fn version(&self) -> &str {
        match self {
            Self::Ours(_) => env!("CARGO_PKG_VERSION"),
            Self::Theirs { version, .. } => version,
        }
    }

    pub fn last_words(&self) -> String {
        let words = match self {
            Self::Ours(node) => node.last_words(),
            Self::Theirs { log, .. } => {
                let log = fs::read_to_string(log).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                lines[lines.len().saturating_sub(20)..].join("\n")
            }
        };
        format!("the server's last words:\n{words}")
    }

    /// User and system time of it and of everything it started, in microseconds.
    pub fn cpu_us(&self) -> Result<u64, Error> {
        let root = match self {
            Self::Ours(node) => node.pid(),
            Self::Theirs { child, .. } => child.id(),
        };
        let all = processes()?;
        let (mut tree, mut at) = (vec![root], 0);
        while let Some(parent) = tree.get(at).copied() {
            tree.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.pid));
            at += 1;
        }
        let ticks: u64 = all.iter().filter(|process| tree.contains(&process.pid)).map(|process| process.ticks).sum();
        Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
    }
}

/// User and system time of this process.
pub fn own_cpu_us() -> Result<u64, Error> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let own = read_stat(&stat).context("the kernel does not tell what this process used")?;
    Ok(own.ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
}

#[derive(Debug, PartialEq, Eq)]
struct Usage {
    pid: u32,
    parent: u32,
    /// With those of its children that ended and were waited for.
    ticks: u64,
}

fn processes() -> Result<Vec<Usage>, Error> {
    let folders = fs::read_dir("/proc").context("there is no /proc: CPU time cannot be read here")?;
    let numbered = folders.flatten().filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()));
    // One that ends meanwhile is not there to be read.
    Ok(numbered.filter_map(|entry| read_stat(&fs::read_to_string(entry.path().join("stat")).ok()?)).collect())
}

/// A line of /proc/<pid>/stat; the program's name in it may hold anything.
fn read_stat(stat: &str) -> Option<Usage> {
    let (pid, rest) = stat.split_once(' ')?;
    let (_, after_name) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
    Some(Usage { pid: pid.parse().ok()?, parent: fields.get(1)?.parse().ok()?, ticks })
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Theirs { child, .. } = self {
            if let Some(group) = Pid::from_raw(child.id() as i32) {
                kill_process_group(group, Signal::KILL).ok();
            }
            child.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_stat_is_read_past_any_name() {
        let line = "4711 (a (b) c) S 1 4711 4711 0 -1 4194304 100 0 0 0 25 17 3 2 20 0 4 0 100 1 1";
        assert_eq!(read_stat(line), Some(Usage { pid: 4711, parent: 1, ticks: 47 }));
        assert_eq!(read_stat("4711 (a) S 1"), None);
    }
}
