//! A command's way to the leader, wherever that is. One whose answer was lost is proposed again: every command is either harmless
//! the second time or refused as stale then.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::frame::{Answer, Ask, Request};
use super::{Error, Membership};
use crate::raft::{decode, encode};
use crate::ring::NodeId;
use crate::state::{Command, Outcome};

/// An election or two fit in.
const PATIENCE: Duration = Duration::from_secs(5);
/// One try; a leader that lost its voters never answers.
const TRY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);

impl Membership {
    /// Errors: `Unavailable` after five seconds; the command may still take effect.
    pub async fn propose(&self, command: Command) -> Result<Outcome, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Err(fatal) = &self.inner.raft.metrics().borrow().running_state {
                return Err(Error::Stopped(fatal.to_string()));
            }
            if let Some(outcome) = self.propose_once(&command, deadline.min(Instant::now() + TRY)).await {
                return Ok(outcome);
            }
            if Instant::now() + PAUSE >= deadline {
                return Err(Error::Unavailable);
            }
            sleep(PAUSE).await;
        }
    }

    /// `None`: nobody leads, or nobody knows what became of it.
    pub(super) async fn propose_once(&self, command: &Command, deadline: Instant) -> Option<Outcome> {
        timeout_at(deadline, self.write_somewhere(command)).await.ok()?
    }

    async fn write_somewhere(&self, command: &Command) -> Option<Outcome> {
        match self.write(command.clone()).await {
            Answer::Proposed(outcome) => return Some(outcome),
            Answer::Elsewhere(Some(node)) if node != self.node() => {
                if let Some(Answer::Proposed(outcome)) = self.write_at(node, command).await {
                    return Some(outcome);
                }
            }
            _ => {}
        }
        // Whom this node takes for the leader may be gone, and who was removed from the group is told of no other.
        for node in self.other_voters() {
            let leader = match self.write_at(node, command).await {
                Some(Answer::Proposed(outcome)) => return Some(outcome),
                Some(Answer::Elsewhere(Some(leader))) if leader != self.node() => leader,
                _ => continue,
            };
            if let Some(Answer::Proposed(outcome)) = self.write_at(leader, command).await {
                return Some(outcome);
            }
        }
        None
    }

    /// One request and its answer. `None`: there was none that can be read.
    async fn write_at(&self, node: NodeId, command: &Command) -> Option<Answer> {
        let request = Request { cluster: self.inner.identity.cluster, to: node, ask: Ask::Propose(command.clone()), quorum_ago_ms: None };
        let answer = self.inner.mesh.ask(node, encode(&request).into(), TRY).await.ok()?;
        decode(&answer).ok()
    }
}
