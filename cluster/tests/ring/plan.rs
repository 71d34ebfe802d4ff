//! The plan for the slots: even, by weight and zone, with the fewest moves.

use cluster::plan::plan;
use cluster::{Command, NodeId, Outcome, Spec};
use proptest::prelude::*;
use schema::SlotId;

use crate::{Log, spec};

fn grown(nodes: usize, slots: u16) -> Log {
    let mut log = Log::founded(slots);
    for n in 2..=nodes {
        log.grow(Spec { zone: format!("z{}", n % 3), ..spec(&format!("n{n}:1")) });
        log.settle(16);
    }
    log
}

#[test]
fn twenty_nodes_share_256_slots_evenly() {
    let log = grown(20, 256);
    let most = *log.counts().iter().max().unwrap();
    assert!(most as f64 / (256.0 / 20.0) <= 1.05, "{:?}", log.counts());
}

#[test]
fn slots_go_by_weight() {
    let mut log = Log::founded(256);
    log.grow(Spec { weight: 300, ..spec("n2:1") });
    log.grow(Spec { weight: 0, ..spec("n3:1") });
    log.settle(16);
    assert_eq!(log.counts(), [64, 192, 0]);
}

#[test]
fn zones_have_their_share_even_where_nodes_cannot_have_it_exactly() {
    // 16 slots for nine nodes: seven of them have a second one. Not all seven lie in the same zones.
    let mut log = Log::founded(16);
    for n in 2..=9 {
        log.grow(Spec { zone: ["", "b", "c"][(n - 1) % 3].into(), ..spec(&format!("n{n}:1")) });
    }
    log.settle(16);
    let mut zones = std::collections::BTreeMap::new();
    for (id, node) in &log.state.nodes {
        *zones.entry(node.spec.zone.clone()).or_insert(0) += log.state.owned_by(*id);
    }
    assert!(zones.values().all(|slots| (5..=6).contains(slots)), "{zones:?}");
}

#[test]
fn a_node_that_joins_takes_its_share_and_nothing_else_moves() {
    let mut log = grown(9, 256);
    let before = log.state.slots.clone();
    let new = log.grow(spec("n10:1"));
    let moved = log.settle(16);
    let changed: Vec<_> = before.iter().zip(&log.state.slots).filter(|(was, is)| was.owner != is.owner).collect();
    assert!(changed.iter().all(|(_, is)| is.owner == new));
    assert_eq!((moved, changed.len()), (log.state.owned_by(new), log.state.owned_by(new)));
    assert!((25..=26).contains(&moved), "{moved} of 25.6");
}

#[test]
fn what_a_dead_node_had_is_given_away_at_once_and_nothing_else_moves() {
    let mut log = grown(10, 256);
    let (dead, before) = (NodeId(1), log.state.slots.clone());
    log.crash(dead);
    let plan = plan(&log.state, 0);
    assert_eq!(plan.assign.len(), log.state.owned_by(dead));
    assert!(plan.assign.iter().all(|step| step.from == dead) && plan.begin.is_empty());
    log.settle(16);
    assert!(before.iter().zip(&log.state.slots).all(|(was, is)| was.owner == dead || was.owner == is.owner));
}

#[test]
fn slots_whose_owner_died_on_the_way_go_where_they_were_going() {
    for slots in [[0, 1, 2, 3], [4, 5, 6, 7]] {
        let mut log = Log::founded(8);
        let (second, _third) = (log.grow(spec("n2:1")), log.grow(spec("n3:1")));
        for slot in slots.map(SlotId) {
            log.done(Command::BeginMove { slot, to: second });
        }
        log.crash(NodeId(1));
        let plan = plan(&log.state, 8);
        assert!(plan.assign.iter().all(|step| (step.to == second) == slots.contains(&step.slot.0)), "{plan:?}");
    }
}

#[test]
fn what_is_on_its_way_counts_where_it_goes_and_against_the_bound() {
    let mut log = Log::founded(8);
    let second = log.grow(spec("n2:1"));
    for step in plan(&log.state, 3).begin {
        log.done(Command::BeginMove { slot: step.slot, to: second });
    }
    assert_eq!(plan(&log.state, 3).begin, []);
    assert_eq!(plan(&log.state, 8).begin.len(), 1, "three of four are on their way");
}

#[test]
fn rounding_moves_nothing() {
    // 8 slots for three nodes: any two of them have three.
    for giver in [NodeId(1), NodeId(3), NodeId(5)] {
        let mut log = Log::founded(8);
        let nodes = [NodeId(1), log.grow(spec("n2:1")), log.grow(spec("n3:1"))];
        assert_eq!(nodes[1..], [NodeId(3), NodeId(5)]);
        let wanted = nodes.iter().flat_map(|node| vec![*node; if *node == giver { 2 } else { 3 }]);
        for (slot, to) in wanted.enumerate().filter(|(_, to)| *to != NodeId(1)) {
            let slot = SlotId(slot as u16);
            log.done(Command::BeginMove { slot, to });
            log.done(Command::EndMove { slot, to });
        }
        assert_eq!(plan(&log.state, 8), Default::default(), "{:?}", log.counts());
    }
}

