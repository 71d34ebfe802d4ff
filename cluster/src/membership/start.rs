//! From a folder to a running member: a new cluster, a new node of one, or the node that the folder says it is.

use std::path::Path;
use std::sync::Arc;

use openraft::{BasicNode, Raft, SnapshotPolicy};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::network::Network;
use super::quorum::Quorum;
use super::{Error, Membership};
use crate::detector::Detector;
use crate::link::Mesh;
use crate::raft::{self, Disk, Group, Identity, LogStore, Machine, Stored, Writer};
use crate::ring::NodeId;
use crate::state::{Command, Outcome, Spec};

/// The first node has no entry by which it joined; no entry of this index ever is one.
pub const FOUNDER: NodeId = NodeId(1);
const FILE: &str = "raft.redb";

/// What a node remembers of its group, opened.
pub struct Folder {
    stored: Stored,
    writer: Writer,
    written: JoinHandle<()>,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub spec: Spec,
    /// The highest grant that this node's store has seen: all that are given from now on are above it.
    pub above: u64,
    /// How many slots the group is founded with, if it is and if it is by this node.
    pub slots: u16,
}

impl Folder {
    /// Of this node alone; made if it is not there. Call in the runtime that the group is to run in.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let file = folder.join(FILE);
        let fault = |error: std::io::Error| raft::Error::Open { path: file.display().to_string(), why: error.to_string() };
        std::fs::create_dir_all(folder).map_err(fault)?;
        let (disk, stored) = Disk::open(&file)?;
        let (writer, written) = Writer::spawn(disk);
        Ok(Self { stored, writer, written })
    }

    /// Who this node is; `None`: nobody yet.
    pub fn identity(&self) -> Option<Identity> {
        self.stored.identity
    }

    /// Another process may open it when this returns.
    pub async fn close(self) {
        drop(self.writer);
        let _ = self.written.await;
    }

    /// Is on disk when this returns.
    pub async fn remember(&mut self, identity: Identity) -> Result<(), Error> {
        self.writer.remember(identity).await.map_err(|error| raft::Error::Write(error.to_string()))?;
        self.stored.identity = Some(identity);
        Ok(())
    }
}

impl Membership {
    /// Must be called in the runtime that the group is to run in. `active` says when the group knows this process.
    ///
    /// Panics: if the folder is nobody's yet.
    pub async fn start(folder: Folder, config: Config, mesh: Arc<Mesh>) -> Result<Self, Error> {
        let Folder { mut stored, writer, written } = folder;
        let identity = stored.identity.expect("who this node is was remembered before");
        let log = LogStore::new(&mut stored, writer.clone());
        let machine = Machine::new(&mut stored, writer)?;
        let state = machine.watch();
        let quorum = Arc::new(Quorum::new());
        let network = Network { cluster: identity.cluster, mesh: mesh.clone(), quorum: quorum.clone() };
        let raft = Raft::<Group>::new(identity.node.0, Arc::new(settings()), network, log, machine);
        let raft = raft.await.map_err(|error| Error::Stopped(error.to_string()))?;
        let inner = super::Inner {
            identity,
            spec: Mutex::new(config.spec),
            above: config.above,
            raft,
            state,
            mesh,
            runtime: Handle::current(),
            detector: Mutex::new(Detector::new(identity.node, 0)),
            quorum,
            no_quorum: watch::Sender::new(None),
            met: Mutex::default(),
            began: Instant::now(),
            incarnation: 0.into(),
            tasks: Mutex::default(),
            written: Mutex::new(Some(written)),
        };
        let membership = Self { inner: Arc::new(inner) };
        membership.found(config.slots).await?;
        membership.spawn();
        Ok(membership)
    }

    /// Goes on where a start that was cut off had come to.
    async fn found(&self, slots: u16) -> Result<(), Error> {
        let raft = &self.inner.raft;
        let stopped = |error: &dyn std::fmt::Display| Error::Stopped(error.to_string());
        if self.node() != FOUNDER {
            return Ok(());
        }
        let spec = self.inner.spec.lock().clone();
        if !raft.is_initialized().await.map_err(|error| stopped(&error))? {
            let first = std::collections::BTreeMap::from([(FOUNDER.0, BasicNode::new(&spec.address))]);
            raft.initialize(first).await.map_err(|error| stopped(&error))?;
        }
        let alone = raft.with_raft_state(|state| state.membership_state.effective().voter_ids().eq([FOUNDER.0])).await;
        let alone = alone.map_err(|error| stopped(&error))?;
        if !alone {
            return Ok(());
        }
        // Nobody else could: why wait for the time-out.
        raft.trigger().elect().await.map_err(|error| stopped(&error))?;
        let found = Command::Found { cluster: self.inner.identity.cluster, node: FOUNDER, spec, slots, above: self.inner.above };
        match self.propose(found).await? {
            Outcome::Active { incarnation } => {
                self.inner.incarnation.store(incarnation, std::sync::atomic::Ordering::Release);
                Ok(())
            }
            Outcome::Refused(crate::state::Refusal::Founded) => Ok(()),
            Outcome::Refused(refusal) => Err(refusal.into()),
            other => Err(stopped(&format!("it answered {other:?}"))),
        }
    }

    fn spawn(&self) {
        let tasks = [
            tokio::spawn(self.clone().follow()),
            tokio::spawn(self.clone().beat()),
            tokio::spawn(self.clone().come_back()),
            tokio::spawn(self.clone().look_out()),
            tokio::spawn(self.clone().keep_voters()),
            tokio::spawn(self.clone().look_for_quorum()),
        ];
        self.inner.tasks.lock().extend(tasks);
    }
}

/// A follower stands for election 260 to 320 ms after it last heard the leader, which it looks at every 90 ms; so there is a new
/// leader within 450 ms. openraft's defaults are twice that.
fn settings() -> openraft::Config {
    let settings = openraft::Config {
        cluster_name: "hubbub".into(),
        heartbeat_interval: 60,
        election_timeout_min: 100,
        election_timeout_max: 160,
        install_snapshot_timeout: 2_000,
        // Encoded it is up to twice as long, and has to fit a frame.
        snapshot_max_chunk_size: 256 << 10,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(1_000),
        max_in_snapshot_log_to_keep: 200,
        replication_lag_threshold: 2_000,
        ..openraft::Config::default()
    };
    settings.validate().expect("these fit together")
}
