//! Pure. What should change: whose slots go to whom, and who votes. Made from the state alone, so that every node would plan the same;
//! the leader's plan becomes entries of the log. A slot has one owner, so zones are about even shares here, and about votes in `voters`.

mod quota;
mod score;
mod voters;

use std::collections::BTreeMap;

use schema::SlotId;

use crate::ring::NodeId;
use crate::state::{State, Status};

pub use voters::{VOTERS_MAX, voters};

/// How many slots of a cluster may be on their way at once, unless an operator says otherwise.
pub const MOVES_IN_FLIGHT_MAX: usize = 16;

/// As an operator wants it, or as it is by itself.
pub fn moves_in_flight_max(state: &State) -> usize {
    state.moves_in_flight.map_or(MOVES_IN_FLIGHT_MAX, usize::from)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub slot: SlotId,
    pub from: NodeId,
    pub to: NodeId,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// From nodes that are down: nobody serves these, so all go at once.
    pub assign: Vec<Move>,
    /// From nodes that can hand over: as many as may be on their way beside those that are.
    pub begin: Vec<Move>,
}

/// The fewest moves after which every active node has its share by weight, rounded up at most. Which slots those are, and
/// who gets them, is by rendezvous hashing.
pub fn plan(state: &State, moves_in_flight_max: usize) -> Plan {
    let quotas = quota::quotas(state);
    if quotas.is_empty() {
        return Plan::default();
    }
    let mut held: BTreeMap<NodeId, Vec<SlotId>> = BTreeMap::new();
    let mut loose: Vec<(SlotId, NodeId)> = Vec::new();
    for (slot, placement) in state.slots.iter().enumerate().map(|(number, placement)| (SlotId(number as u16), placement)) {
        // What is on its way counts where it goes, unless there is nobody who could hand it over.
        let holder = if state.is(placement.owner, Status::Down) { placement.owner } else { placement.moving.unwrap_or(placement.owner) };
        if quotas.contains_key(&holder) {
            held.entry(holder).or_default().push(slot);
        } else {
            loose.push((slot, placement.owner));
        }
    }
    let mut missing = BTreeMap::new();
    for (node, quota) in quotas {
        let held = held.remove(&node).unwrap_or_default();
        let given = surplus(node, &held, quota, state);
        missing.insert(node, quota.saturating_sub(held.len() - given.len()));
        loose.extend(given.into_iter().map(|slot| (slot, node)));
    }
    let moves = settle(loose, missing, state);
    let (assign, mut begin): (Vec<_>, Vec<_>) = moves.into_iter().partition(|step| state.is(step.from, Status::Down));
    begin.truncate(moves_in_flight_max.saturating_sub(under_way(state).count()));
    Plan { assign, begin }
}

/// The moves that began and did not end.
pub fn under_way(state: &State) -> impl Iterator<Item = Move> {
    let slots = state.slots.iter().enumerate();
    slots.filter_map(|(number, slot)| slot.moving.map(|to| Move { slot: SlotId(number as u16), from: slot.owner, to }))
}

/// What a node has above its quota: those that are least its own. What is on its way to it stays on its way.
fn surplus(node: NodeId, held: &[SlotId], quota: usize, state: &State) -> Vec<SlotId> {
    // Nearly always, and the leader plans forty times a second: a score takes long enough to be seen then.
    if held.len() <= quota {
        return Vec::new();
    }
    let weight = state.nodes[&node].spec.weight;
    let mut settled: Vec<_> = held.iter().copied().filter(|slot| state.slots[usize::from(slot.0)].moving.is_none()).collect();
    settled.sort_by_cached_key(|slot| (score::score(*slot, node, weight), *slot));
    settled.truncate(held.len() - quota);
    settled
}

/// Each slot to the node that wants it most, among those that miss some.
fn settle(mut loose: Vec<(SlotId, NodeId)>, mut missing: BTreeMap<NodeId, usize>, state: &State) -> Vec<Move> {
    // What was on its way first: the others must not fill the place that it was to have.
    loose.sort_by_key(|(slot, _)| (state.slots[usize::from(slot.0)].moving.is_none(), *slot));
    let mut moves = Vec::with_capacity(loose.len());
    for (slot, from) in loose {
        let placement = &state.slots[usize::from(slot.0)];
        let wants = |node: &NodeId| score::score(slot, *node, state.nodes[node].spec.weight);
        let room = missing.iter().filter(|(_, count)| **count > 0).map(|(node, _)| *node);
        // Who was to get it may have it warm.
        let warm = placement.moving.filter(|to| missing.get(to).is_some_and(|count| *count > 0));
        let to = warm.or_else(|| room.max_by_key(|node| (wants(node), *node))).expect("the quotas are as many as the slots");
        *missing.get_mut(&to).expect("taken from it") -= 1;
        moves.push(Move { slot, from, to });
    }
    moves
}
