//! The workers of a run and the ways to them. One worker is a thread of this process; several are processes, each with its
//! own bound on open files, which this program starts here, or somebody elsewhere. A worker that is gone ends the run.

mod link;
mod worker;

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::job::{Job, Order, Said};
use super::worker::work;
use link::{Link, receive_message, send};
pub use worker::join;

/// Messages that wait between a worker and its coordinator: one a second and worker, and a few more.
const WAITING_MAX: usize = 64;
/// A worker that says nothing for so long is lost: while it audits it may say nothing for a while.
const SILENCE_MAX: Duration = Duration::from_secs(600);
/// Processes that this program started, and those that somebody has to start by hand.
const START_MAX: Duration = Duration::from_secs(30);
const JOIN_MAX: Duration = Duration::from_secs(600);

/// The key in the environment of a worker that its coordinator started: on a command line everybody could read it.
pub const KEY: &str = "HUBBUB_BENCH_KEY";

/// Where several workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerKind {
    /// A process each: this program, called again.
    Process,
    /// A thread each, for programs that are not `hubbub-bench`.
    Thread,
}

/// Workers that come from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Guests {
    /// Where the coordinator waits for them.
    pub listen: SocketAddr,
    pub count: u32,
}

pub struct Fleet {
    orders: Vec<mpsc::Sender<Order>>,
    /// `None`: this worker's line has ended.
    said: mpsc::Receiver<(u32, Option<Said>)>,
    /// By worker; none of a guest. Killed when the fleet is dropped.
    children: Vec<Option<Child>>,
}

/// How workers are come by.
#[derive(Clone, Copy, Debug)]
pub struct Hiring {
    pub workers: u32,
    pub kind: WorkerKind,
    pub guests: Option<Guests>,
}

impl Hiring {
    /// Guests included.
    pub fn all(&self) -> u32 {
        self.workers + self.guests.map_or(0, |guests| guests.count)
    }
}

impl Fleet {
    /// `job`: what the worker of this number is to do. `tell`: the sentence for who has to start workers by hand.
    pub async fn start(hiring: Hiring, job: impl Fn(u32) -> Job, tell: impl FnOnce(String)) -> Result<Self> {
        if hiring.all() == 1 && hiring.guests.is_none() {
            return Ok(Self::in_a_thread(job(0)));
        }
        let mut door = Door::open(hiring.guests.map(|guests| guests.listen)).await?;
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let mut fleet = Self { orders: Vec::new(), said, children: Vec::new() };
        for worker in 0..hiring.workers {
            fleet.children.push(match hiring.kind {
                WorkerKind::Process => Some(door.start_process()?),
                WorkerKind::Thread => door.start_thread(),
            });
            let link = door.enter(START_MAX).await.context("a worker did not come within 30 s")?;
            fleet.hire(worker, link, &job, &sender).await?;
        }
        if let Some(Guests { count, .. }) = hiring.guests {
            let Door { address, key, .. } = &door;
            tell(format!("waiting for {count} workers: start each with `hubbub-bench worker --coordinator {address} --key {key}`"));
            for guest in 0..count {
                let late = || format!("only {guest} of {count} workers from elsewhere came within {} s", JOIN_MAX.as_secs());
                let link = door.enter(JOIN_MAX).await.with_context(late)?;
                fleet.children.push(None);
                fleet.hire(hiring.workers + guest, link, &job, &sender).await?;
            }
        }
        Ok(fleet)
    }

