//! What entries do to the state, and what they must not.

use cluster::{Command, NodeId, Outcome, Refusal, State, Status};
use proptest::prelude::*;
use schema::SlotId;

use crate::{Log, spec};

#[test]
fn nothing_is_agreed_on_before_the_cluster_is_founded() {
    let mut log = Log::empty();
    assert_eq!(log.put(Command::Join { spec: spec("n2:1") }), Outcome::Refused(Refusal::NotFounded));
    assert_eq!(log.state, State::default());
}

#[test]
fn a_cluster_is_founded_once_and_with_a_power_of_two_of_slots() {
    let found = |slots| Command::Found { cluster: 9, node: NodeId(1), spec: spec("n1:1"), slots, above: 0 };
    let mut log = Log::empty();
    for slots in [0, 3, 32_768] {
        assert_eq!(log.put(found(slots)), Outcome::Refused(Refusal::Slots(slots)));
    }
    assert_eq!(log.put(found(16_384)), Outcome::Active { incarnation: log.index });
    assert_eq!(log.put(found(16_384)), Outcome::Refused(Refusal::Founded));
}

#[test]
fn the_first_grants_are_above_what_the_store_has_seen() {
    let mut log = Log::empty();
    log.put(Command::Found { cluster: 9, node: NodeId(1), spec: spec("n1:1"), slots: 8, above: 4_711 });
    assert!(log.state.slots.iter().all(|slot| slot.grant == 4_712));
    log.activate(NodeId(1));
    assert!(log.state.slots.iter().all(|slot| slot.grant == 4_713));
}

#[test]
fn a_new_process_of_a_node_gets_its_slots_by_new_grants() {
    let mut log = Log::founded(8);
    let (before, first) = (log.state.slots[0].grant, log.state.nodes[&NodeId(1)].incarnation);
    let second = log.activate(NodeId(1));
    assert!(second > first && log.state.slots[0].grant > before);
}

#[test]
fn the_id_of_a_node_is_the_index_of_its_entry_and_is_never_used_again() {
    let mut log = Log::founded(8);
    let second = log.join(spec("n2:1"));
    assert_eq!(second.0, log.index);
    log.activate(second);
    log.crash(second);
    log.done(Command::Remove { node: second });
    let third = log.join(spec("n2:1"));
    assert!(third > second);
    let spec = spec("n2:1");
    assert_eq!(log.put(Command::Activate { node: second, spec, above: 0 }), Outcome::Refused(Refusal::NoNode(second)));
}

#[test]
fn who_is_not_there_and_would_have_come_before_was_removed_for_ever() {
    use cluster::Standing::{Member, Removed, Unknown};
    assert_eq!(State::default().standing(NodeId(1)), Unknown);
    let mut log = Log::founded(8);
    let second = log.grow(spec("n2:1"));
    assert_eq!([1, second.0, log.index + 1].map(|id| log.state.standing(NodeId(id))), [Member, Member, Unknown]);
    log.crash(second);
    log.done(Command::Remove { node: second });
    assert_eq!(log.state.standing(second), Removed);
    log.grow(spec("n2:1"));
    assert_eq!(log.state.standing(second), Removed);
}

#[test]
fn of_a_node_the_certificate_that_it_shows_and_the_one_before_are_believed() {
    let mut log = Log::founded(8);
    let trusts = |log: &Log| [1, 2, 3].map(|n| log.state.trusts(NodeId(1), [n; 32]));
    let renew = |log: &mut Log, n: u8| log.done(Command::Renew { node: NodeId(1), fingerprint: [n; 32] });
    renew(&mut log, 1);
    assert_eq!(trusts(&log), [true, false, false], "what was shown before there was one is nobody's");
    renew(&mut log, 2);
    renew(&mut log, 2);
    assert_eq!(trusts(&log), [true, true, false]);
    renew(&mut log, 3);
    assert_eq!(trusts(&log), [false, true, true]);
    // A process that begins says what it shows.
    log.activate(NodeId(1));
    assert_eq!(trusts(&log), [false, true, true]);
}

#[test]
fn who_joins_again_before_it_is_there_leaves_nothing_behind() {
    let mut log = Log::founded(8);
    let first = log.join(spec("n2:1"));
    let second = log.join(spec("n2:1"));
    assert!(!log.state.nodes.contains_key(&first) && log.state.nodes.contains_key(&second));
    assert_eq!(log.state.nodes.len(), 2);
}

