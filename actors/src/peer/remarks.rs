//! Pure. What connections here said to homes elsewhere, until it is answered. It is not said again, since what was said later may have
//! been heard: whoever said it is told that nobody knows, and says it again if it still matters.

use std::collections::BTreeMap;

use cluster::NodeId;
use schema::ConnectionId;

/// Bounded by what connections may have under way.
#[derive(Debug, Default)]
pub struct Remarks(BTreeMap<(ConnectionId, u32), (NodeId, u64)>);

impl Remarks {
    /// `until_ms`: by when its answer has to be here.
    pub fn said(&mut self, connection: ConnectionId, id: u32, home: NodeId, until_ms: u64) {
        self.0.insert((connection, id), (home, until_ms));
    }
    /// Its answer came. False: it has one already.
    pub fn answered(&mut self, connection: ConnectionId, id: u32) -> bool {
        self.0.remove(&(connection, id)).is_some()
    }
    /// What that node heard, or did not, it may never answer.
    pub fn lost(&mut self, home: NodeId) -> Vec<(ConnectionId, u32)> {
        self.take(|(to, _)| to == home)
    }
    pub fn expired(&mut self, now_ms: u64) -> Vec<(ConnectionId, u32)> {
        self.take(|(_, until_ms)| until_ms < now_ms)
    }
    fn take(&mut self, which: impl Fn((NodeId, u64)) -> bool) -> Vec<(ConnectionId, u32)> {
        self.0.extract_if(.., |_, waits| which(*waits)).map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_has_one_answer_or_is_lost_once() {
        let connection = |index| ConnectionId { lot: 0, generation: 0, index };
        let mut remarks = Remarks::default();
        for (index, home) in [(1, 1), (2, 2), (3, 2), (4, 1)] {
            remarks.said(connection(index), 7, NodeId(home), 10 * u64::from(index));
        }
        assert!(remarks.answered(connection(2), 7) && !remarks.answered(connection(2), 7));
        assert_eq!(remarks.lost(NodeId(2)), [(connection(3), 7)]);
        assert!(!remarks.answered(connection(3), 7), "what comes after that is nobody's");
        assert_eq!((remarks.expired(10), remarks.expired(39)), (vec![], vec![(connection(1), 7)]));
        assert_eq!(remarks.expired(100), [(connection(4), 7)]);
    }
}
