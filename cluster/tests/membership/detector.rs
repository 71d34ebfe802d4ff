//! Who is suspected, and when.

use cluster::detector::{Detector, GAP_MS, HEARTBEAT_MS, LOOK_MS, SILENCE_MS, Suspect};
use cluster::{Command, NodeId, Spec, State};

fn spec(address: &str) -> Spec {
    Spec { address: address.into(), zone: String::new(), weight: 1, fingerprint: [0; 32] }
}

/// Nodes 1 and 3, both active.
fn two() -> State {
    let mut state = State::default();
    state.apply(2, &Command::Found { cluster: 1, node: NodeId(1), spec: spec("a"), slots: 4, above: 0 });
    state.apply(3, &Command::Join { spec: spec("b") });
    state.apply(4, &Command::Activate { node: NodeId(3), spec: spec("b"), above: 0 });
    state
}

const OTHER: Suspect = Suspect { node: NodeId(3), incarnation: 4 };

/// Node 1, from `from` to `to`, looking as it should; node 3 beats while `alive` says so. Answers when it was first suspected.
fn run(detector: &mut Detector, state: &State, from: u64, to: u64, alive: impl Fn(u64) -> bool) -> Option<u64> {
    (from..=to).find(|now| {
        if now % HEARTBEAT_MS == 0 && alive(*now) {
            detector.heard(NodeId(3), 4, *now);
        }
        now % LOOK_MS == 0 && detector.look(state, *now) == [OTHER]
    })
}

#[test]
fn a_dead_node_is_suspected_within_350_ms_and_a_living_one_never() {
    let state = two();
    for died in 5_000..5_100 {
        let mut detector = Detector::new(NodeId(1), 0);
        let suspected = run(&mut detector, &state, 1, 10_000, |now| now < died).expect("it is dead");
        assert!(suspected >= died && suspected - died <= 350, "died at {died}, suspected at {suspected}");
    }
    let mut detector = Detector::new(NodeId(1), 0);
    assert_eq!(run(&mut detector, &state, 1, 100_000, |_| true), None);
}

#[test]
fn who_was_stopped_itself_suspects_nobody_until_it_has_listened_again() {
    let (mut detector, state) = (Detector::new(NodeId(1), 0), two());
    assert_eq!(run(&mut detector, &state, 1, 1_000, |_| true), None);
    let awake = 9_000;
    assert_eq!(detector.look(&state, awake), []);
    assert_eq!(run(&mut detector, &state, awake + 1, awake + SILENCE_MS, |_| false), None);
    assert!(run(&mut detector, &state, awake + SILENCE_MS + 1, awake + 350, |_| false).is_some(), "it is dead after all");
}

#[test]
fn a_clock_that_jumps_makes_nobody_suspect() {
    for jump in [3_600_000, 10_000_000 - 3_600_000, 10_000_000 + GAP_MS + 1] {
        let (mut detector, state) = (Detector::new(NodeId(1), 10_000_000), two());
        assert_eq!(run(&mut detector, &state, 10_000_000, 10_000_000, |_| true), None);
        assert_eq!(detector.look(&state, jump), [], "at {jump}");
        assert_eq!(run(&mut detector, &state, jump + 1, jump + 5_000, |_| true), None);
        assert!(run(&mut detector, &state, jump + 5_001, jump + 5_400, |_| false).is_some(), "it is still able to suspect");
    }
}

#[test]
fn a_new_process_has_its_whole_time() {
    let (mut detector, mut state) = (Detector::new(NodeId(1), 0), two());
    let suspected = run(&mut detector, &state, 1, 10_000, |_| false).unwrap();
    state.apply(9, &Command::Activate { node: NodeId(3), spec: spec("b"), above: 0 });
    assert_eq!(detector.look(&state, suspected + 1), []);
}

#[test]
fn heartbeats_of_an_older_process_do_not_keep_a_newer_one_alive() {
    let (mut detector, mut state) = (Detector::new(NodeId(1), 0), two());
    state.apply(9, &Command::Activate { node: NodeId(3), spec: spec("b"), above: 0 });
    let newer = Suspect { node: NodeId(3), incarnation: 9 };
    let found = (1..1_000).find(|now| {
        detector.heard(NodeId(3), 4, *now);
        now % LOOK_MS == 0 && detector.look(&state, *now) == [newer]
    });
    assert!(found.is_some());
}

#[test]
fn who_is_down_or_joining_is_not_suspected() {
    let (mut detector, mut state) = (Detector::new(NodeId(1), 0), two());
    state.apply(5, &Command::Down { node: NodeId(3), incarnation: 4 });
    state.apply(6, &Command::Join { spec: spec("c") });
    assert!((1..2_000).filter(|now| now % LOOK_MS == 0).all(|now| detector.look(&state, now).is_empty()));
}
