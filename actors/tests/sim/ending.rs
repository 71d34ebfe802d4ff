//! Looking at a world: while it runs, and once faults stopped and all must heal.

use actors::PageQuery;
use schema::{RoomId, SlotId};

use crate::client::{PEOPLE, listener, person, rooms};
use crate::invariants::{self, Broken};
use crate::node::SLOTS;
use crate::tasks::at_once;
use crate::world::{NODES, World};

const STEPS_TO_HEAL: usize = 60_000;

impl World {
    /// A page from whoever owns the room now, while everything else stands still.
    pub fn look(&mut self) -> Result<(), Broken> {
        let room = rooms()[self.rng.below(rooms().len())];
        let (node, slot) = (self.rng.below(NODES), SlotId(self.slot_of(room) as u16));
        let place = self.nodes[node].slot(slot);
        let fenced = self.net.lock().witness.slots.get(&slot).map(|slot| slot.fenced);
        if !place.is_serving() || Some(place.epoch()) != fenced {
            return Ok(());
        }
        let before = 2 + self.rng.next() % (self.net.lock().witness.head(room) + 1);
        self.page(node, room, before)
    }

    pub fn page(&mut self, node: usize, room: RoomId, before: u64) -> Result<(), Broken> {
        let reader = self.nodes[node].reader.clone();
        let query = PageQuery { room, before: Some(before), limit: Some(20), ..PageQuery::default() };
        let asks = self.rng.below(PEOPLE);
        match at_once(&self.net, async move { reader.page(person(asks), query).await }) {
            Ok(page) => invariants::pages::check(&self.net.lock().witness, &page),
            Err(_) => Ok(()),
        }
    }

    pub fn heal(&mut self) -> Result<(), Broken> {
        self.healing = true;
        for slot in 0..SLOTS {
            let node = self.rng.below(NODES);
            self.grant_slot(node, SlotId(slot));
        }
        for steps in 0..STEPS_TO_HEAL {
            self.step()?;
            if steps % 64 == 0 && self.left().is_empty() {
                break;
            }
        }
        invariants::healed::check(&self.left())?;
        self.look_at_the_end()?;
        let net = self.net.lock();
        self.summary.events = net.witness.rooms.values().map(|events| events.len() as u64).sum();
        self.summary.acks = net.witness.acks.len();
        Ok(())
    }

    /// What has not healed yet.
    pub fn left(&self) -> Vec<String> {
        let net = self.net.lock();
        let mut left = Vec::new();
        for client in &self.clients {
            left.extend(client.outbox.first().map(|request| format!("{} waits for {:?}", client.user, request.order)));
        }
        for listener in &self.listeners {
            let head = net.witness.head(listener.room);
            left.extend((listener.last < head).then(|| format!("a listener of {} has {} of {head}", listener.room, listener.last)));
        }
        left.extend(net.core.held().next().map(|(_, op)| format!("held: {op:?}")));
        for (slot, journaled) in &net.witness.slots {
            let (mark, head) = (journaled.watermark, journaled.blocks.len() as u64);
            left.extend((mark < head).then(|| format!("slot {} is carried to {mark} of {head}", slot.0)));
        }
        left
    }

    pub fn look_at_the_end(&mut self) -> Result<(), Broken> {
        let people: Vec<_> = (0..PEOPLE + 2).map(person).chain([listener()]).collect();
        let rooms: Vec<(RoomId, u64)> = self.net.lock().witness.rooms.iter().map(|(room, events)| (*room, events.len() as u64)).collect();
        for (room, head) in rooms {
            let node = self.owners[self.slot_of(room)];
            let stored = at_once(&self.net, invariants::lists::read(self.nodes[node].reader.clone(), room, people.clone()))?;
            invariants::lists::check(&self.net.lock().witness, room, &stored)?;
            for before in (2..=head + 1).rev().step_by(20) {
                self.page(node, room, before)?;
            }
        }
        let net = self.net.lock();
        net.witness.acks.iter().try_for_each(|((room, cmid), seq)| invariants::acked::check(&net.witness, *room, *cmid, *seq))?;
        invariants::erased::all(&net.witness, &net.core)
    }
}
