//! What the group does: who may add to its log, what is added, and whom it reaches. And the links' own events.

use cluster::{Command, NodeId, Outcome, Status};

use super::group::spec;
use super::node::Node;
use super::world::World;
use crate::invariants::{self, Broken};
use crate::mail::Out;
use crate::plant::Plant;

/// Over which a link ends of itself while nothing gets through, per thousand looks at it.
const SILENT: u64 = 60;

impl World {
    /// Nothing keeps these two from speaking.
    fn speak(&self, a: NodeId, b: NodeId) -> bool {
        a == b || (self.processes[&a].is_awake() && self.processes[&b].is_awake() && self.links.lock().is_open(a, b))
    }
    /// Those who vote and are not gone for good.
    fn voters(&self) -> Vec<NodeId> {
        self.group.state.nodes.keys().copied().filter(|id| self.processes.contains_key(id)).collect()
    }
    /// Whether this one is among more than half of them.
    pub fn has_quorum(&self, id: NodeId) -> bool {
        let voters = self.voters();
        self.processes[&id].is_awake() && voters.iter().filter(|voter| self.speak(id, **voter)).count() * 2 > voters.len()
    }

    pub fn commit(&mut self, command: Command) -> Outcome {
        let outcome = self.group.commit(command, &mut self.net.lock().witness);
        self.note(self.group.log.len() as u64);
        outcome
    }

    pub fn agree(&mut self) -> Result<(), Broken> {
        let ids: Vec<NodeId> = self.processes.iter().filter(|(_, process)| process.is_awake()).map(|(id, _)| *id).collect();
        let Some(id) = self.rng.pick(&ids) else { return Ok(()) };
        match self.rng.below(8) {
            0..4 => self.learn(id)?,
            4 => self.announce(id),
            5 => self.end_moves(id),
            _ => self.lead(id)?,
        }
        Ok(())
    }

    /// A node hears of entries: all there are in the majority, what another one knows elsewhere.
    fn learn(&mut self, id: NodeId) -> Result<(), Broken> {
        let upto = match self.has_quorum(id) {
            true => self.group.log.len(),
            false => {
                let others = self.processes.iter().filter(|(other, _)| self.speak(id, **other));
                others.map(|(_, process)| process.member.known).max().unwrap_or(0)
            }
        };
        let known = self.processes[&id].member.known;
        if upto <= known {
            return Ok(());
        }
        // It may see each of them, or the last one alone.
        let upto = known + 1 + self.rng.below(upto - known);
        let member = &mut self.processes.get_mut(&id).expect("picked").member;
        self.group.teach(member, upto);
        self.act_on_table(id)
    }

    fn act_on_table(&mut self, id: NodeId) -> Result<(), Broken> {
        let process = &self.processes[&id];
        let (state, incarnation) = (process.member.state.clone(), process.incarnation);
        if !state.is_founded() {
            return Ok(());
        }
        invariants::agreement::check(&mut self.net.lock().witness, id, &state)?;
        if process.node.is_some() {
            self.at(id, |node, now_ms, out| node.placed(state.table(), now_ms, out));
        } else if incarnation > 0 && state.version >= incarnation {
            let mut out = Out::default();
            let mut node = Node::start(&self.net, &self.links, id, state.table(), self.plant, &mut out);
            node.hand_over(&mut out);
            self.processes.get_mut(&id).expect("looked at").node = Some(node);
            self.carry_out(id, out);
        }
        Ok(())
    }

    /// A process says that it is here; also one that is taken for down, though it is here.
    fn announce(&mut self, id: NodeId) {
        let process = &self.processes[&id];
        let known = process.member.state.nodes.get(&id);
        let is_lost = known.is_some_and(|node| node.status == Status::Down && node.incarnation == process.incarnation);
        if (process.incarnation > 0 && !is_lost) || process.leaves || !self.has_quorum(id) {
            return;
        }
        let above = self.net.lock().core.grant();
        if let Outcome::Active { incarnation } = self.commit(Command::Activate { node: id, spec: spec(id.0), above }) {
            self.processes.get_mut(&id).expect("picked").incarnation = incarnation;
        }
    }

    fn end_moves(&mut self, id: NodeId) {
        if self.has_quorum(id)
            && let Some((slot, to)) = self.processes.get_mut(&id).expect("picked").ending.pop()
        {
            let ended = self.commit(Command::EndMove { slot, to });
            self.summary.moves += u64::from(ended == Outcome::Done);
            self.at(id, |node, _, out| node.handed_over(slot, out));
        }
    }

