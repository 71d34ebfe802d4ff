//! The table of owners, and the cell that every hot path reads it from without a lock.

use std::sync::Arc;

use arc_swap::ArcSwap;
use schema::SlotId;
use serde::{Deserialize, Serialize};

use super::{Kind, Outgrown, slot_of};

/// A server process; from the membership's log, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

/// Who owns a slot, and by which grant (epoch = grant << 16 | activation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    pub owner: NodeId,
    pub grant: u64,
    /// Whom the owner is about to hand it to. It stays the owner until that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<NodeId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Rises with every change.
    pub version: u64,
    /// By slot number; the length is a power of two.
    pub slots: Vec<Placement>,
}

impl Table {
    /// One node that owns everything.
    pub fn alone(node: NodeId, grant: u64, slots: u16) -> Self {
        Self { version: 1, slots: vec![Placement { owner: node, grant, moving: None }; usize::from(slots)] }
    }
}

/// The current table as one node knows it.
#[derive(Debug)]
pub struct Ring {
    node: NodeId,
    table: ArcSwap<Table>,
    pub outgrown: Outgrown,
}

impl Ring {
    pub fn new(node: NodeId, table: Table) -> Self {
        Self { node, table: ArcSwap::from_pointee(table), outgrown: Outgrown::default() }
    }
    pub fn node(&self) -> NodeId {
        self.node
    }
    pub fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }
    /// Of the table it has now; what a wrong-owner answer carries.
    pub fn version(&self) -> u64 {
        self.table.load().version
    }
    pub fn slots(&self) -> u16 {
        self.table.load().slots.len() as u16
    }
    pub fn slot(&self, kind: Kind, id: &[u8; 16]) -> SlotId {
        slot_of(kind, id, self.slots())
    }
    pub fn placement(&self, slot: SlotId) -> Placement {
        self.table.load().slots[usize::from(slot.0)]
    }
    pub fn is_ours(&self, slot: SlotId) -> bool {
        self.placement(slot).owner == self.node
    }
    /// Takes a table if it is newer than ours. Of two that come at once the newer one stays.
    ///
    /// Panics: if it has another number of slots; that is chosen once and stays.
    pub fn update(&self, table: Table) -> bool {
        let table = Arc::new(table);
        let before = self.table.rcu(|ours| {
            assert_eq!(ours.slots.len(), table.slots.len(), "the number of slots never changes");
            if table.version > ours.version { table.clone() } else { ours.clone() }
        });
        table.version > before.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_table_is_not_taken() {
        let ring = Ring::new(NodeId(1), Table::alone(NodeId(1), 7, 8));
        let slot = ring.slot(Kind::Room, &[3; 16]);
        assert!(ring.is_ours(slot));
        assert!(!ring.update(Table::alone(NodeId(2), 8, 8)));
        assert!(ring.update(Table { version: 2, ..Table::alone(NodeId(2), 8, 8) }));
        assert!(!ring.is_ours(slot));
    }
}
