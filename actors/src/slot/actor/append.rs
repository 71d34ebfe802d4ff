//! Appends: one to the store, its answer back to the core, and what landed on to the rooms.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::ActorRef;
use schema::{Event, RoomId};
use store::{Append, Appended, Error};
use tokio::time::Instant;

use super::{SlotMessage, State, pause};
use crate::metrics::metrics;
use crate::room::RoomMessage;
use crate::shared::Shared;
use crate::slot::above::Reserved;

/// Events above the watermark at which the projector is rung.
const BELL_EVENTS: usize = 64;

impl State {
    /// A repeat has its place above the watermark; another waits for one.
    pub(super) fn append(&self, myself: &ActorRef<SlotMessage>, append: Append, reserved: Option<Reserved>, pause_ms: u64) {
        let (shared, activation, myself) = (self.shared.clone(), self.activation, myself.clone());
        let bytes = self.core.in_flight_bytes();
        tokio::spawn(async move {
            pause(pause_ms).await;
            let reserved = match reserved {
                Some(reserved) => reserved,
                None => reserve(&shared, bytes).await,
            };
            let place = match &shared.appends {
                Some(places) => Some(places.acquire().await),
                None => None,
            };
            let (slot, grant, asked) = (append.slot, append.epoch >> 16, Instant::now());
            let answer = shared.journal.append(append).await;
            if matches!(answer, Ok(Appended::Applied)) {
                shared.reader.slot_tail(slot).confirm(grant, asked);
            }
            drop(place);
            if matches!(answer, Err(Error::Unknown(_))) {
                metrics().append_unknown.increment(1);
            }
            let _ = myself.cast(SlotMessage::Appended { activation, answer, reserved });
        });
    }

    pub(super) fn applied(&mut self, block: u64, events: Vec<Arc<Event>>) {
        metrics().applied.increment(events.len() as u64);
        metrics().block_events.record(events.len() as f64);
        self.shared.reader.slot_tail(self.slot).push(block, events.clone());
        for (room, events) in by_room(events) {
            match self.rooms.get(&room) {
                Some(cell) => drop(cell.send_message(RoomMessage::Applied(events))),
                // Its actor is gone, its events are in the journal: show them, the room wakes with them.
                None => self.shared.show(room, &events),
            }
        }
        if self.core.tail_events() >= BELL_EVENTS {
            self.shared.bell.notify_one();
        }
    }
}

async fn reserve(shared: &Shared, bytes: usize) -> Reserved {
    let (above, bytes_max) = (shared.reader.above(), shared.config.node_tail_bytes_max);
    if let Some(reserved) = above.try_reserve(bytes, bytes_max) {
        return reserved;
    }
    shared.bell.notify_one();
    above.reserve(bytes, bytes_max).await
}

/// The events of each room, in order; a block of one room, the most frequent kind, is not taken apart.
pub(super) fn by_room(events: Vec<Arc<Event>>) -> Vec<(RoomId, Vec<Arc<Event>>)> {
    let mut rooms: Vec<(RoomId, Vec<Arc<Event>>)> = Vec::new();
    let mut places: HashMap<RoomId, usize> = HashMap::new();
    for event in events {
        match rooms.last_mut() {
            Some((room, of_room)) if *room == event.room => of_room.push(event),
            _ => {
                let place = *places.entry(event.room).or_insert_with(|| {
                    rooms.push((event.room, Vec::new()));
                    rooms.len() - 1
                });
                rooms[place].1.push(event);
            }
        }
    }
    rooms
}