    /// Whoever leads takes for down whom it does not hear, and carries out the plan.
    fn lead(&mut self, id: NodeId) -> Result<(), Broken> {
        if !self.has_quorum(id) {
            return if self.plant == Some(Plant::TwoOwners) && self.rng.chance(100) { self.secede(id) } else { Ok(()) };
        }
        let wrongly = !self.healing && self.rng.chance(8);
        let others: Vec<NodeId> = self.processes.keys().copied().filter(|other| *other != id).collect();
        let Some(other) = self.rng.pick(&others) else { return Ok(()) };
        let suspect = self.group.state.nodes.get(&other).filter(|node| matches!(node.status, Status::Active | Status::Draining));
        if let Some(incarnation) = suspect.map(|node| node.incarnation)
            && (wrongly || (!self.speak(id, other) && self.rng.chance(300)))
        {
            self.summary.downs += 1;
            self.commit(Command::Down { node: other, incarnation });
            return Ok(());
        }
        let next = self.group.next();
        if let Some(command) = next.into_iter().next() {
            if let Command::Assign { slots, .. } = &command {
                self.summary.take_overs += slots.len() as u64;
            }
            self.commit(command);
        }
        Ok(())
    }

    /// Of `Plant::TwoOwners`: who is cut off acts as if it were the group.
    fn secede(&mut self, id: NodeId) -> Result<(), Broken> {
        let member = &mut self.processes.get_mut(&id).expect("picked").member;
        let Some(other) = member.state.nodes.iter().find(|(other, node)| **other != id && node.status == Status::Active) else {
            return Ok(());
        };
        let (node, incarnation) = (*other.0, other.1.incarnation);
        member.state.apply(member.known as u64 + 1, &Command::Down { node, incarnation });
        let owned = |owner: NodeId| owner == node;
        let slots = member.state.slots.iter().enumerate().filter(|(_, slot)| owned(slot.owner));
        let slots = slots.map(|(slot, _)| (schema::SlotId(slot as u16), id)).collect();
        member.state.apply(member.known as u64 + 2, &Command::Assign { from: node, slots });
        member.known += 2;
        self.act_on_table(id)
    }

    /// One event of one link: it begins, something arrives, it ends, or somebody is told that it did.
    pub fn link_step(&mut self) {
        let ids: Vec<NodeId> = self.processes.iter().filter(|(_, process)| process.node.is_some()).map(|(id, _)| *id).collect();
        let (Some(from), Some(to)) = (self.rng.pick(&ids), self.rng.pick(&self.processes.keys().copied().collect::<Vec<_>>())) else {
            return;
        };
        // Of nodes that stopped there is still what is on its way from them.
        let (from, to) = if self.rng.chance(500) { (from, to) } else { (to, from) };
        if from == to {
            return;
        }
        let is_there = |id: &NodeId| self.processes[id].is_awake() && self.processes[id].node.is_some();
        let (says, hears) = (is_there(&from), is_there(&to));
        let is_silent = !self.healing && self.rng.chance(10);
        let (is_there, is_back) = {
            let links = self.links.lock();
            (!links.cut.contains(&(from, to)), !links.cut.contains(&(to, from)))
        };
        let (up, heard, over, frames, answers, session) = {
            let mut links = self.links.lock();
            let lane = links.lane(from, to);
            (lane.up, lane.heard, lane.over, lane.frames.len(), lane.answers.len(), lane.session)
        };
        let mut can: Vec<u8> = Vec::new();
        can.extend((!up && says && hears && is_there && is_back).then_some(0));
        can.extend((up && over && says).then_some(1));
        can.extend((heard && hears && frames > 0 && (over || is_there)).then_some(2));
        can.extend((heard && hears && frames == 0 && over).then_some(3));
        can.extend((up && says && !over && answers > 0 && is_back).then_some(4));
        let is_stuck = !(is_there && is_back && says && hears);
        can.extend((up && !over && ((is_stuck && self.rng.chance(SILENT)) || is_silent)).then_some(5));
        let Some(event) = self.rng.pick(&can) else { return };
        self.note(u64::from(event) << 16 | from.0 << 8 | to.0);
        match event {
            0 => {
                if heard {
                    self.at(to, |node, _, _| node.gone(from));
                }
                self.links.lock().connect(from, to);
                self.at(from, |node, now_ms, out| node.up(to, now_ms, out));
            }
            1 => {
                let lost = self.links.lock().away(from, to);
                drop(lost);
                self.at(from, |node, _, _| node.away(to));
            }
            2 => {
                let count = 1 + self.rng.below(frames.min(4));
                for _ in 0..count {
                    let frame = self.links.lock().lane(from, to).frames.pop_front().expect("counted");
                    self.at(to, |node, now_ms, out| node.hear(from, session, frame, now_ms, out));
                }
            }
            3 => {
                self.links.lock().lane(from, to).heard = false;
                self.at(to, |node, _, _| node.gone(from));
            }
            4 => {
                let waited = {
                    let mut links = self.links.lock();
                    let (id, body) = links.lane(from, to).answers.pop_front().expect("counted");
                    links.take_wait(from, to, id).map(|wait| (wait, body))
                };
                if let Some((wait, body)) = waited {
                    let _ = wait.send(body);
                }
            }
            _ => {
                self.summary.broken_links += 1;
                let arrive = self.rng.below(frames + 1);
                self.links.lock().end(from, to, arrive);
            }
        }
    }
}
