//! Pure. How many slots each active node shall have: its share by weight, first among zones and then within each, rounded to whole
//! slots. What is left over goes to those that have it anyway, so that rounding moves nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::ring::NodeId;
use crate::state::{State, Status};

/// Of every active node, together all slots; empty if none is active. If none has a weight, all count the same.
pub fn quotas(state: &State) -> BTreeMap<NodeId, usize> {
    let active = || state.nodes.iter().filter(|(_, node)| node.status == Status::Active);
    let weightless = active().all(|(_, node)| node.spec.weight == 0);
    let mut zones: BTreeMap<&str, Vec<Claim<NodeId>>> = BTreeMap::new();
    for (id, node) in active() {
        let held = state.slots.iter().filter(|slot| slot.moving.unwrap_or(slot.owner) == *id).count();
        zones.entry(&node.spec.zone).or_default().push(Claim {
            of: *id,
            weight: if weightless { 1 } else { node.spec.weight.into() },
            held,
        });
    }
    if zones.is_empty() {
        return BTreeMap::new();
    }
    let of_zones = zones.iter().map(|(zone, nodes)| Claim {
        of: *zone,
        weight: nodes.iter().map(|node| node.weight).sum(),
        held: nodes.iter().map(|node| node.held).sum(),
    });
    let shares: BTreeMap<_, _> = divide(state.slots.len(), of_zones.collect()).into_iter().collect();
    zones.into_iter().flat_map(|(zone, nodes)| divide(shares[zone], nodes)).collect()
}

struct Claim<T> {
    of: T,
    weight: u64,
    held: usize,
}

/// By the largest remainder, but one who holds more than the whole part keeps one more before others get one.
fn divide<T: Copy + Ord>(count: usize, claims: Vec<Claim<T>>) -> Vec<(T, usize)> {
    // A zone of weight 0 has no slots to divide.
    let total = claims.iter().map(|claim| claim.weight).sum::<u64>().max(1);
    let whole = |claim: &Claim<T>| (count as u64 * claim.weight / total) as usize;
    let rest = |claim: &Claim<T>| count as u64 * claim.weight % total;
    let left = count - claims.iter().map(whole).sum::<usize>();
    let mut order: Vec<_> = claims.iter().filter(|claim| rest(claim) > 0).collect();
    assert!(left <= order.len(), "remainders add up to fewer wholes than there are claims");
    order.sort_by_key(|claim| (claim.held <= whole(claim), std::cmp::Reverse(rest(claim)), claim.of));
    let favoured: BTreeSet<T> = order.into_iter().take(left).map(|claim| claim.of).collect();
    claims.iter().map(|claim| (claim.of, whole(claim) + usize::from(favoured.contains(&claim.of)))).collect()
}
