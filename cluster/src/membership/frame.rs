//! What nodes say to each other about their group, in bytes. A frame says which cluster it is of and for whom it is, so that a node that
//! took another's address, or another cluster's, answers nothing it should not.

use openraft::error::{InstallSnapshotError, RaftError};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};

use crate::raft::Group;
use crate::ring::NodeId;
use crate::state::{Command, Outcome};

#[derive(Serialize, Deserialize)]
pub struct Request {
    pub cluster: u128,
    pub to: NodeId,
    pub ask: Ask,
    /// Of a leader: how long ago more than half of the voters were with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum_ago_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    Append(AppendEntriesRequest<Group>),
    Vote(VoteRequest<u64>),
    Snapshot(InstallSnapshotRequest<Group>),
    Propose(Command),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Append(Result<AppendEntriesResponse<u64>, RaftError<u64>>),
    Vote(Result<VoteResponse<u64>, RaftError<u64>>),
    Snapshot(Result<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>>),
    Proposed(Outcome),
    /// Not by this node: by that one, if it knows.
    Elsewhere(Option<NodeId>),
    /// The frame was for another node or another cluster, or cannot be read.
    Stranger,
}

#[derive(Serialize, Deserialize)]
pub struct Heartbeat {
    pub cluster: u128,
    pub node: NodeId,
    pub incarnation: u64,
}