#[test]
fn a_node_that_is_down_and_still_owns_slots_is_not_forgotten_by_a_join_at_its_address() {
    let mut log = Log::founded(8);
    log.crash(NodeId(1));
    log.join(spec("n1:1"));
    assert!(log.state.is(NodeId(1), Status::Down));
}

#[test]
fn down_is_said_of_a_process_and_not_of_the_one_that_follows_it() {
    let mut log = Log::founded(8);
    let old = log.state.nodes[&NodeId(1)].incarnation;
    log.activate(NodeId(1));
    assert_eq!(log.put(Command::Down { node: NodeId(1), incarnation: old }), Outcome::Refused(Refusal::Stale));
    assert!(log.state.is(NodeId(1), Status::Active));
}

#[test]
fn a_slot_moves_only_as_it_was_begun_and_by_a_higher_grant() {
    let mut log = Log::founded(8);
    let (second, slot) = (log.grow(spec("n2:1")), SlotId(3));
    let stale = Outcome::Refused(Refusal::Stale);
    assert_eq!(log.put(Command::EndMove { slot, to: second }), stale);
    let before = log.state.slots[3].grant;
    log.done(Command::BeginMove { slot, to: second });
    assert_eq!(log.state.slots[3].owner, NodeId(1), "the owner serves until it has handed over");
    assert_eq!(log.put(Command::BeginMove { slot, to: second }), stale);
    log.done(Command::EndMove { slot, to: second });
    assert_eq!((log.state.slots[3].owner, log.state.slots[3].moving), (second, None));
    assert!(log.state.slots[3].grant > before);
    assert_eq!(log.put(Command::EndMove { slot, to: second }), stale);
}

#[test]
fn many_moves_begin_and_end_in_one_entry_and_one_that_came_too_late_holds_up_none() {
    let mut log = Log::founded(8);
    let second = log.grow(spec("n2:1"));
    let moves = |slots: [u16; 3]| slots.map(|slot| (SlotId(slot), second)).to_vec();
    log.done(Command::BeginMove { slot: SlotId(1), to: second });
    log.done(Command::BeginMoves { moves: moves([0, 1, 2]) });
    assert_eq!(cluster::plan::under_way(&log.state).count(), 3);
    assert_eq!(log.put(Command::BeginMoves { moves: moves([0, 1, 2]) }), Outcome::Refused(Refusal::Stale));
    let before = log.state.granted;
    log.done(Command::EndMoves { moves: moves([0, 1, 7]) });
    assert_eq!(log.state.owned_by(second), 2);
    assert!([0, 1].iter().all(|slot| log.state.slots[*slot].grant > before) && log.state.slots[7].owner == NodeId(1));
    assert_eq!(log.put(Command::EndMoves { moves: moves([0, 1, 7]) }), Outcome::Refused(Refusal::Stale));
}

#[test]
fn an_operator_says_how_many_move_at_once_and_holds_them_but_not_what_dead_nodes_had() {
    let mut log = Log::founded(8);
    let (second, at_once) = (log.grow(spec("n2:1")), |log: &Log| cluster::plan::moves_in_flight_max(&log.state));
    assert_eq!(at_once(&log), cluster::plan::MOVES_IN_FLIGHT_MAX);
    log.done(Command::Pace { moves_in_flight: 0 });
    let plan = cluster::plan::plan(&log.state, at_once(&log));
    assert!(plan.begin.is_empty());
    log.done(Command::Pace { moves_in_flight: 3 });
    assert_eq!(cluster::plan::plan(&log.state, at_once(&log)).begin.len(), 3);
    log.done(Command::Pace { moves_in_flight: 0 });
    log.crash(NodeId(1));
    let plan = cluster::plan::plan(&log.state, at_once(&log));
    assert!(plan.assign.len() == 8 && plan.assign.iter().all(|step| step.to == second));
}

#[test]
fn a_move_to_a_node_that_goes_down_or_drains_is_given_up() {
    let mut log = Log::founded(8);
    let (second, third) = (log.grow(spec("n2:1")), log.grow(spec("n3:1")));
    log.done(Command::BeginMove { slot: SlotId(1), to: second });
    log.done(Command::BeginMove { slot: SlotId(2), to: third });
    log.crash(second);
    log.done(Command::Drain { node: third });
    assert!(log.state.slots.iter().all(|slot| slot.owner == NodeId(1) && slot.moving.is_none()));
}

