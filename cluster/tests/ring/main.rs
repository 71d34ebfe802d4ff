//! The state that nodes agree on, the plan for its slots, and what of both lies in logs.

mod golden;
mod invites;
mod plan;
mod state;
mod voters;

use cluster::{Command, NodeId, Outcome, Spec, State};

pub fn spec(address: &str) -> Spec {
    Spec { address: address.into(), zone: String::new(), weight: 100, fingerprint: [0; 32] }
}

/// A log in small: every entry has the next index.
pub struct Log {
    pub index: u64,
    pub state: State,
}

impl Log {
    pub fn empty() -> Self {
        Self { index: 1, state: State::default() }
    }
    /// One node, number 1, with everything.
    pub fn founded(slots: u16) -> Self {
        let mut log = Self::empty();
        let founded = log.put(Command::Found { cluster: 9, node: NodeId(1), spec: spec("n1:1"), slots, above: 0 });
        assert_eq!(founded, Outcome::Active { incarnation: 2 });
        log
    }
    pub fn put(&mut self, command: Command) -> Outcome {
        self.index += 1;
        self.state.apply(self.index, &command)
    }
    pub fn done(&mut self, command: Command) {
        assert_eq!(self.put(command), Outcome::Done);
    }
    pub fn join(&mut self, spec: Spec) -> NodeId {
        match self.put(Command::Join { spec }) {
            Outcome::Joined { node, .. } => node,
            other => panic!("{other:?}"),
        }
    }
    pub fn activate(&mut self, node: NodeId) -> u64 {
        let spec = self.state.nodes[&node].spec.clone();
        match self.put(Command::Activate { node, spec, above: 0 }) {
            Outcome::Active { incarnation } => incarnation,
            other => panic!("{other:?}"),
        }
    }
    pub fn grow(&mut self, spec: Spec) -> NodeId {
        let node = self.join(spec);
        self.activate(node);
        node
    }
    pub fn crash(&mut self, node: NodeId) {
        let incarnation = self.state.nodes[&node].incarnation;
        self.done(Command::Down { node, incarnation });
    }
    /// Carries the plan out to its end; answers how many slots moved, and asserts that never more than `in_flight` were on their way.
    pub fn settle(&mut self, in_flight: usize) -> usize {
        let mut moved = 0;
        loop {
            let plan = cluster::plan::plan(&self.state, in_flight);
            for step in &plan.assign {
                self.done(Command::Assign { from: step.from, slots: vec![(step.slot, step.to)] });
            }
            for step in &plan.begin {
                self.done(Command::BeginMove { slot: step.slot, to: step.to });
            }
            let moving: Vec<_> = cluster::plan::under_way(&self.state).collect();
            assert!(moving.len() <= in_flight, "{} on their way, {in_flight} allowed", moving.len());
            if plan.assign.is_empty() && moving.is_empty() {
                return moved;
            }
            moved += plan.assign.len() + moving.len();
            for step in moving {
                self.done(Command::EndMove { slot: step.slot, to: step.to });
            }
        }
    }
    pub fn counts(&self) -> Vec<usize> {
        self.state.nodes.keys().map(|node| self.state.owned_by(*node)).collect()
    }
}
