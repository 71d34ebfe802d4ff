//! A node as a process: started from its binary in a folder of its own, killed, started again on the same data, measured
//! from outside. Knows of the server its command line, its configuration keys and its admin port, and nothing else.

use std::fmt::Write;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Api, Target};

/// A start may have to replay a journal, and a store's first write after a kill takes up to 12 s.
const START_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
    #[error("the node ended while it started ({status}); its last words:\n{log}")]
    Ended { status: String, log: String },
    #[error("the node was not ready after {} s; its last words:\n{log}", START_MAX.as_secs())]
    NotReady { log: String },
    #[error("the node was asked to end and was still there after {} s; its last words:\n{log}", START_MAX.as_secs())]
    NotGone { log: String },
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
    let what = what.into();
    move |error| Error::Io { what, error }
}

/// One `section.key = value` of the configuration, the value as TOML writes it.
pub type Key<'a> = (&'a str, &'a str, String);

/// What a load run needs where people would have other bounds: everybody comes from one machine and talks a lot.
pub fn unbounded_keys() -> Vec<Key<'static>> {
    let many = |n: u32| n.to_string();
    vec![
        ("auth", "signups_per_address_burst", many(1_000_000)),
        ("auth", "passwords_waiting_max", many(10_000)),
        ("limits", "accepts_per_second_max", many(100_000)),
        ("limits", "unauthenticated_per_address_max", many(10_000)),
        ("limits", "connections_per_address_max", many(100_000)),
        ("limits", "connections_per_user_max", many(10_000)),
        ("limits", "user_events_per_minute", many(100_000_000)),
        ("limits", "user_events_burst", many(1_000_000)),
        ("limits", "requests_in_flight_max", many(255)),
    ]
}

/// The same, for a node that writes down nothing but trouble.
pub fn quiet_keys() -> Vec<Key<'static>> {
    let mut keys = unbounded_keys();
    keys.push(("log", "level", "\"warn\"".to_owned()));
    keys
}

/// The same, for a counter that is slower than the node and must hear everything, and for no heartbeats meanwhile.
pub fn counted_keys() -> Vec<Key<'static>> {
    let mut keys = quiet_keys();
    keys.push(("limits", "heartbeat_ms", "600000".to_owned()));
    keys.push(("limits", "outbox_frames_max", "1000000".to_owned()));
    keys.push(("limits", "outbox_bytes_max", (256 << 20).to_string()));
    keys.push(("limits", "lot_inbox_bytes_max", (256 << 20).to_string()));
    keys
}

/// Whether nodes are in process groups of their own.
static APART: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C at a terminal is for this program alone, which has to end its nodes in order.
pub fn keep_interrupts() {
    APART.store(true, Ordering::Relaxed);
}

/// Where a node is, and how it comes there.
#[derive(Clone, Debug)]
pub struct Place {
    pub http: SocketAddr,
    pub admin: SocketAddr,
    /// Processors that it keeps to; none: all.
    pub cpus: Option<Vec<usize>>,
    /// What it is started by, as in `ip netns exec <name>`; empty: as it is.
    pub within: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
}

impl Place {
    /// On ports of this machine that nobody uses now.
    pub fn free() -> Result<Self, Error> {
        Ok(Self { http: free_address()?, admin: free_address()?, cpus: None, within: Vec::new(), environment: Vec::new() })
    }
}

#[derive(Debug)]
pub struct Process {
    binary: PathBuf,
    folder: PathBuf,
    place: Place,
    child: Child,
}

