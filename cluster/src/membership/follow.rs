//! Keeps the group's lane to all who are in the group, wherever they are now.

use std::collections::BTreeMap;

use super::Membership;
use crate::ring::NodeId;

/// Where a node was met, and where the state had it then.
pub(super) struct Met {
    at: String,
    instead_of: String,
}

impl Membership {
    pub(super) async fn follow(self) {
        let (mut metrics, mut state, mut quorum) = (self.inner.raft.metrics(), self.watch(), self.watch_quorum());
        let (mut seen, mut led) = (None, None);
        loop {
            let (configured, is_led) = {
                let (raft, no_quorum) = (metrics.borrow_and_update(), quorum.borrow_and_update());
                if let Err(fatal) = &raft.running_state {
                    tracing::error!(%fatal, "the group has stopped on this node, which goes on with what it has: start it again");
                    return;
                }
                (*raft.membership_config.log_id(), raft.current_leader.is_some() && no_quorum.is_none())
            };
            let version = state.borrow_and_update().version;
            if led != Some(is_led) || seen != Some((version, configured)) {
                led = Some(is_led);
                super::metrics::metrics().show(&self.state(), is_led);
            }
            if seen != Some((version, configured)) {
                seen = Some((version, configured));
                self.inner.mesh.follow(&self.addresses());
                self.inner.mesh.knows_table(version);
            }
            tokio::select! {
                changed = metrics.changed() => if changed.is_err() { return },
                changed = state.changed() => if changed.is_err() { return },
                changed = quorum.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Of all, those included that are down: they may come back.
    pub fn addresses(&self) -> BTreeMap<NodeId, String> {
        let mut addresses = self.told_addresses();
        for (id, met) in self.inner.met.lock().iter() {
            // What was said since is newer.
            if let Some(address) = addresses.get_mut(id).filter(|told| **told == met.instead_of) {
                address.clone_from(&met.at);
            }
        }
        addresses
    }

    /// The state knows best; before it is there, after a start, the log's own list has to do.
    fn told_addresses(&self) -> BTreeMap<NodeId, String> {
        let metrics = self.inner.raft.metrics();
        let configured = metrics.borrow().membership_config.clone();
        let mut addresses: BTreeMap<_, _> = configured.nodes().map(|(id, node)| (NodeId(*id), node.addr.clone())).collect();
        addresses.extend(self.state().nodes.iter().map(|(id, node)| (*id, node.spec.address.clone())));
        addresses
    }

    /// A node of the group is at another address than the group knows: until it has said so itself it is dialled there.
    pub fn met(&self, node: NodeId, at: String) {
        let Some(instead_of) = self.told_addresses().remove(&node) else { return };
        if self.addresses().get(&node) != Some(&at) {
            tracing::info!(node = node.0, address = at, "a node was found at another address");
            self.inner.met.lock().insert(node, Met { at, instead_of });
            self.inner.mesh.follow(&self.addresses());
        }
    }
}
