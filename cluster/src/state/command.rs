//! Pure. What may be asked of the state, and what comes of it. These lie in logs on disk and go between nodes of two versions: fields
//! are only ever added, with a default, and no variant changes its meaning (`tests/golden`).

use schema::SlotId;
use serde::{Deserialize, Serialize};

use crate::ring::NodeId;

/// What a node says of itself when it joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// `host:port` at which other nodes reach it.
    pub address: String,
    #[serde(default)]
    pub zone: String,
    /// Its share of the slots beside the others'; 0 takes none.
    pub weight: u16,
    /// SHA-256 of its certificate; zeros while it has none.
    #[serde(default)]
    pub fingerprint: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The first entry of a cluster, by its first node, which owns everything by grants above the one named.
    Found {
        cluster: u128,
        node: NodeId,
        spec: Spec,
        slots: u16,
        above: u64,
    },
    /// The node's id is the index of this entry.
    Join {
        spec: Spec,
    },
    /// Whoever shows what this is the SHA-256 of may join, once. Of more than [`INVITES_MAX`](super::INVITES_MAX) the oldest is forgotten.
    Invite {
        invite: [u8; 32],
    },
    /// As `Join`, by somebody who has nothing to show but an invitation. It is used up; while the node has not begun it may show it
    /// again, since its answer may be lost.
    Admit {
        invite: [u8; 32],
        spec: Spec,
    },
    /// A process of the node begins. It gets what it owns anew, by grants above the one named: the highest that it saw in the store.
    Activate {
        node: NodeId,
        spec: Spec,
        above: u64,
    },
    /// The node shows another certificate from now on (SHA-256). The one before is believed until the next change.
    Renew {
        node: NodeId,
        fingerprint: [u8; 32],
    },
    Drain {
        node: NodeId,
    },
    /// Said of one process: another one that began since stays up.
    Down {
        node: NodeId,
        incarnation: u64,
    },
    /// Forgets a node that owns nothing.
    Remove {
        node: NodeId,
    },
    BeginMove {
        slot: SlotId,
        to: NodeId,
    },
    EndMove {
        slot: SlotId,
        to: NodeId,
    },
    /// Those of them that fit the state, in one entry.
    BeginMoves {
        moves: Vec<(SlotId, NodeId)>,
    },
    EndMoves {
        moves: Vec<(SlotId, NodeId)>,
    },
    /// How many moves may be on their way from now on; 0 holds them. What dead nodes had is taken over all the same.
    Pace {
        moves_in_flight: u16,
    },
    /// Takes slots from a node that cannot hand them over.
    Assign {
        from: NodeId,
        slots: Vec<(SlotId, NodeId)>,
    },
    /// The store knows a higher epoch than the slot's grant makes: a restored or copied store, a rebuilt group.
    Raise {
        slot: SlotId,
        owner: NodeId,
        above: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Joined { node: NodeId, cluster: u128 },
    Active { incarnation: u64 },
    Refused(Refusal),
}

/// Why an entry changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("there is no cluster yet: found one with `hubbub cluster init`")]
    NotFounded,
    #[error("the token was used before, or its cluster did not make it: make another with `hubbub cluster token`")]
    NotInvited,
    #[error("the cluster was founded already: let the node join it")]
    Founded,
    #[error("{0} slots are no power of two between 1 and 16,384")]
    Slots(u16),
    #[error("there is no slot {}", .0.0)]
    NoSlot(SlotId),
    #[error("there is no node {}: it was removed, or never joined", .0.0)]
    NoNode(NodeId),
    #[error("node {} is not active", .0.0)]
    NotActive(NodeId),
    #[error("node {} still owns slots: drain it first", .0.0)]
    OwnsSlots(NodeId),
    #[error("node {} is active: drain it first", .0.0)]
    StillActive(NodeId),
    #[error("the state has changed since: look again")]
    Stale,
    #[error("a cluster has at most 1,024 nodes: remove those that are gone")]
    Full,
    #[error("an address has at most 262 bytes and a zone at most 64")]
    TooLong,
    #[error("grants have come to their end: found a new cluster and restore into it")]
    Exhausted,
}
