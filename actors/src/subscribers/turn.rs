//! Carries out what `held.rs` says: reactions of rooms that many listen to, up to the next turn of the relay. They are in the
//! view already, so whoever comes or goes makes the lots get them first.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::{Event, RoomId};

use super::held::{Amount, Held, LISTENERS_MIN, is_reaction};
use super::{Downs, Entry, Subscribers, show_lots};
use crate::metrics::metrics;

/// Of all rooms of the node; over it nothing more waits.
const EVENTS_MAX: usize = 16_384;
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What waits on this node, and in which rooms.
#[derive(Default)]
pub(super) struct Totals {
    rooms: Mutex<HashSet<RoomId>>,
    amount: Mutex<Amount>,
}

impl Totals {
    fn has_place(&self) -> bool {
        let amount = self.amount.lock();
        amount.events < EVENTS_MAX && amount.bytes < BYTES_MAX
    }
    fn change(&self, before: Amount, after: Amount) {
        let mut amount = self.amount.lock();
        amount.events = amount.events + after.events - before.events;
        amount.bytes = amount.bytes + after.bytes - before.bytes;
        metrics().held_events.set(amount.events as f64);
        metrics().held_bytes.set(amount.bytes as f64);
    }
}

/// What waits of one room; counted off whatever ends it.
pub(super) struct Waiting {
    held: Held,
    totals: Arc<Totals>,
}

impl Waiting {
    fn act<T>(&mut self, act: impl FnOnce(&mut Held) -> T) -> T {
        let before = self.held.amount();
        let done = act(&mut self.held);
        self.totals.change(before, self.held.amount());
        done
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.totals.change(self.held.amount(), Amount::default());
    }
}

impl Entry {
    /// Events that follow what was shown, to every lot that has members of the room; reactions perhaps later.
    pub(super) fn show(&mut self, room: RoomId, fresh: &[&Arc<Event>], totals: &Arc<Totals>, downs: &mut Downs) {
        let listeners = || self.lots.iter().map(|(_, count)| count).sum::<u32>();
        let waits = fresh.last().is_some_and(|last| is_reaction(last)) && listeners() >= LISTENERS_MIN;
        if self.waiting.is_none() && !waits {
            return show_lots(room, &self.lots, fresh, downs);
        }
        let has_place = totals.has_place();
        let waiting = self.waiting.get_or_insert_with(|| {
            totals.rooms.lock().insert(room);
            Box::new(Waiting { held: Held::default(), totals: totals.clone() })
        });
        let now = waiting.act(|held| held.pass(fresh, waits && has_place));
        let is_empty = waiting.held.amount() == Amount::default();
        if waits && is_empty {
            metrics().held_overflows.increment(1);
        }
        if is_empty {
            self.waiting = None;
        }
        show_lots(room, &self.lots, &now.iter().collect::<Vec<_>>(), downs);
    }

    /// Something else was said to the room.
    pub(super) fn told(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.held.told();
        }
    }

    /// Nothing waits any more.
    pub(super) fn release(&mut self, room: RoomId, downs: &mut Downs) {
        if let Some(mut waiting) = self.waiting.take() {
            let events = waiting.act(Held::release);
            show_lots(room, &self.lots, &events.iter().collect::<Vec<_>>(), downs);
        }
    }
}

impl Subscribers {
    /// Time has come for what waits, room by room.
    pub fn turn(&self) {
        let rooms = std::mem::take(&mut *self.held.rooms.lock());
        for room in rooms {
            let (mut shard, mut downs) = (self.shard(room).lock(), Downs::default());
            let Some(entry) = shard.get_mut(&room) else { continue };
            let Some(waiting) = &mut entry.waiting else { continue };
            let events = waiting.act(Held::turn);
            if events.is_empty() {
                self.held.rooms.lock().insert(room);
                continue;
            }
            entry.waiting = None;
            show_lots(room, &entry.lots, &events.iter().collect::<Vec<_>>(), &mut downs);
            self.push(downs);
        }
    }
}