#[test]
fn a_draining_node_gives_everything_and_gets_nothing() {
    let mut log = grown(4, 64);
    log.done(Command::Drain { node: NodeId(1) });
    log.settle(4);
    assert_eq!(log.state.owned_by(NodeId(1)), 0);
}

#[test]
fn without_an_active_node_slots_stay_where_they_are() {
    let mut log = grown(2, 8);
    log.done(Command::Drain { node: NodeId(1) });
    let other = *log.state.nodes.keys().last().unwrap();
    log.crash(other);
    assert_eq!(plan(&log.state, 8), Default::default());
}

#[derive(Clone, Debug)]
enum Step {
    Grow { zone: u8, weight: u16 },
    Crash(usize),
    Drain(usize),
    Return(usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..4, prop_oneof![Just(100u16), 1u16..400]).prop_map(|(zone, weight)| Step::Grow { zone, weight }),
        2 => any::<usize>().prop_map(Step::Crash),
        1 => any::<usize>().prop_map(Step::Drain),
        1 => any::<usize>().prop_map(Step::Return),
        2 => Just(Step::Settle),
    ]
}

fn walk(steps: &[Step]) -> Log {
    let mut log = Log::founded(64);
    for (n, step) in steps.iter().enumerate() {
        let pick = |n: usize| *log.state.nodes.keys().nth(n % log.state.nodes.len()).unwrap();
        match step {
            Step::Grow { zone, weight } => {
                log.grow(Spec { zone: format!("z{zone}"), weight: *weight, ..spec(&format!("m{n}:1")) });
            }
            Step::Crash(n) => {
                let node = pick(*n);
                let incarnation = log.state.nodes[&node].incarnation;
                log.put(Command::Down { node, incarnation });
            }
            Step::Drain(n) => {
                let node = pick(*n);
                log.put(Command::Drain { node });
            }
            Step::Return(n) => {
                let node = pick(*n);
                log.activate(node);
            }
            Step::Settle => {
                log.settle(4);
            }
        }
    }
    log
}

proptest! {
    #[test]
    fn after_whatever_happened_the_plan_ends_and_everybody_has_their_share(steps in prop::collection::vec(step(), 1..30)) {
        let mut log = walk(&steps);
        log.settle(4);
        let active: Vec<_> = log.state.nodes.iter().filter(|(_, node)| node.status == cluster::Status::Active).collect();
        let total: f64 = active.iter().map(|(_, node)| f64::from(node.spec.weight)).sum();
        for (id, node) in &active {
            let share = 64.0 * f64::from(node.spec.weight) / total;
            let owned = log.state.owned_by(**id);
            // Rounded twice: among zones and within one.
            prop_assert!((owned as f64 - share).abs() < 2.0, "node {} has {owned} of {share}", id.0);
        }
        prop_assert!(active.is_empty() || active.iter().map(|(id, _)| log.state.owned_by(**id)).sum::<usize>() == 64);
    }

    #[test]
    fn every_node_computes_the_same_from_what_it_was_sent(steps in prop::collection::vec(step(), 1..30), in_flight in 0usize..9) {
        let log = walk(&steps);
        let copy: cluster::State = rmp_serde::from_slice(&rmp_serde::to_vec_named(&log.state).unwrap()).unwrap();
        prop_assert_eq!(&copy, &log.state);
        prop_assert_eq!(plan(&copy, in_flight), plan(&log.state, in_flight));
    }

    #[test]
    fn whoever_joins_or_dies_moves_what_it_gets_or_had_and_nothing_else(count in 1usize..24, at in any::<usize>(), dies in any::<bool>()) {
        // Of one zone and one weight: else others' shares change as well.
        let mut log = Log::founded(64);
        for n in 1..count {
            log.grow(spec(&format!("e{n}:1")));
        }
        log.settle(4);
        let before = log.state.slots.clone();
        let who = match dies && log.state.nodes.len() > 1 {
            true => {
                let node = *log.state.nodes.keys().nth(at % log.state.nodes.len()).unwrap();
                log.crash(node);
                node
            }
            false => log.grow(spec("new:1")),
        };
        log.settle(4);
        for (was, is) in before.iter().zip(&log.state.slots).filter(|(was, is)| was.owner != is.owner) {
            prop_assert!(was.owner == who || is.owner == who, "{was:?} became {is:?}, and {} came or went", who.0);
        }
    }

    #[test]
    fn every_step_of_a_plan_is_taken(steps in prop::collection::vec(step(), 1..30)) {
        let mut log = walk(&steps);
        let plan = plan(&log.state, 4);
        for step in plan.assign {
            prop_assert_eq!(log.put(Command::Assign { from: step.from, slots: vec![(step.slot, step.to)] }), Outcome::Done);
        }
        for step in plan.begin {
            prop_assert_eq!(log.put(Command::BeginMove { slot: step.slot, to: step.to }), Outcome::Done);
        }
    }
}
