//! From a slot's events to the rows of its projections. No row depends on what was there before, and every row's
//! stamp comes from its event, so writing a row again, late or twice changes nothing.

mod history;
mod member;
mod projector;

use std::collections::HashMap;

pub use projector::Projector;
use schema::record::{Key, RequestKey, RoomHead};
use schema::{Event, SlotId};
use store::Write;

/// The rows of these events, which lie in one slot and in journal order.
pub fn project<'a>(slot: SlotId, events: impl IntoIterator<Item = &'a Event>) -> Vec<Write> {
    let mut writes = Vec::new();
    for event in events {
        history::rows(event, &mut writes);
        member::rows(event, &mut writes);
        if event.cmid.0.get_version_num() == 8 {
            let Event { room, user, cmid, seq, at, .. } = *event;
            writes.push(Write::put(&RequestKey { room, user, cmid, seq, at }, seq));
        }
        let head = RoomHead { slot, room: event.room, head: event.seq, ordinal: event.ordinal, at: event.at };
        writes.push(Write::put(&head, event.seq));
    }
    newest_only(writes)
}

/// Of several writes of one row only the one that would win.
fn newest_only(writes: Vec<Write>) -> Vec<Write> {
    let mut newest: HashMap<&Key, usize> = HashMap::with_capacity(writes.len());
    for (place, write) in writes.iter().enumerate() {
        let kept = newest.entry(&write.key).or_insert(place);
        let (old, new) = (&writes[*kept], write);
        if (new.stamp, new.value.is_none()) >= (old.stamp, old.value.is_none()) {
            *kept = place;
        }
    }
    let mut places: Vec<usize> = newest.into_values().collect();
    places.sort_unstable();
    let mut writes: Vec<Option<Write>> = writes.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| writes[place].take()).collect()
}
