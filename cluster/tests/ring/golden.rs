//! What lies in logs and snapshots of older versions is read by this one, and written as it was.

use cluster::{Command, NodeId, Outcome, Refusal, Spec, State};
use schema::SlotId;

const GOLDEN: &str = include_str!("../golden/state.txt");

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let spec = Spec { address: "10.0.0.2:7000".into(), zone: "b".into(), weight: 100, fingerprint: [7; 32] };
    let (node, slot) = (NodeId(70_000), SlotId(513));
    let bytes = |command: Command| rmp_serde::to_vec_named(&command).unwrap();
    let outcome = |outcome: Outcome| rmp_serde::to_vec_named(&outcome).unwrap();
    let mut state = State::default();
    state.apply(2, &Command::Found { cluster: 1 << 100, node: NodeId(1), spec: spec.clone(), slots: 4, above: 9 });
    state.apply(3, &Command::Join { spec: spec.clone() });
    state.apply(4, &Command::Activate { node: NodeId(3), spec: spec.clone(), above: 0 });
    state.apply(5, &Command::BeginMove { slot: SlotId(2), to: NodeId(3) });
    vec![
        ("found", bytes(Command::Found { cluster: 1 << 100, node, spec: spec.clone(), slots: 256, above: 9 })),
        ("join", bytes(Command::Join { spec: spec.clone() })),
        ("invite", bytes(Command::Invite { invite: [9; 32] })),
        ("admit", bytes(Command::Admit { invite: [9; 32], spec: spec.clone() })),
        ("activate", bytes(Command::Activate { node, spec, above: 9 })),
        ("renew", bytes(Command::Renew { node, fingerprint: [5; 32] })),
        ("drain", bytes(Command::Drain { node })),
        ("down", bytes(Command::Down { node, incarnation: 8 })),
        ("remove", bytes(Command::Remove { node })),
        ("begin_move", bytes(Command::BeginMove { slot, to: node })),
        ("end_move", bytes(Command::EndMove { slot, to: node })),
        ("begin_moves", bytes(Command::BeginMoves { moves: vec![(slot, node)] })),
        ("end_moves", bytes(Command::EndMoves { moves: vec![(slot, node)] })),
        ("pace", bytes(Command::Pace { moves_in_flight: 300 })),
        ("assign", bytes(Command::Assign { from: node, slots: vec![(slot, NodeId(2))] })),
        ("raise", bytes(Command::Raise { slot, owner: node, above: 9 })),
        ("done", outcome(Outcome::Done)),
        ("joined", outcome(Outcome::Joined { node, cluster: 5 })),
        ("active", outcome(Outcome::Active { incarnation: 6 })),
        ("refused", outcome(Outcome::Refused(Refusal::OwnsSlots(node)))),
        ("state", rmp_serde::to_vec_named(&state).unwrap()),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn entries_and_states_are_written_as_older_nodes_read_them() {
    let written: String = samples().iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    assert_eq!(written, GOLDEN);
}

#[test]
fn what_older_nodes_wrote_is_read() {
    for line in GOLDEN.lines() {
        let (name, hex) = line.split_once(' ').unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let again = match name {
            "state" => rmp_serde::to_vec_named(&rmp_serde::from_slice::<State>(&bytes).unwrap()).unwrap(),
            "done" | "joined" | "active" | "refused" => {
                rmp_serde::to_vec_named(&rmp_serde::from_slice::<Outcome>(&bytes).unwrap()).unwrap()
            }
            _ => rmp_serde::to_vec_named(&rmp_serde::from_slice::<Command>(&bytes).unwrap()).unwrap(),
        };
        assert_eq!(again, bytes, "{name}");
    }
}
