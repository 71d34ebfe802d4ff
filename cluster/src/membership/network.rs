//! openraft's way to other nodes: frames over the group's lane of the node link.

use std::sync::Arc;
use std::time::Duration;

use openraft::error::{InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, BasicNode};

use super::frame::{Answer, Ask, Request};
use super::quorum::Quorum;
use crate::link::{AskError, Mesh};
use crate::raft::{Group, decode, encode};
use crate::ring::NodeId;

type Failure<E> = RPCError<u64, BasicNode, RaftError<u64, E>>;

/// Before a node that cannot be reached is tried again.
const RETRY: Duration = Duration::from_millis(100);

pub struct Network {
    pub cluster: u128,
    pub mesh: Arc<Mesh>,
    pub quorum: Arc<Quorum>,
}

impl RaftNetworkFactory<Group> for Network {
    type Network = Way;

    async fn new_client(&mut self, target: u64, _node: &BasicNode) -> Way {
        Way { cluster: self.cluster, node: NodeId(target), mesh: self.mesh.clone(), quorum: self.quorum.clone() }
    }
}

/// To one node; where it is, the mesh knows.
pub struct Way {
    cluster: u128,
    node: NodeId,
    mesh: Arc<Mesh>,
    quorum: Arc<Quorum>,
}

impl Way {
    async fn ask<E: std::error::Error + 'static>(&self, ask: Ask, option: &RPCOption) -> Result<Answer, Failure<E>> {
        // Only a leader appends: what it knows of its voters is theirs to know too.
        let quorum_ago_ms = matches!(ask, Ask::Append(_)).then(|| self.quorum.ago_ms());
        let request = Request { cluster: self.cluster, to: self.node, ask, quorum_ago_ms };
        match self.mesh.ask(self.node, encode(&request).into(), option.hard_ttl()).await {
            Ok(answer) => decode(&answer).map_err(|error| NetworkError::new(&error).into()),
            // Whoever waits a while before the next try harms nobody: there is no connection.
            Err(error @ AskError::Away) => Err(Unreachable::new(&error).into()),
            Err(error) => Err(NetworkError::new(&error).into()),
        }
    }

    fn remote<E: std::error::Error + 'static>(&self, error: RaftError<u64, E>) -> Failure<E> {
        RPCError::RemoteError(RemoteError::new(self.node.0, error))
    }
}

/// Somebody else is at that address, or something else.
fn stranger<E: std::error::Error + 'static>() -> Failure<E> {
    RPCError::Unreachable(Unreachable::from(AnyError::error("another node is at its address")))
}

impl RaftNetwork<Group> for Way {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Group>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, Failure<openraft::error::Infallible>> {
        match self.ask(Ask::Append(request), &option).await? {
            Answer::Append(result) => result.map_err(|error| self.remote(error)),
            _ => Err(stranger()),
        }
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<Group>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Failure<InstallSnapshotError>> {
        match self.ask(Ask::Snapshot(request), &option).await? {
            Answer::Snapshot(result) => result.map_err(|error| self.remote(error)),
            _ => Err(stranger()),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, Failure<openraft::error::Infallible>> {
        match self.ask(Ask::Vote(request), &option).await? {
            Answer::Vote(result) => result.map_err(|error| self.remote(error)),
            _ => Err(stranger()),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY))
    }
}
