//! Tells every voter that this process is alive, and says so to the group again if it was taken for down.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval};

use super::frame::Heartbeat;
use super::{Error, Membership};
use crate::detector::HEARTBEAT_MS;
use crate::raft::encode;
use crate::ring::NodeId;

impl Membership {
    pub(super) async fn beat(self) {
        let mut ticks = interval(Duration::from_millis(HEARTBEAT_MS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let incarnation = self.incarnation();
            if incarnation == 0 {
                continue;
            }
            let beat = Heartbeat { cluster: self.inner.identity.cluster, node: self.node(), incarnation };
            let message = Bytes::from(encode(&beat));
            for node in self.other_voters() {
                // Who is away hears the next one.
                let _ = self.inner.mesh.say(node, message.clone());
            }
        }
    }

    /// A pause, or a cut that healed, looks like death to the others.
    pub(super) async fn come_back(self) {
        let mut state = self.watch();
        loop {
            let now = state.borrow_and_update().clone();
            if !self.is_taken_for_down(&now) {
                if state.changed().await.is_err() {
                    return;
                }
                continue;
            }
            match self.announce().await {
                Ok(()) => {}
                Err(Error::Unavailable) => tracing::warn!("this node is here, and its group, which it cannot reach, holds it to be down"),
                Err(error) => return tracing::warn!(%error, "this node is out of its group"),
            }
        }
    }

    pub(super) fn other_voters(&self) -> Vec<NodeId> {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.voter_ids().map(NodeId).filter(|id| *id != self.node()).collect()
    }
}
