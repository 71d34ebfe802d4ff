//! Pure. What the nodes of a cluster agree on: who they are, and who owns each slot by which grant. It changes by entries of the
//! membership's log alone, so that every node computes the same. It reads no clock; what should change is for `plan` to say.

mod apply;
mod command;

use std::collections::BTreeMap;

use schema::SlotId;
use serde::{Deserialize, Serialize};

use crate::ring::{NodeId, Placement, Table};

pub use command::{Command, Outcome, Refusal, Spec};

/// How many nodes one cluster may have, those included that are down and were not removed.
pub const NODES_MAX: usize = 1_024;
pub const SLOTS_MAX: u16 = 16_384;
/// An epoch is `grant << 16 | activation`, in 64 bits.
pub const GRANT_MAX: u64 = (1 << 48) - 1;
pub const ADDRESS_BYTES_MAX: usize = 262;
/// Invitations to join that are not used up.
pub const INVITES_MAX: usize = 64;
pub const ZONE_BYTES_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Has an id and gets the log; serves nothing before it said that it is there.
    Joining,
    Active,
    /// Serves what it has and hands it over.
    Draining,
    Down,
}

/// What the state says of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Member,
    /// For ever: ids are not given twice.
    Removed,
    /// It may have joined since.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    #[serde(flatten)]
    pub spec: Spec,
    pub status: Status,
    /// The index of the entry by which this process said that it is there: who is down is said of a process, not of a name.
    pub incarnation: u64,
    /// By which it joined, until it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<[u8; 32]>,
    /// SHA-256 of the certificate before the one in `spec`: it is shown until the new one is known everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<[u8; 32]>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The index of the last entry that changed anything.
    pub version: u64,
    /// Tells this cluster from every other, for ever.
    pub cluster: u128,
    /// By slot number; their number is a power of two and never changes. Invariant: every owner is in `nodes`.
    pub slots: Vec<Placement>,
    pub nodes: BTreeMap<NodeId, Node>,
    /// Invariant: at least every grant that was ever given; a new one is higher.
    pub granted: u64,
    /// Those that nobody has used yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invites: Vec<[u8; 32]>,
    /// How many moves may be on their way, if an operator has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves_in_flight: Option<u16>,
}

impl State {
    /// Whether there is a cluster at all.
    pub fn is_founded(&self) -> bool {
        !self.slots.is_empty()
    }

    /// What the ring's readers need of it.
    pub fn table(&self) -> Table {
        Table { version: self.version, slots: self.slots.clone() }
    }

    pub fn slot(&self, slot: SlotId) -> Option<&Placement> {
        self.slots.get(usize::from(slot.0))
    }

    pub fn is(&self, node: NodeId, status: Status) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.status == status)
    }

    /// Whether whoever shows this may join from there: nobody has used it, or they have and have not begun.
    pub fn is_invited(&self, invite: [u8; 32], address: &str) -> bool {
        let again = |node: &Node| node.status == Status::Joining && node.invite == Some(invite) && node.spec.address == address;
        self.invites.contains(&invite) || self.nodes.values().any(again)
    }

    /// Whether a certificate (SHA-256) of the group's authority is this node's. Who has not begun yet has said nothing of its own, and
    /// of who joined after what we know, whose id is higher than our version, there is the authority's word alone.
    pub fn trusts(&self, node: NodeId, fingerprint: [u8; 32]) -> bool {
        match self.nodes.get(&node) {
            Some(known) => {
                let shown = known.spec.fingerprint;
                shown == [0; 32] || shown == fingerprint || known.before == Some(fingerprint)
            }
            None => node.0 > self.version,
        }
    }

    /// Ids rise with the version: who is not there and would have come before is gone.
    pub fn standing(&self, node: NodeId) -> Standing {
        match self.nodes.contains_key(&node) {
            true => Standing::Member,
            false if self.is_founded() && node.0 <= self.version => Standing::Removed,
            false => Standing::Unknown,
        }
    }

    pub fn owned_by(&self, node: NodeId) -> usize {
        self.slots.iter().filter(|slot| slot.owner == node).count()
    }
}
