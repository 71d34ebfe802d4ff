//! What befalls the world from outside: hand-overs, failures, crashes, power cuts, late writes, jumps of clocks.

use schema::{RoomId, SlotId};

use crate::invariants::Broken;
use crate::mail::Out;
use crate::node::{Node, SLOTS};
use crate::world::{DAY_MS, NODES, World};

impl World {
    /// The ring's part: a slot that nobody was told to own finds an owner.
    pub fn place(&mut self) {
        let slot = self.rng.below(usize::from(SLOTS));
        if !self.nodes[self.owners[slot]].slots[slot].is_granted() {
            let node = self.rng.below(NODES);
            self.grant_slot(node, SlotId(slot as u16));
        }
    }

    pub fn restart_or_park(&mut self) {
        self.place();
        let (node, slot) = (self.rng.below(NODES), self.rng.below(usize::from(SLOTS)));
        let slot = &mut self.nodes[node].slots[slot];
        if slot.restart_due {
            slot.restart_due = false;
            slot.inbox.push_back(crate::mail::Mail::Restart);
            return;
        }
        let rooms: Vec<RoomId> = slot.rooms.keys().copied().collect();
        if let Some(room) = self.rng.pick(&rooms) {
            slot.park(room);
        }
    }

    /// Something from outside: a hand-over, a failure, a late write, a jump of a clock, a look.
    pub fn befall(&mut self) -> Result<(), Broken> {
        let node = self.rng.below(NODES);
        match self.rng.below(100) {
            0..45 => self.land(),
            45..57 => return self.look(),
            57..65 => self.now_ms += DAY_MS + 1,
            _ if self.healing || (self.calm && self.rng.chance(750)) => {}
            65..78 => self.grant(node),
            78..88 => self.fail_a_room(node),
            88..91 => self.crash(node),
            91..93 => self.power_cut(),
            _ => self.nodes[node].skew_ms = self.rng.next() % 5_000,
        }
        Ok(())
    }

    pub fn land(&mut self) {
        let held: Vec<u64> = self.net.lock().core.held().map(|(ticket, _)| ticket).collect();
        if let Some(ticket) = self.rng.pick(&held) {
            let lost = self.rng.chance(200);
            self.note(ticket << 1 | u64::from(lost));
            self.net.lock().land(ticket, lost);
        }
    }

    pub fn grant(&mut self, node: usize) {
        let slot = SlotId(self.rng.below(usize::from(SLOTS)) as u16);
        self.grant_slot(node, slot);
    }
    pub fn grant_slot(&mut self, node: usize, slot: SlotId) {
        self.grants += 1;
        self.summary.take_overs += 1;
        self.owners[usize::from(slot.0)] = node;
        self.note(self.grants << 4 | node as u64);
        let (mut out, grant) = (Out::default(), self.grants);
        self.nodes[node].slot(slot).grant(grant, &mut out);
        self.carry_out(node, out);
    }

    pub fn fail_a_room(&mut self, node: usize) {
        let slot = self.rng.below(usize::from(SLOTS));
        let node = if self.rng.chance(700) { self.owners[slot] } else { node };
        let place = &self.nodes[node].slots[slot];
        let busy: Vec<RoomId> = place.rooms.iter().filter(|(_, room)| !room.is_idle()).map(|(id, _)| *id).collect();
        if let Some(room) = self.rng.pick(&busy) {
            self.fail(node, slot, room);
        }
    }
    pub fn fail(&mut self, node: usize, slot: usize, room: RoomId) {
        let mut out = Out::default();
        self.nodes[node].slots[slot].room_lost(room, &mut out);
        self.carry_out(node, out);
    }

    /// The process dies. Another takes its place, which owns nothing until it is told to.
    pub fn crash(&mut self, node: usize) {
        self.summary.crashes += 1;
        self.tasks.drop_of(node);
        self.nodes[node] = Node::new(&self.net, self.plant);
        for listener in &mut self.listeners {
            listener.place.take_if(|place| place.node == node);
        }
    }

    pub fn power_cut(&mut self) {
        self.summary.power_cuts += 1;
        (0..NODES).for_each(|node| self.crash(node));
        let Self { net, rng, .. } = self;
        net.lock().power_cut(|| rng.chance(400));
    }
}
