//! Pure. Connections of other nodes, by names of this one: a lot's number that no lot of ours has stands for the node, and the rest says
//! which connection it is there. So whatever holds connections holds those of others as well, and takes no more room for it.

use cluster::NodeId;
use parking_lot::RwLock;
use schema::ConnectionId;

/// Set in the number of a lot that is another node's.
const ABROAD: u16 = 1 << 15;
/// Of a lot's number, and of a place in it; a node has at most 1,024 lots.
const LOT_BITS: u32 = 10;
const INDEX_BITS: u32 = u32::BITS - LOT_BITS;

/// Those that anything was heard of, by number; as many as there were nodes since this one started.
#[derive(Default)]
pub struct Foreign(RwLock<Vec<NodeId>>);

impl Foreign {
    /// Panics: if the connection has no place among `2^10` lots of `2^22` connections.
    pub fn name(&self, node: NodeId, connection: ConnectionId) -> ConnectionId {
        let ConnectionId { lot, generation, index } = connection;
        assert!(lot < 1 << LOT_BITS && index < 1 << INDEX_BITS, "{connection:?} is no connection of a node");
        ConnectionId { lot: ABROAD | self.number(node), generation, index: u32::from(lot) << INDEX_BITS | index }
    }

    pub fn find(&self, connection: ConnectionId) -> Option<(NodeId, ConnectionId)> {
        let ConnectionId { lot, generation, index } = connection;
        if lot & ABROAD == 0 {
            return None;
        }
        let node = self.0.read()[usize::from(lot & !ABROAD)];
        Some((node, ConnectionId { lot: (index >> INDEX_BITS) as u16, generation, index: index & ((1 << INDEX_BITS) - 1) }))
    }

    fn number(&self, node: NodeId) -> u16 {
        if let Some(known) = self.0.read().iter().position(|known| *known == node) {
            return known as u16;
        }
        let mut nodes = self.0.write();
        let known = nodes.iter().position(|known| *known == node).unwrap_or_else(|| {
            nodes.push(node);
            nodes.len() - 1
        });
        assert!(known < usize::from(ABROAD), "more nodes than a process can tell apart");
        known as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_node_and_ours_are_nobody_else_s() {
        let (foreign, ours) = (Foreign::default(), ConnectionId { lot: 1_023, generation: 7, index: (1 << 22) - 1 });
        let (a, b) = (foreign.name(NodeId(3), ours), foreign.name(NodeId(9), ours));
        assert_ne!(a, b);
        assert_eq!(foreign.find(a), Some((NodeId(3), ours)));
        assert_eq!(foreign.find(b), Some((NodeId(9), ours)));
        assert_eq!(foreign.name(NodeId(3), ours), a, "one name each");
        assert_eq!(foreign.find(ours), None);
    }
}
