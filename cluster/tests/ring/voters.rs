//! Who votes.

use std::collections::BTreeSet;

use cluster::plan::voters;
use cluster::{Command, NodeId, Spec};

use crate::{Log, spec};

fn set(ids: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
    ids.into_iter().collect()
}

/// A log with so many active nodes, in the zones given in turn, and their ids.
fn nodes(count: usize, zones: &[&str]) -> (Log, Vec<NodeId>) {
    let mut log = Log::founded(8);
    for n in 1..count {
        log.grow(Spec { zone: zones[n % zones.len()].into(), ..spec(&format!("n{n}:1")) });
    }
    let ids = log.state.nodes.keys().copied().collect();
    (log, ids)
}

#[test]
fn voters_are_odd_in_number_and_at_most_five() {
    for (count, votes) in [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5), (20, 5)] {
        let (log, ids) = nodes(count, &[""]);
        assert_eq!(voters(&log.state, &set([NodeId(1)]), &set(ids)).len(), votes, "{count} nodes");
    }
}

#[test]
fn a_voter_that_went_down_is_replaced_by_a_node_that_is_up() {
    let (mut log, ids) = nodes(4, &[""]);
    let current = set([ids[0], ids[1], ids[2]]);
    log.crash(ids[1]);
    assert_eq!(voters(&log.state, &current, &set([ids[3]])), set([ids[0], ids[2], ids[3]]));
}

#[test]
fn of_three_nodes_the_one_that_is_down_keeps_its_vote() {
    let (mut log, ids) = nodes(3, &[""]);
    log.crash(ids[2]);
    assert_eq!(voters(&log.state, &set(ids.clone()), &set([])), set(ids));
}

#[test]
fn with_two_of_five_down_three_vote() {
    let (mut log, ids) = nodes(5, &[""]);
    log.crash(ids[0]);
    log.crash(ids[3]);
    assert_eq!(voters(&log.state, &set(ids.clone()), &set([])), set([ids[1], ids[2], ids[4]]));
}

#[test]
fn who_drains_or_was_removed_gives_its_vote_away() {
    let (mut log, ids) = nodes(4, &[""]);
    log.done(Command::Drain { node: ids[1] });
    let current = set([ids[0], ids[1], ids[2]]);
    assert_eq!(voters(&log.state, &current, &set([ids[3]])), set([ids[0], ids[2], ids[3]]));
    log.done(Command::Remove { node: ids[1] });
    assert_eq!(voters(&log.state, &current, &set([ids[3]])), set([ids[0], ids[2], ids[3]]));
}

#[test]
fn the_last_one_who_can_vote_keeps_it_while_it_drains() {
    let mut log = Log::founded(8);
    log.done(Command::Drain { node: NodeId(1) });
    assert_eq!(voters(&log.state, &set([NodeId(1)]), &set([])), set([NodeId(1)]));
}

#[test]
fn a_node_without_the_log_does_not_begin_to_vote() {
    let (log, ids) = nodes(3, &[""]);
    assert_eq!(voters(&log.state, &set([ids[0]]), &set([ids[1]])), set([ids[0]]));
}

#[test]
fn votes_are_spread_over_zones_and_stay_where_they_are_spread() {
    let (log, ids) = nodes(9, &["", "b", "c"]);
    let chosen = voters(&log.state, &set([ids[0], ids[3], ids[6]]), &set(ids.clone()));
    let mut votes = std::collections::BTreeMap::new();
    chosen.iter().for_each(|id| *votes.entry(log.state.nodes[id].spec.zone.clone()).or_insert(0) += 1);
    assert_eq!(chosen.len(), 5);
    assert!(votes.len() == 3 && votes.values().all(|votes| *votes <= 2), "{votes:?}");
    assert_eq!(voters(&log.state, &chosen, &set(ids)), chosen);
}