impl Process {
    /// Starts the binary with its data, configuration and log in `folder`, and waits until it is ready.
    pub async fn start(binary: &Path, folder: &Path, keys: &[Key<'_>], cpus: Option<Vec<usize>>) -> Result<Self, Error> {
        Self::start_at(binary, folder, keys, Place { cpus, ..Place::free()? }).await
    }

    /// The same, somewhere.
    pub async fn start_at(binary: &Path, folder: &Path, keys: &[Key<'_>], place: Place) -> Result<Self, Error> {
        let Place { http, admin, .. } = place;
        fs::create_dir_all(folder).map_err(failed("the node's folder"))?;
        let own = [
            ("node", "data_dir", format!("{:?}", folder.join("data").display().to_string())),
            ("listen", "http", format!("\"{http}\"")),
            ("listen", "admin", format!("\"{admin}\"")),
        ];
        let config = toml(own.iter().chain(keys));
        fs::write(folder.join("hubbub.toml"), config).map_err(failed("the node's configuration"))?;
        let child = spawn(binary, folder, &place)?;
        let mut process = Self { binary: binary.to_owned(), folder: folder.to_owned(), place, child };
        process.until_ready().await?;
        Ok(process)
    }

    pub fn target(&self) -> Target {
        Target::new(self.place.http)
    }
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As the node says it of itself, over its admin port.
    pub async fn version(&self) -> Option<String> {
        let said: serde_json::Value = Api::nobody(Target::new(self.place.admin)).call(hyper::Method::GET, "/version", None).await.ok()?;
        Some(format!("{} {}", said.get("name")?.as_str()?, said.get("version")?.as_str()?))
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.child.kill().map_err(failed("kill"))?;
        self.child.wait().map_err(failed("wait")).map(drop)
    }

    /// SIGTERM, and waits until it has gone by itself.
    pub async fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        let begun = Instant::now();
        while self.child.try_wait().map_err(failed("wait"))?.is_none() {
            if begun.elapsed() > START_MAX {
                return Err(Error::NotGone { log: self.last_words() });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// SIGSTOP: it does nothing any more, and its connections stay.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    pub fn go_on(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| failed("its process number")(io::ErrorKind::NotFound.into()))?;
        kill_process(pid, signal).map_err(|error| failed("a signal")(error.into()))
    }

    /// Starts it again on the same data and addresses; returns how long it took until it was ready.
    pub async fn start_again(&mut self) -> Result<Duration, Error> {
        let begun = Instant::now();
        self.child = spawn(&self.binary, &self.folder, &self.place)?;
        self.until_ready().await?;
        Ok(begun.elapsed())
    }

    /// Whether it was not killed, and has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }
    pub async fn is_ready(&self) -> bool {
        is_ready(self.place.admin).await
    }

    async fn until_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while !is_ready(self.place.admin).await {
            if let Some(status) = self.child.try_wait().map_err(failed("wait"))? {
                return Err(Error::Ended { status: status.to_string(), log: self.last_words() });
            }
            if begun.elapsed() > START_MAX {
                return Err(Error::NotReady { log: self.last_words() });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The node's own command line, on this node.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.folder.join("hubbub.toml")).args(arguments);
        command
    }

    /// A metric's value now, over all its labels; 0: it has none yet.
    pub async fn metric(&self, name: &str) -> Result<f64, Error> {
        metric(self.place.admin, name).await
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        end_of(&self.folder.join("log"))
    }

    /// See `cpu_us`.
    pub fn cpu_us(&self) -> Result<u64, Error> {
        cpu_us(self.pid())
    }

    /// See `private_bytes`.
    pub fn private_bytes(&self) -> Result<u64, Error> {
        private_bytes(self.pid())
    }
}

/// The last lines of a log.
pub fn end_of(file: &Path) -> String {
    let log = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// User and system time of all threads of a process, in microseconds; the kernel counts in hundredths of a second.
pub fn cpu_us(pid: u32) -> Result<u64, Error> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(failed(path))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second())
}

/// What a process has of memory for itself alone, in bytes; sockets' buffers are the kernel's and not in it.
pub fn private_bytes(pid: u32) -> Result<u64, Error> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).map_err(failed(path))?;
    let private = rollup.lines().filter(|line| line.starts_with("Private_Dirty:") || line.starts_with("Private_Clean:"));
    let kilobytes: u64 = private.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum();
    Ok(kilobytes * 1024)
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn toml<'a>(keys: impl Iterator<Item = &'a Key<'a>>) -> String {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_by_key(|(section, ..)| *section);
    let (mut text, mut open) = (String::new(), "");
    for (section, key, value) in keys {
        if *section != open {
            writeln!(text, "[{section}]").ok();
            open = section;
        }
        writeln!(text, "{key} = {value}").ok();
    }
    text
}

fn spawn(binary: &Path, folder: &Path, place: &Place) -> Result<Child, Error> {
    let log = File::options().create(true).append(true).open(folder.join("log")).map_err(failed("the node's log"))?;
    let mut command = within(&place.within, binary);
    command.arg("serve").arg("--config").arg(folder.join("hubbub.toml")).stdin(Stdio::null()).envs(place.environment.iter().cloned());
    command.stdout(log.try_clone().map_err(failed("the node's log"))?).stderr(log);
    apart(&mut command);
    spawn_on(command, place.cpus.clone()).map_err(failed(format!("cannot start {}", binary.display())))
}

/// Starts it on these processors; none: on those of this thread, since a child inherits them from the thread that makes it.
pub fn spawn_on(mut command: Command, cpus: Option<Vec<usize>>) -> io::Result<Child> {
    let spawned = std::thread::spawn(move || {
        if let Some(cpus) = cpus {
            pin(&cpus)?;
        }
        command.spawn()
    });
    spawned.join().unwrap_or_else(|_| Err(io::Error::other("the starting thread broke")))
}

/// A command that is started by another one, if there is one.
pub fn within(prefix: &[String], binary: &Path) -> Command {
    match prefix {
        [] => Command::new(binary),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(binary);
            command
        }
    }
}

/// See `keep_interrupts`.
pub fn apart(command: &mut Command) {
    if APART.load(Ordering::Relaxed) {
        command.process_group(0);
    }
}

/// Keeps this thread, and those that it will make, to some processors.
pub fn pin(cpus: &[usize]) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    cpus.iter().for_each(|cpu| set.set(*cpu));
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Lets this process, and those that it will make, have as many open files as the system allows.
pub fn raise_open_files() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).ok();
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A port of this machine that nobody uses now.
pub fn free_address() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed("a free port"))?;
    listener.local_addr().map_err(failed("a free port"))
}

/// Whether who has this admin port says that it is ready.
pub async fn is_ready(admin: SocketAddr) -> bool {
    get(admin, "/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// A metric's value at an admin port, over all its labels, or with the labels that the name ends with; 0: it has none yet.
pub async fn metric(admin: SocketAddr, name: &str) -> Result<f64, Error> {
    let text = get(admin, "/metrics").await.map_err(failed("the node's metrics"))?;
    let is_meant = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    Ok(text.lines().filter(is_meant).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
}

/// The whole answer of the admin port.
async fn get(admin: SocketAddr, path: &str) -> io::Result<String> {
    let ask = async {
        let mut stream = TcpStream::connect(admin).await?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    tokio::time::timeout(Duration::from_secs(2), ask).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
