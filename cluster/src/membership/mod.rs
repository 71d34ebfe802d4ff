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
mod quorum;
mod start;
mod status;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use openraft::Raft;
use parking_lot::Mutex;
use schema::SlotId;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::detector::Detector;
use crate::link::Mesh;
use crate::raft::Group;
use crate::ring::{NodeId, Ring};
use crate::state::{Command, Outcome, Refusal, Spec, Standing, State, Status};
use follow::Met;
use quorum::Quorum;

pub use crate::raft::Identity;
pub use start::{Config, FOUNDER, Folder};
pub use status::GroupStatus;

/// A target of the log that says its every step, and every failed try to reach a node as a fault. What of it matters is said here.
pub const CHATTY: (&str, &str) = ("openraft", "off");

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
    spec: Mutex<Spec>,
    /// The highest grant that the store of this process has seen when it began.
    above: u64,
    raft: Raft<Group>,
    state: watch::Receiver<Arc<State>>,
    mesh: Arc<Mesh>,
    runtime: Handle,
    detector: Mutex<Detector>,
    quorum: Arc<Quorum>,
    no_quorum: watch::Sender<Option<SystemTime>>,
    /// Where nodes were met that the state has elsewhere.
    met: Mutex<BTreeMap<NodeId, Met>>,
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
    pub async fn end_move(&self, slot: SlotId, to: NodeId) -> Result<(), Error> {
        self.end_moves(vec![(slot, to)]).await
    }
    /// The same of many, in one entry. Refused only if none of them is on its way there.
    pub async fn end_moves(&self, moves: Vec<(SlotId, NodeId)>) -> Result<(), Error> {
        self.done(Command::EndMoves { moves }).await
    }

    /// This node shows another certificate from now on; the one before is believed until the next change. When it returns the group knows.
    pub async fn renew(&self, fingerprint: [u8; 32]) -> Result<(), Error> {
        // First: whoever is taken for down meanwhile says the new one, too.
        self.inner.spec.lock().fingerprint = fingerprint;
        self.done(Command::Renew { node: self.node(), fingerprint }).await
    }

    /// How many moves may be on their way from now on; 0 holds them.
    pub async fn pace(&self, moves_in_flight: u16) -> Result<(), Error> {
        self.done(Command::Pace { moves_in_flight }).await
    }

    /// The store has a higher epoch for a slot of this node: it is given anew above that, if it is this node's still and was not already.
    /// Whether it was.
    pub async fn raise(&self, slot: SlotId, epoch: u64) -> Result<bool, Error> {
        let (state, above) = (self.state(), epoch >> 16);
        if state.slot(slot).is_none_or(|placement| placement.owner != self.node() || placement.grant > above) {
            return Ok(false);
        }
        match self.done(Command::Raise { slot, owner: self.node(), above }).await {
            Ok(()) => Ok(true),
            Err(Error::Refused(Refusal::Stale)) => Ok(false),
            Err(error) => Err(error),
        }
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

    /// Where a node stands in the group, as this one knows it; that it is out is sure.
    pub fn standing(&self, node: NodeId) -> Standing {
        self.state().standing(node)
    }
    pub fn identity(&self) -> Identity {
        self.inner.identity
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
