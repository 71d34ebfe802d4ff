//! One server process: its slots, its projector, its reader. It lives until it crashes; then a new one takes its place and
//! nothing of it is left but the calls that were on their way.

use std::sync::Arc;

use actors::read::Reader;
use cluster::{NodeId, Ring, Table};
use schema::SlotId;

use crate::carrier::Carrier;
use crate::mail::{Mail, Out};
use crate::net::{Shared, Wire};
use crate::plant::Plant;
use crate::slot::{Env, Slot};
use crate::tasks::{Finished, Work};

pub const SLOTS: u16 = 2;
/// By which the one node has them; epochs are made elsewhere.
pub const GRANT: u64 = 1;

pub struct Node {
    pub slots: Vec<Slot>,
    pub reader: Reader,
    carrier: Carrier,
    /// How far its clock is ahead of the world's.
    pub skew_ms: u64,
}

impl Node {
    pub fn new(net: &Shared, plant: Option<Plant>) -> Self {
        let wire = Wire(net.clone());
        let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), GRANT, SLOTS)));
        let reader = Reader::new(Arc::new(wire.clone()), ring);
        let env = Env { plant, wire: wire.clone(), reader: reader.clone(), ring: None };
        let carrier = Carrier::new(reader.clone(), Arc::new(wire), SLOTS);
        let slots = (0..SLOTS).map(|slot| Slot::new(SlotId(slot), env.clone())).collect();
        Self { slots, reader, carrier, skew_ms: 0 }
    }

    pub fn slot(&mut self, slot: SlotId) -> &mut Slot {
        &mut self.slots[usize::from(slot.0)]
    }

    /// Carries everything that is in the tails; one such round at a time.
    pub fn carry(&mut self) -> Option<Work> {
        self.carrier.carry()
    }

    /// What the projector said since the last time goes to the slots.
    pub fn hear_projector(&mut self) {
        for (slot, block) in self.carrier.told() {
            self.slot(slot).inbox.push_back(Mail::Projected(block));
        }
    }

    pub fn finished(&mut self, finished: Finished, out: &mut Out) {
        match finished {
            Finished::Slot { slot, activation, input } => self.slot(slot).inbox.push_back(Mail::Step { activation, input }),
            Finished::Woken { slot, room, incarnation, state } => self.slot(slot).woken(room, incarnation, *state, out),
            Finished::Learned { slot, room, incarnation, token, fact } => {
                if let Some(room) = self.slot(slot).rooms.get_mut(&room).filter(|room| room.incarnation == incarnation) {
                    room.learned(token, fact);
                }
            }
            Finished::Carried => self.carrier.carried(),
            Finished::Joined { .. }
            | Finished::Page(_)
            | Finished::CaughtUp { .. }
            | Finished::Answered { .. }
            | Finished::Settled { .. }
            | Finished::Nothing => {}
        }
    }
}
