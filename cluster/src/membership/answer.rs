//! What comes in from other nodes, on the group's lane. Who may send it, the link sees to.

use openraft::error::{ClientWriteError, RaftError};
use openraft::raft::AppendEntriesResponse;

use super::Membership;
use super::frame::{Answer, Ask, Heartbeat, Request};
use crate::link::{Asked, Receive, Said, Whence};
use crate::raft::{decode, encode};
use crate::ring::NodeId;
use crate::state::{Command, Outcome};

impl Receive for Membership {
    fn arrived(&self, _from: Whence) {}
    fn gone(&self, _from: Whence) {}

    /// Somebody is alive.
    fn said(&self, said: Said) {
        if let Ok(beat) = decode::<Heartbeat>(&said.body)
            && beat.cluster == self.inner.identity.cluster
            && beat.node == said.from.node
        {
            self.inner.detector.lock().heard(beat.node, beat.incarnation, self.now_ms());
        }
    }

    /// Answered on the group's own thread. Requests may overtake each other there: Raft does not mind.
    fn asked(&self, asked: Asked) {
        let membership = self.clone();
        self.inner.runtime.spawn(async move {
            let answer = match decode::<Request>(&asked.body) {
                Ok(request) if membership.is_for_us(&request) => membership.reply(request).await,
                _ => Answer::Stranger,
            };
            asked.answer(Ok(encode(&answer).into()), membership.state().version);
        });
    }
}

impl Membership {
    fn is_for_us(&self, request: &Request) -> bool {
        request.cluster == self.inner.identity.cluster && request.to == self.node()
    }

    async fn reply(&self, Request { ask, quorum_ago_ms, .. }: Request) -> Answer {
        let raft = &self.inner.raft;
        match ask {
            Ask::Append(request) => {
                let answer = raft.append_entries(request).await;
                // One that leads no more knows nothing of its voters.
                if let (Ok(AppendEntriesResponse::Success | AppendEntriesResponse::PartialSuccess(_)), Some(ago_ms)) =
                    (&answer, quorum_ago_ms)
                {
                    self.inner.quorum.heard(ago_ms);
                }
                Answer::Append(answer)
            }
            Ask::Vote(request) => Answer::Vote(raft.vote(request).await),
            Ask::Snapshot(request) => Answer::Snapshot(raft.install_snapshot(request).await),
            Ask::Propose(command) => self.write(command).await,
        }
    }

    /// Into the log, if this node leads.
    pub(super) async fn write(&self, command: Command) -> Answer {
        // Whatever is tried again and again would stay in the log, and nobody would answer.
        if self.leads() && self.no_quorum_since().is_some() {
            return Answer::Elsewhere(None);
        }
        match self.inner.raft.client_write(command).await {
            Ok(written) => Answer::Proposed(written.data),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => Answer::Elsewhere(forward.leader_id.map(NodeId)),
            Err(error) => {
                tracing::warn!(%error, "an entry was not written");
                Answer::Elsewhere(None)
            }
        }
    }

    /// Says to the group that this process is here, and takes the incarnation it gives.
    pub(super) async fn announce(&self) -> Result<(), super::Error> {
        let (node, spec, above) = (self.node(), self.inner.spec.lock().clone(), self.inner.above);
        match self.propose(Command::Activate { node, spec, above }).await? {
            Outcome::Active { incarnation } => {
                self.inner.incarnation.fetch_max(incarnation, std::sync::atomic::Ordering::AcqRel);
                Ok(())
            }
            Outcome::Refused(refusal) => Err(refusal.into()),
            other => Err(super::Error::Stopped(format!("it answered {other:?}"))),
        }
    }
}
