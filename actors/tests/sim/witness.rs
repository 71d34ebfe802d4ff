//! Sees everything that the store did and everything that people were told, and calls the invariants as it happens.
//! It stands outside of the world: nothing in the world asks it anything, but for what a client has heard of a head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::{NodeId, Table};
use schema::block::Block;
use schema::record::Key;
use schema::{Cmid, Event, RoomId, SlotId};

use crate::invariants::{self, Broken, Check};

#[derive(Default)]
pub struct Witness {
    pub slots: BTreeMap<SlotId, Journaled>,
    /// By seq, from 1.
    pub rooms: BTreeMap<RoomId, Vec<Arc<Event>>>,
    pub cmids: BTreeMap<(RoomId, Cmid), u64>,
    pub acks: BTreeMap<(RoomId, Cmid), u64>,
    /// The highest acknowledged seq: what somebody may have told a client.
    pub heard: BTreeMap<RoomId, u64>,
    /// History rows that lost their bodies; those since the last sync may come back by a power cut.
    pub erased: BTreeSet<Key>,
    pub erased_unsynced: BTreeSet<Key>,
    /// Where several nodes are: whom the log gave which slot by which grant, and the tables that were acted on, by version.
    pub given: BTreeMap<(SlotId, u64), NodeId>,
    pub tables: BTreeMap<u64, Table>,
    /// What people asked for.
    pub asked: BTreeSet<Cmid>,
    pub broken: Option<Broken>,
}

#[derive(Default)]
pub struct Journaled {
    /// (epoch, events), block 1 first.
    pub blocks: Vec<(u64, Vec<Arc<Event>>)>,
    /// The highest epoch that was told it owns the slot.
    pub fenced: u64,
    pub watermark: u64,
    pub trimmed: u64,
}

impl Witness {
    pub fn hold(&mut self, check: Check) {
        if let Err(broken) = check {
            self.broken.get_or_insert(broken);
        }
    }

    pub fn appended(&mut self, slot: SlotId, epoch: u64, block: &[u8]) {
        let events: Vec<Arc<Event>> = Block::decode(block).expect("a block that was encoded").events.into_iter().map(Arc::new).collect();
        let check = invariants::fences::check(self, slot, epoch);
        self.hold(check);
        for event in &events {
            self.take(event.clone());
        }
        self.slots.entry(slot).or_default().blocks.push((epoch, events));
    }

    fn take(&mut self, event: Arc<Event>) {
        let check = invariants::cmid_once::check(self, &event)
            .and_then(|()| invariants::seqs::check(self, &event))
            .and_then(|()| invariants::phantoms::check(self, &event));
        self.hold(check);
        self.cmids.insert((event.room, event.cmid), event.seq);
        self.rooms.entry(event.room).or_default().push(event);
    }

    /// A store that is broken wrote another block over this one.
    pub fn overwritten(&mut self, slot: SlotId, number: u64, epoch: u64, block: &[u8]) {
        let events = Block::decode(block).expect("a block that was encoded").events.into_iter().map(Arc::new).collect();
        self.slots.entry(slot).or_default().blocks[number as usize - 1] = (epoch, events);
        self.rooms.clear();
        self.cmids.clear();
        let all: Vec<_> = self.slots.values().flat_map(|slot| slot.blocks.iter().flat_map(|(_, events)| events.clone())).collect();
        all.into_iter().for_each(|event| self.take(event));
        let check = self.acks.iter().try_for_each(|((room, cmid), seq)| invariants::acked::check(self, *room, *cmid, *seq));
        self.hold(check);
    }

    pub fn acked(&mut self, room: RoomId, cmid: Cmid, seq: u64) {
        let check = invariants::acked::check(self, room, cmid, seq);
        self.hold(check);
        self.acks.insert((room, cmid), seq);
        let heard = self.heard.entry(room).or_default();
        *heard = seq.max(*heard);
    }

    pub fn event(&self, room: RoomId, seq: u64) -> Option<&Arc<Event>> {
        self.rooms.get(&room)?.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }
    pub fn head(&self, room: RoomId) -> u64 {
        self.rooms.get(&room).map_or(0, |events| events.len() as u64)
    }
}
