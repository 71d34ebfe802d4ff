//! Pure. Who has not been heard of for too long. It decides nothing: the leader takes a suspect for down, and a wrong guess costs moves and
//! no data. Whoever did not listen itself, since it was stopped or its clock jumped, suspects nobody until it has listened again.

use std::collections::BTreeMap;

use crate::ring::NodeId;
use crate::state::{State, Status};

/// Every node tells every voter that it is alive this often.
pub const HEARTBEAT_MS: u64 = 50;
/// How often suspects are looked for.
pub const LOOK_MS: u64 = 25;
/// Five heartbeats. With one heartbeat and one look on top of it a dead node is suspected within 350 ms.
pub const SILENCE_MS: u64 = 250;
/// Between two looks; a longer gap was ours.
pub const GAP_MS: u64 = 125;

/// One process of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub node: NodeId,
    pub incarnation: u64,
}

#[derive(Debug)]
pub struct Detector {
    node: NodeId,
    heard: BTreeMap<NodeId, Heard>,
    looked_ms: u64,
}

#[derive(Debug)]
struct Heard {
    incarnation: u64,
    at_ms: u64,
}

impl Detector {
    pub fn new(node: NodeId, now_ms: u64) -> Self {
        Self { node, heard: BTreeMap::new(), looked_ms: now_ms }
    }

    /// A heartbeat. Of a process that the state does not know it says nothing yet.
    pub fn heard(&mut self, node: NodeId, incarnation: u64, now_ms: u64) {
        if let Some(heard) = self.heard.get_mut(&node).filter(|heard| heard.incarnation == incarnation) {
            heard.at_ms = now_ms;
        }
    }

    /// Whom the state holds to be up and nobody hears. A process that is new in the state has its whole time from now on.
    pub fn look(&mut self, state: &State, now_ms: u64) -> Vec<Suspect> {
        let listened = now_ms.checked_sub(self.looked_ms).is_some_and(|gap_ms| gap_ms <= GAP_MS);
        self.looked_ms = now_ms;
        let up = |status| matches!(status, Status::Active | Status::Draining);
        self.heard.retain(|id, heard| state.nodes.get(id).is_some_and(|node| up(node.status) && node.incarnation == heard.incarnation));
        for (id, node) in state.nodes.iter().filter(|(id, node)| **id != self.node && up(node.status)) {
            self.heard.entry(*id).or_insert(Heard { incarnation: node.incarnation, at_ms: now_ms });
        }
        if !listened {
            self.heard.values_mut().for_each(|heard| heard.at_ms = now_ms);
        }
        let silent = |heard: &Heard| now_ms.saturating_sub(heard.at_ms) > SILENCE_MS;
        let suspects = self.heard.iter().filter(|(_, heard)| silent(heard));
        suspects.map(|(id, heard)| Suspect { node: *id, incarnation: heard.incarnation }).collect()
    }
}
