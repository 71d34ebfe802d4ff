//! Pure. What another table means for a node: whose slots turned, and which of its own it has to look at.

use std::collections::HashSet;

use cluster::{NodeId, Table};
use schema::SlotId;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Have another owner than before.
    pub changed: HashSet<SlotId>,
    /// Were ours.
    pub lost: HashSet<SlotId>,
    /// Are ours now.
    pub gained: HashSet<SlotId>,
    /// Ours before or now, by another owner or another grant: their actors have to look. In order.
    pub placed: Vec<SlotId>,
}

impl Turns {
    pub fn between(before: &Table, now: &Table, us: NodeId) -> Self {
        let mut turns = Self::default();
        for (slot, (was, is)) in (0..).map(SlotId).zip(before.slots.iter().zip(&now.slots)) {
            if was.owner != is.owner {
                turns.changed.insert(slot);
                match (was.owner == us, is.owner == us) {
                    (true, _) => drop(turns.lost.insert(slot)),
                    (_, true) => drop(turns.gained.insert(slot)),
                    _ => {}
                }
            }
            if (was.owner, was.grant) != (is.owner, is.grant) && (was.owner == us || is.owner == us) {
                turns.placed.push(slot);
            }
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use cluster::Placement;

    use super::*;

    fn table(slots: &[(u64, u64)]) -> Table {
        let placement = |(owner, grant): &(u64, u64)| Placement { owner: NodeId(*owner), grant: *grant, moving: None };
        Table { version: 1, slots: slots.iter().map(placement).collect() }
    }
    fn slots(of: &[u16]) -> HashSet<SlotId> {
        of.iter().copied().map(SlotId).collect()
    }

    #[test]
    fn a_node_looks_at_what_it_lost_and_won_and_at_what_it_has_by_another_grant() {
        let before = table(&[(1, 1), (1, 1), (2, 1), (2, 1), (2, 1), (1, 1), (1, 1), (2, 1)]);
        let now = table(&[(1, 1), (2, 5), (1, 5), (3, 5), (2, 5), (1, 5), (1, 1), (2, 1)]);
        let turns = Turns::between(&before, &now, NodeId(1));
        assert_eq!((turns.changed, turns.lost, turns.gained), (slots(&[1, 2, 3]), slots(&[1]), slots(&[2])));
        assert_eq!(turns.placed, [1, 2, 5].map(SlotId));
    }
}
