//! The group's log and state as openraft wants them kept: in memory for reading, in one small redb file for ever. What the entries mean
//! is in `state`; who talks to whom is not known here.

mod disk;
mod log;
mod machine;
#[cfg(test)]
mod tests;
mod writer;

use std::io::Cursor;

use openraft::BasicNode;

use crate::state::{Command, Outcome};

pub use disk::{Disk, Identity, Stored, decode, encode};
pub use log::LogStore;
pub use machine::Machine;
pub use writer::Writer;

openraft::declare_raft_types!(
    /// Entries are the state's commands. The address of a node is in both memberships, ours and openraft's.
    pub Group: D = Command, R = Outcome, NodeId = u64, Node = BasicNode
);

pub type Entry = openraft::Entry<Group>;
pub type LogId = openraft::LogId<u64>;
pub type Vote = openraft::Vote<u64>;
pub type SnapshotMeta = openraft::SnapshotMeta<u64, BasicNode>;
pub type StoredMembership = openraft::StoredMembership<u64, BasicNode>;
pub type StorageError = openraft::StorageError<u64>;

/// The file cannot be used, or what is in it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the cluster's file {path} cannot be opened: {why}")]
    Open { path: String, why: String },
    #[error("the cluster's file cannot be written: {0}")]
    Write(String),
    #[error("the cluster's file is damaged ({0}): move it away and let the node join as a new one")]
    Damaged(String),
}
