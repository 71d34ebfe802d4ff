//! The group that agrees, without its messages: one log that everybody who is in the majority may add to, and that reaches nodes late
//! or not at all while they are cut off. What entries mean, and what should change, is the product's (`cluster::state`, `cluster::plan`).

use cluster::plan::{MOVES_IN_FLIGHT_MAX, plan};
use cluster::{Command, NodeId, Outcome, Spec, State};
use schema::SlotId;

use crate::witness::Witness;

pub const SLOTS: u16 = 4;

pub struct Group {
    pub log: Vec<Command>,
    /// After all of it.
    pub state: State,
}

/// What one node knows of it: on its disk, over all its processes.
#[derive(Clone, Default)]
pub struct Member {
    pub known: usize,
    pub state: State,
}

pub fn spec(number: u64) -> Spec {
    Spec { address: format!("node-{number}:7000"), zone: String::new(), weight: 1, fingerprint: [number as u8; 32] }
}

impl Group {
    /// Founded by a first node, which the others joined. None of them has begun.
    pub fn new(nodes: u64, witness: &mut Witness) -> (Self, Vec<NodeId>) {
        let mut group = Self { log: Vec::new(), state: State::default() };
        let first = NodeId(1);
        group.commit(Command::Found { cluster: 7, node: first, spec: spec(1), slots: SLOTS, above: 0 }, witness);
        let mut ids = vec![first];
        for number in 2..=nodes {
            ids.extend(group.join(number, witness));
        }
        (group, ids)
    }

    pub fn join(&mut self, number: u64, witness: &mut Witness) -> Option<NodeId> {
        match self.commit(Command::Join { spec: spec(number) }, witness) {
            Outcome::Joined { node, .. } => Some(node),
            _ => None,
        }
    }

    pub fn commit(&mut self, command: Command, witness: &mut Witness) -> Outcome {
        let outcome = self.state.apply(self.log.len() as u64 + 1, &command);
        self.log.push(command);
        for (slot, placement) in (0..).map(SlotId).zip(&self.state.slots) {
            witness.given.insert((slot, placement.grant), placement.owner);
        }
        outcome
    }

    /// Everything up to there.
    pub fn teach(&self, member: &mut Member, upto: usize) {
        for (place, command) in self.log.iter().enumerate().take(upto).skip(member.known) {
            member.state.apply(place as u64 + 1, command);
        }
        member.known = member.known.max(upto);
    }

    /// The plan as entries, as the leader proposes them.
    pub fn next(&self) -> Vec<Command> {
        let plan = plan(&self.state, MOVES_IN_FLIGHT_MAX);
        let mut next: Vec<Command> = Vec::new();
        for step in &plan.assign {
            match next.iter_mut().find(|entry| matches!(entry, Command::Assign { from, .. } if *from == step.from)) {
                Some(Command::Assign { slots, .. }) => slots.push((step.slot, step.to)),
                _ => next.push(Command::Assign { from: step.from, slots: vec![(step.slot, step.to)] }),
            }
        }
        next.extend(plan.begin.iter().map(|step| Command::BeginMove { slot: step.slot, to: step.to }));
        next
    }
}
