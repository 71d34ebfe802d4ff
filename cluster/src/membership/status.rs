//! What an operator wants to know of the group, as this node sees it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::Membership;
use crate::ring::NodeId;
use crate::state::State;

#[derive(Clone, Debug, Serialize)]
pub struct GroupStatus {
    pub node: NodeId,
    /// `None` without a quorum, too: who led then cannot say so.
    pub leader: Option<NodeId>,
    pub no_quorum_since: Option<SystemTime>,
    /// Rises with every election.
    pub term: u64,
    pub voters: BTreeSet<NodeId>,
    /// They have the log and do not vote.
    pub learners: BTreeSet<NodeId>,
    /// Entries that this node has, and that it has applied.
    pub log: u64,
    pub applied: u64,
    pub state: Arc<State>,
}

impl Membership {
    pub fn status(&self) -> GroupStatus {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        let no_quorum_since = self.no_quorum_since();
        GroupStatus {
            node: self.node(),
            leader: metrics.current_leader.filter(|_| no_quorum_since.is_none()).map(NodeId),
            no_quorum_since,
            term: metrics.current_term,
            voters: membership.voter_ids().map(NodeId).collect(),
            learners: membership.learner_ids().map(NodeId).collect(),
            log: metrics.last_log_index.unwrap_or(0),
            applied: metrics.last_applied.map_or(0, |id| id.index),
            state: self.state(),
        }
    }
}
