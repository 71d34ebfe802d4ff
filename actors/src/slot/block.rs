//! Pure. What waits for the next append of a slot, in order, cut into blocks that fit.

use std::collections::VecDeque;
use std::sync::Arc;

use schema::{Event, EventBody, RoomId};

#[derive(Debug, Default)]
pub struct OpenBlock {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl OpenBlock {
    pub fn push(&mut self, event: Arc<Event>) {
        self.bytes += weight(&event);
        self.events.push_back(event);
    }
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
    /// The longest beginning within both bounds, at least one event; and its weight.
    pub fn take(&mut self, events_max: usize, bytes_max: usize) -> (Vec<Arc<Event>>, usize) {
        let mut taken = Vec::with_capacity(self.events.len().min(events_max));
        let mut bytes = 0;
        while let Some(event) = self.events.front()
            && taken.len() < events_max
            && (taken.is_empty() || bytes + weight(event) <= bytes_max)
        {
            bytes += weight(event);
            taken.extend(self.events.pop_front());
        }
        self.bytes -= bytes;
        (taken, bytes)
    }
    pub fn forget(&mut self, room: RoomId) {
        self.events.retain(|event| event.room != room);
        self.bytes = self.events.iter().map(|event| weight(event)).sum();
    }
}

/// An upper bound of an event's bytes in a block.
pub fn weight(event: &Event) -> usize {
    const FIELDS: usize = 160;
    FIELDS
        + match &event.body {
            EventBody::Message(message) => {
                message.text.len() + 48 + message.origin.as_ref().and_then(|o| o.thread.as_ref()).map_or(0, String::len)
            }
            EventBody::Edit { text, .. } => text.len() + 24,
            EventBody::Delete { reason, .. } => reason.as_ref().map_or(0, String::len) + 24,
            EventBody::React { emoji, .. } => emoji.len() + 32,
            EventBody::Created { settings, members, .. } => settings.name.len() + settings.topic.len() + 128 + members.len() * 48,
            EventBody::Settings(settings) => settings.name.len() + settings.topic.len() + 96,
            EventBody::Pin { .. } | EventBody::Member { .. } | EventBody::Erased => 64,
        }
}
