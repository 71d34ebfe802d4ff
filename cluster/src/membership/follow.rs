//! Keeps the group's lane to all who are in the group, wherever they are now.

use std::collections::BTreeMap;

use super::Membership;
use crate::ring::NodeId;

impl Membership {
    pub(super) async fn follow(self) {
        let (mut metrics, mut state) = (self.inner.raft.metrics(), self.watch());
        let (mut seen, mut led) = (None, None);
        loop {
            let (configured, is_led) = {
                let raft = metrics.borrow_and_update();
                (*raft.membership_config.log_id(), raft.current_leader.is_some())
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
            }
        }
    }

    /// Of all, those included that are down: they may come back. The state knows best; before it is there, after a start, the
    /// log's own list has to do.
    pub fn addresses(&self) -> BTreeMap<NodeId, String> {
        let metrics = self.inner.raft.metrics();
        let configured = metrics.borrow().membership_config.clone();
        let mut addresses: BTreeMap<_, _> = configured.nodes().map(|(id, node)| (NodeId(*id), node.addr.clone())).collect();
        addresses.extend(self.state().nodes.iter().map(|(id, node)| (*id, node.spec.address.clone())));
        addresses
    }
}