#[test]
fn slots_are_taken_from_a_node_only_while_it_is_down() {
    let mut log = Log::founded(8);
    let second = log.grow(spec("n2:1"));
    let take = Command::Assign { from: NodeId(1), slots: vec![(SlotId(0), second)] };
    assert_eq!(log.put(take.clone()), Outcome::Refused(Refusal::Stale));
    log.crash(NodeId(1));
    log.done(take.clone());
    assert_eq!(log.put(take), Outcome::Refused(Refusal::Stale), "it is not its slot any more");
}

#[test]
fn a_node_is_removed_only_when_it_owns_nothing_and_is_not_active() {
    let mut log = Log::founded(8);
    let second = log.grow(spec("n2:1"));
    assert_eq!(log.put(Command::Remove { node: second }), Outcome::Refused(Refusal::StillActive(second)));
    log.done(Command::Drain { node: NodeId(1) });
    assert_eq!(log.put(Command::Remove { node: NodeId(1) }), Outcome::Refused(Refusal::OwnsSlots(NodeId(1))));
    log.settle(8);
    log.done(Command::Remove { node: NodeId(1) });
}

#[test]
fn a_store_that_knows_a_higher_epoch_raises_its_slots_grant() {
    let mut log = Log::founded(8);
    log.done(Command::Raise { slot: SlotId(5), owner: NodeId(1), above: 900 });
    assert_eq!((log.state.slots[5].grant, log.state.slots[4].grant), (901, 2));
    log.activate(NodeId(1));
    assert!(log.state.slots[5].grant > 901);
}

#[test]
fn grants_come_to_an_end_before_epochs_overflow() {
    let mut log = Log::founded(8);
    let end = Command::Raise { slot: SlotId(0), owner: NodeId(1), above: cluster::state::GRANT_MAX };
    let before = log.state.clone();
    assert_eq!(log.put(end), Outcome::Refused(Refusal::Exhausted));
    assert_eq!(log.state, before);
}

fn anything() -> impl Strategy<Value = Command> {
    let (node, slot) = (|| (1u64..14).prop_map(NodeId), || (0u16..9).prop_map(SlotId));
    let spec = || (0u8..5).prop_map(|n| spec(&format!("n{n}:1")));
    prop_oneof![
        3 => spec().prop_map(|spec| Command::Join { spec }),
        4 => (node(), spec(), 0u64..40).prop_map(|(node, spec, above)| Command::Activate { node, spec, above }),
        1 => node().prop_map(|node| Command::Drain { node }),
        2 => (node(), 0u64..30).prop_map(|(node, incarnation)| Command::Down { node, incarnation }),
        1 => node().prop_map(|node| Command::Remove { node }),
        3 => (slot(), node()).prop_map(|(slot, to)| Command::BeginMove { slot, to }),
        3 => (slot(), node()).prop_map(|(slot, to)| Command::EndMove { slot, to }),
        1 => prop::collection::vec((slot(), node()), 0..4).prop_map(|moves| Command::BeginMoves { moves }),
        1 => prop::collection::vec((slot(), node()), 0..4).prop_map(|moves| Command::EndMoves { moves }),
        2 => (node(), slot(), node()).prop_map(|(from, slot, to)| Command::Assign { from, slots: vec![(slot, to)] }),
        1 => (slot(), node(), 0u64..60).prop_map(|(slot, owner, above)| Command::Raise { slot, owner, above }),
    ]
}

proptest! {
    #[test]
    fn whatever_is_asked_every_slot_has_a_known_owner_and_no_grant_is_given_twice(commands in prop::collection::vec(anything(), 1..60)) {
        let mut log = Log::founded(8);
        for command in commands {
            let before = log.state.clone();
            let outcome = log.put(command);
            if matches!(outcome, Outcome::Refused(_)) {
                prop_assert_eq!(&log.state, &before, "what is refused changes nothing");
                continue;
            }
            prop_assert_eq!(log.state.version, log.index);
            for (was, is) in before.slots.iter().zip(&log.state.slots) {
                prop_assert!(log.state.nodes.contains_key(&is.owner));
                prop_assert!(is.moving.is_none_or(|to| to != is.owner && log.state.is(to, Status::Active)));
                prop_assert!(is.grant == was.grant && is.owner == was.owner || is.grant > before.granted);
                prop_assert!(is.grant <= log.state.granted);
            }
        }
    }
}
