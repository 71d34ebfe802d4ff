//! The workers of a run and the ways to them. One worker is a thread of this process; several are processes of this program,
//! each with its own bound on open files, at the other end of a Unix socket in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use schema::wire::{from_msgpack, to_msgpack};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::job::{Job, Order, Said};
use super::worker::work;

/// Messages that wait between a worker and its coordinator: one a second and worker, and a few more.
const WAITING_MAX: usize = 64;
/// A job has every account's tokens.
const MESSAGE_BYTES_MAX: u32 = 1 << 30;
/// A worker that says nothing for so long is lost: while it audits it may say nothing for a while.
const SILENCE_MAX: Duration = Duration::from_secs(600);
const START_MAX: Duration = Duration::from_secs(30);

/// Where several workers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerKind {
    /// A process each: this program, called again.
    Process,
    /// A thread each, for programs that are not `hubbub-bench`.
    Thread,
}

pub struct Crew {
    orders: Vec<mpsc::Sender<Order>>,
    said: mpsc::Receiver<(u32, Said)>,
    /// Killed when the crew is dropped.
    children: Vec<Child>,
}

impl Crew {
    pub async fn start(job: &Job, kind: WorkerKind) -> Result<Self> {
        if job.workers == 1 { Ok(Self::in_a_thread(job.clone())) } else { Self::over_sockets(job, kind).await }
    }

    fn in_a_thread(job: Job) -> Self {
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let (orders, receiver) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || {
            let (own, mut hear) = mpsc::channel(WAITING_MAX);
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.blocking_send((0, Said::Failed(error.to_string())))),
            };
            tokio::task::LocalSet::new().block_on(&runtime, async {
                let forward = tokio::task::spawn_local(async move {
                    while let Some(said) = hear.recv().await {
                        if sender.send((0, said)).await.is_err() {
                            return;
                        }
                    }
                });
                work(job, receiver, own).await;
                forward.await.ok();
            });
        });
        Self { orders: vec![orders], said, children: Vec::new() }
    }

    async fn over_sockets(job: &Job, kind: WorkerKind) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("coordinator");
        let listener = UnixListener::bind(&path).context("a socket for the workers")?;
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let (mut orders, mut children) = (Vec::new(), Vec::new());
        for worker in 0..job.workers {
            match kind {
                WorkerKind::Process => children.push(start_process(&path)?),
                WorkerKind::Thread => start_thread(path.clone()),
            }
            let accepted = timeout(START_MAX, listener.accept()).await.context("a worker did not come within 30 s")?;
            let (reader, mut writer) = accepted?.0.into_split();
            send(&mut writer, &Job { worker, ..job.clone() }).await?;
            let (order, receiver) = mpsc::channel(WAITING_MAX);
            tokio::spawn(pass_on(receiver, writer));
            tokio::spawn(listen(worker, reader, sender.clone()));
            orders.push(order);
        }
        Ok(Self { orders, said, children })
    }

    pub fn workers(&self) -> u32 {
        self.orders.len() as u32
    }

    pub async fn order(&mut self, order: &Order) -> Result<()> {
        for worker in &self.orders {
            worker.send(order.clone()).await.ok().context("a worker is gone")?;
        }
        Ok(())
    }

    /// What a worker says next. May be dropped without loss.
    pub async fn hear(&mut self) -> Result<(u32, Said)> {
        let said = timeout(SILENCE_MAX, self.said.recv()).await.context("no worker said anything for ten minutes")?;
        match said.context("all workers are gone")? {
            (worker, Said::Failed(why)) => bail!("worker {worker}: {why}"),
            said => Ok(said),
        }
    }
}

fn start_process(path: &Path) -> Result<Child> {
    let program = std::env::current_exe().context("this program's own file")?;
    let mut command = Command::new(program);
    // In a group of its own: Ctrl-C at a terminal is for the coordinator alone.
    command.arg("worker").arg(path).stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    command.spawn().context("a worker could not be started")
}

fn start_thread(path: PathBuf) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(worker_process(&path))
    });
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(|child| drop(child.start_kill()));
    }
}

async fn pass_on(mut orders: mpsc::Receiver<Order>, mut writer: OwnedWriteHalf) {
    while let Some(order) = orders.recv().await {
        if send(&mut writer, &order).await.is_err() {
            return;
        }
    }
}

async fn listen(worker: u32, mut reader: OwnedReadHalf, sender: mpsc::Sender<(u32, Said)>) {
    loop {
        let said = match receive::<Said>(&mut reader).await {
            Ok(Some(said)) => said,
            Ok(None) => return,
            Err(error) => Said::Failed(format!("its words could not be read: {error:#}")),
        };
        let is_last = matches!(said, Said::Done(_) | Said::Failed(_));
        if sender.send((worker, said)).await.is_err() || is_last {
            return;
        }
    }
}

/// The other end: a worker as a process of its own, until its coordinator is gone or has all it wants.
pub async fn worker_process(path: &Path) -> Result<()> {
    crate::process::raise_open_files();
    let stream = UnixStream::connect(path).await.context("the coordinator's socket")?;
    let (mut reader, mut writer) = stream.into_split();
    let job = receive::<Job>(&mut reader).await?.context("the coordinator went away without a job")?;
    let (own, mut hear) = mpsc::channel(WAITING_MAX);
    let (sender, orders) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        while let Ok(Some(order)) = receive::<Order>(&mut reader).await {
            if sender.send(order).await.is_err() {
                return;
            }
        }
    });
    let local = tokio::task::LocalSet::new();
    local.spawn_local(work(job, orders, own));
    local
        .run_until(async move {
            while let Some(said) = hear.recv().await {
                send(&mut writer, &said).await?;
            }
            Ok(())
        })
        .await
}

async fn send<T: Serialize>(writer: &mut OwnedWriteHalf, message: &T) -> Result<()> {
    let body = to_msgpack(message);
    writer.write_u32(u32::try_from(body.len())?).await?;
    Ok(writer.write_all(&body).await?)
}

/// `None`: the other end is gone.
async fn receive<T: DeserializeOwned>(reader: &mut OwnedReadHalf) -> Result<Option<T>> {
    let Ok(length) = reader.read_u32().await else { return Ok(None) };
    if length > MESSAGE_BYTES_MAX {
        bail!("a message of {length} bytes");
    }
    let mut body = vec![0; length as usize];
    reader.read_exact(&mut body).await?;
    from_msgpack(&body).map(Some).map_err(|error| anyhow::anyhow!("{}", error.0))
}
