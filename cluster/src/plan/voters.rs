//! Pure. Who votes: an odd number of nodes, at most five, that are up, spread over the zones, and as few changes as that allows.

use std::collections::{BTreeMap, BTreeSet};

use crate::ring::NodeId;
use crate::state::{State, Status};

pub const VOTERS_MAX: usize = 5;

/// Who should vote, given who does. `ready` has been sent the log as far as it goes; only such a node may begin to vote.
///
/// A voter that is down makes room for one that is up; if there is none, it stays down to two that are up of three: it may come
/// back, and with it the group can spare any one again. Of two nodes that are all there is one votes: two votes need both, so the group
/// could spare neither, while the one that does not vote has the log on its disk as well. Empty is never answered: without anybody
/// better the voters stay.
pub fn voters(state: &State, current: &BTreeSet<NodeId>, ready: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let able: Vec<NodeId> = (state.nodes.iter())
        .filter(|(id, node)| node.status == Status::Active && (current.contains(*id) || ready.contains(*id)))
        .map(|(id, _)| *id)
        .collect();
    let stay: Vec<NodeId> = current.iter().copied().filter(|id| state.is(*id, Status::Down)).collect();
    let size = match able.len() {
        0 => return current.clone(),
        n if n < 3 && n + stay.len() >= 3 => 3,
        n => odd(n.min(VOTERS_MAX)),
    };
    let mut chosen = BTreeSet::new();
    for pool in [&able, &stay] {
        while chosen.len() < size {
            let Some(next) = best(state, current, &chosen, pool) else { break };
            chosen.insert(next);
        }
    }
    chosen
}

fn odd(count: usize) -> usize {
    if count % 2 == 1 { count } else { count - 1 }
}

/// The zone with the fewest voters first, then who votes already, then who joined first.
fn best(state: &State, current: &BTreeSet<NodeId>, chosen: &BTreeSet<NodeId>, pool: &[NodeId]) -> Option<NodeId> {
    let zone = |id: &NodeId| state.nodes[id].spec.zone.as_str();
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    chosen.iter().for_each(|id| *votes.entry(zone(id)).or_default() += 1);
    let rank = |id: &NodeId| (votes.get(zone(id)).copied().unwrap_or(0), !current.contains(id), *id);
    pool.iter().copied().filter(|id| !chosen.contains(id)).min_by_key(rank)
}
