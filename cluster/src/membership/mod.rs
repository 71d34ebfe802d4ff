//! A node's place in its group: what it may ask of the others, and what it knows of them. Runs on a thread of its own (`thread`), so that a burst of
//! chat does not hold up heartbeats. Where bytes go is for the node `link`; what should change in the state is for `plan`.
//!
//! One node alone is a group of one, by the same code.

mod answer;
mod beat;
mod follow;
mod frame;
mod lead;
mod metrics;
mod network;
mod propose;
mod start;
mod status;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openraft::Raft;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::detector::Detector;
use crate::link::Mesh;
use crate::raft::Group;
use crate::ring::{NodeId, Ring};
use crate::state::{Command, Outcome, Refusal, Spec, State, Status};

pub use crate::raft::Identity;
pub use start::{Config, FOUNDER, Folder};
pub use status::GroupStatus;

/// A target of the log whose every step is said, and the level at which only faults are.
pub const CHATTY: (&str, &str) = ("openraft", "error");

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    File(#[from] crate::raft::Error),
    #[error("the group cannot agree on anything now: fewer than half of its voters can be reached")]
    Unavailable,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the group has stopped on this node: {0}")]
    Stopped(String),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Membership {
    inner: Arc<Inner>,
}

struct Inner {
    identity: Identity,
    spec: Spec,
    /// The highest grant that the store of this process has seen when it began.
    above: u64,
    raft: Raft<Group>,
    state: watch::Receiver<Arc<State>>,
    mesh: Arc<Mesh>,
    runtime: Handle,
    detector: Mutex<Detector>,
    began: Instant,
    /// Of this process; 0 before the group has heard of it.
    incarnation: AtomicU64,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    written: Mutex<Option<JoinHandle<()>>>,
}

impl Membership {
    pub fn node(&self) -> NodeId {
        self.inner.identity.node
    }

    pub fn state(&self) -> Arc<State> {
        self.inner.state.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.inner.state.clone()
    }

    /// Waits until the group knows this process. Errors: the group has removed this node, or stopped on it.
    pub async fn active(&self) -> Result<(), Error> {
        let mut state = self.watch();
        loop {
            if self.incarnation() > 0 && state.borrow_and_update().version >= self.incarnation() {
                return Ok(());
            }
            match self.announce().await {
                Ok(()) => {}
                Err(Error::Unavailable) => tracing::warn!(
                    "this node waits for its group: more than half of the voters have to be up, to be reached and to reach it; or it was removed from it"
                ),
                Err(error) => return Err(error),
            }
            if self.state().version < self.incarnation() {
                state.changed().await.map_err(|_| Error::Stopped("its thread has ended".into()))?;
            }
        }
    }

    /// The ring as it is now; it follows the state for as long as this group runs. Call when `active`, in a runtime.
    pub fn ring(&self) -> Arc<Ring> {
        let mut state = self.watch();
        let ring = Arc::new(Ring::new(self.node(), state.borrow_and_update().table()));
        let follower = Arc::downgrade(&ring);
        tokio::spawn(async move {
            while state.changed().await.is_ok() {
                let Some(ring) = follower.upgrade() else { return };
                ring.update(state.borrow_and_update().table());
            }
        });
        ring
    }

    pub async fn drain(&self, node: NodeId) -> Result<(), Error> {
        self.done(Command::Drain { node }).await
    }

    /// Forgets a node that is down or drained. One that is down and comes back joins as a new one.
    pub async fn remove(&self, node: NodeId) -> Result<(), Error> {
        self.done(Command::Remove { node }).await
    }

    /// The owner has handed over what moved.
    pub async fn end_move(&self, slot: schema::SlotId, to: NodeId) -> Result<(), Error> {
        self.done(Command::EndMove { slot, to }).await
    }

    async fn done(&self, command: Command) -> Result<(), Error> {
        match self.propose(command).await? {
            Outcome::Refused(refusal) => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    fn incarnation(&self) -> u64 {
        self.inner.incarnation.load(Ordering::Acquire)
    }

    fn now_ms(&self) -> u64 {
        self.inner.began.elapsed().as_millis() as u64
    }

    /// Whether the group holds this process to be down, though it is here.
    fn is_taken_for_down(&self, state: &State) -> bool {
        let ours = state.nodes.get(&self.node());
        ours.is_some_and(|node| node.status == Status::Down && node.incarnation == self.incarnation())
    }

    /// Ends this node's part in the group, without leaving it. What was agreed on stays on disk.
    pub async fn stop(&self) {
        let tasks = std::mem::take(&mut *self.inner.tasks.lock());
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
        self.inner.mesh.follow(&BTreeMap::new());
        let _ = self.inner.raft.shutdown().await;
        let written = self.inner.written.lock().take();
        if let Some(written) = written {
            let _ = written.await;
        }
    }
}