    fn in_a_thread(job: Job) -> Self {
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let (orders, receiver) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || {
            let (own, mut hear) = mpsc::channel(WAITING_MAX);
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.blocking_send((0, Some(Said::Failed(error.to_string()))))),
            };
            tokio::task::LocalSet::new().block_on(&runtime, async {
                let forward = tokio::task::spawn_local(async move {
                    while let Some(said) = hear.recv().await {
                        if sender.send((0, Some(said))).await.is_err() {
                            return;
                        }
                    }
                });
                work(job, receiver, own).await;
                forward.await.ok();
            });
        });
        Self { orders: vec![orders], said, children: vec![None] }
    }

    async fn hire(&mut self, worker: u32, link: Link, job: impl Fn(u32) -> Job, sender: &Sender) -> Result<()> {
        let Link { reader, mut writer } = link;
        send(&mut writer, &job(worker)).await.context("a worker went away before it had its job")?;
        let (order, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(pass_on(receiver, writer));
        tokio::spawn(listen(worker, reader, sender.clone()));
        self.orders.push(order);
        Ok(())
    }

    pub fn workers(&self) -> u32 {
        self.orders.len() as u32
    }

    pub async fn order(&mut self, order: &Order) -> Result<()> {
        for worker in &self.orders {
            // Why it is gone, `hear` says.
            worker.send(order.clone()).await.ok();
        }
        Ok(())
    }

    /// What a worker says next. May be dropped without loss.
    pub async fn hear(&mut self) -> Result<(u32, Said)> {
        let said = timeout(SILENCE_MAX, self.said.recv()).await.context("no worker said anything for ten minutes")?;
        match said.context("all workers are gone")? {
            (worker, Some(Said::Failed(why))) => Err(anyhow!("worker {worker}: {why}")),
            (worker, Some(said)) => Ok((worker, said)),
            (worker, None) => Err(self.gone(worker).await),
        }
    }

    /// One sentence about a worker whose line has ended.
    async fn gone(&mut self, worker: u32) -> anyhow::Error {
        let child = self.children.get_mut(worker as usize).and_then(Option::as_mut);
        let how = match child {
            Some(child) => {
                let number = child.id().map_or_else(String::new, |id| format!(" (process {id})"));
                let status = timeout(Duration::from_secs(1), child.wait()).await.ok().and_then(Result::ok);
                format!("{number} {}", status.map_or_else(|| "closed its line".to_owned(), |status: ExitStatus| format!("ended: {status}")))
            }
            None => " is gone: its line to the coordinator ended".to_owned(),
        };
        anyhow!("worker {worker}{how}, in the middle of the run: what its users were to send and to hear is not known, start again")
    }
}

type Sender = mpsc::Sender<(u32, Option<Said>)>;

/// Where workers come in.
struct Door {
    listener: TcpListener,
    address: SocketAddr,
    key: String,
}

impl Door {
    async fn open(listen: Option<SocketAddr>) -> Result<Self> {
        let listen = listen.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot wait for workers at {listen}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, key: format!("{:032x}", rand::random::<u128>()) })
    }

    fn start_process(&self) -> Result<Child> {
        let program = std::env::current_exe().context("this program's own file")?;
        let mut command = Command::new(program);
        command.args(["worker", "--coordinator", &self.address.to_string()]).env(KEY, &self.key);
        // In a group of its own: Ctrl-C at a terminal is for the coordinator alone.
        command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
        command.spawn().context("a worker could not be started")
    }

    fn start_thread(&self) -> Option<Child> {
        let (address, key) = (self.address, self.key.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(join(address, &key))
        });
        None
    }

    /// The next one that is a worker of this run; who is not is turned away.
    async fn enter(&mut self, within: Duration) -> Result<Link> {
        let until = Instant::now() + within;
        loop {
            let (stream, _): (TcpStream, SocketAddr) = timeout_at(until, self.listener.accept()).await??;
            if let Ok(entered) = Link::accept(stream, &self.key).await {
                return Ok(entered);
            }
        }
    }
}

async fn pass_on(mut orders: mpsc::Receiver<Order>, mut writer: OwnedWriteHalf) {
    while let Some(order) = orders.recv().await {
        if send(&mut writer, &order).await.is_err() {
            return;
        }
    }
}

/// Until the last word, or the end of the line.
async fn listen(worker: u32, mut reader: OwnedReadHalf, sender: Sender) {
    loop {
        let said = match receive_message::<Said>(&mut reader).await {
            Ok(said) => said,
            Err(error) => Some(Said::Failed(format!("its words could not be read: {error:#}"))),
        };
        let is_last = matches!(said, None | Some(Said::Done(_) | Said::Failed(_)));
        if sender.send((worker, said)).await.is_err() || is_last {
            return;
        }
    }
}
