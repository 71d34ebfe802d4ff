//! Writes reach the disk in the order they were asked for, and what waits meanwhile goes into one transaction. The disk is waited for on a
//! thread of its own, so that a slow one delays entries and not heartbeats. An error is final: what a failed fsync left behind is
//! unknown, so nothing is written after it.

use std::io;
use std::sync::Arc;

use openraft::storage::LogFlushed;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::disk::Write;
use super::{Disk, Group, Identity};

/// Orders that may wait, and that one transaction takes at most. Whoever asks for more waits.
const ORDERS_MAX: usize = 256;

struct Order {
    write: Write,
    done: Done,
}

enum Done {
    Unasked,
    Asked(oneshot::Sender<io::Result<()>>),
    Appended(LogFlushed<Group>),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    orders: mpsc::Sender<Order>,
}

impl Writer {
    /// Must be called in the group's runtime, whose end is the writer's.
    /// The task ends, and the file is closed, when the last writer is gone and all is written.
    pub fn spawn(disk: Disk) -> (Self, JoinHandle<()>) {
        let (orders, waiting) = mpsc::channel(ORDERS_MAX);
        let task = tokio::spawn(run(Arc::new(disk), waiting));
        (Self { orders }, task)
    }

    /// Is on disk when this returns.
    pub async fn write(&self, write: Write) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        self.order(write, Done::Asked(done)).await?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    pub async fn remember(&self, identity: Identity) -> io::Result<()> {
        self.write(Write::Identity(identity)).await
    }

    /// Will be on disk before whatever is asked for later.
    pub async fn write_behind(&self, write: Write) -> io::Result<()> {
        self.order(write, Done::Unasked).await
    }

    pub async fn append(&self, rows: Vec<(u64, Vec<u8>)>, flushed: LogFlushed<Group>) -> io::Result<()> {
        self.order(Write::Append(rows), Done::Appended(flushed)).await
    }

    async fn order(&self, write: Write, done: Done) -> io::Result<()> {
        self.orders.send(Order { write, done }).await.map_err(|_| ended())
    }
}

fn ended() -> io::Error {
    io::Error::other("the cluster's file is not written any more: restart the node")
}

async fn run(disk: Arc<Disk>, mut waiting: mpsc::Receiver<Order>) {
    let mut orders = Vec::with_capacity(ORDERS_MAX);
    while waiting.recv_many(&mut orders, ORDERS_MAX).await > 0 {
        let (writes, dones): (Vec<_>, Vec<_>) = orders.drain(..).map(|order| (order.write, order.done)).unzip();
        let disk = disk.clone();
        let committed = tokio::task::spawn_blocking(move || disk.commit(&writes).map_err(|error| error.to_string())).await;
        let failure = committed.unwrap_or_else(|error| Err(error.to_string())).err();
        if let Some(why) = &failure {
            tracing::error!(%why, "the cluster's file cannot be written: this node leaves its group until it is restarted");
        }
        for done in dones {
            let result = failure.as_ref().map_or(Ok(()), |why| Err(io::Error::other(why.clone())));
            match done {
                Done::Unasked => {}
                Done::Asked(answer) => drop(answer.send(result)),
                Done::Appended(flushed) => flushed.log_io_completed(result),
            }
        }
        if failure.is_some() {
            return;
        }
    }
}
