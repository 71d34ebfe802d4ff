//! Pure. How far a user has read each room. A marker is a maximum: it cannot fall, so unread cannot stick.

use std::collections::{HashMap, HashSet};

use schema::RoomId;

pub use schema::peer::Mark;

#[derive(Debug, Default)]
pub struct Markers {
    marks: HashMap<RoomId, Mark>,
    dirty: HashSet<RoomId>,
}

impl Markers {
    pub fn get(&self, room: RoomId) -> Mark {
        self.marks.get(&room).copied().unwrap_or_default()
    }
    pub fn load(&mut self, room: RoomId, mark: Mark) {
        self.marks.insert(room, mark);
    }
    /// True if it rose. `ordinal` cannot be above `seq`: every message is an event.
    pub fn read(&mut self, room: RoomId, seq: u64, ordinal: u64) -> bool {
        let mark = self.marks.entry(room).or_default();
        if seq <= mark.seq {
            return false;
        }
        *mark = Mark { seq, ordinal: ordinal.min(seq).max(mark.ordinal), delivered: mark.delivered.max(seq) };
        self.dirty.insert(room);
        true
    }
    pub fn delivered(&mut self, room: RoomId, seq: u64) -> bool {
        let mark = self.marks.entry(room).or_default();
        if seq <= mark.delivered {
            return false;
        }
        mark.delivered = seq;
        self.dirty.insert(room);
        true
    }
    pub fn forget(&mut self, room: RoomId) {
        self.marks.remove(&room);
        self.dirty.remove(&room);
    }
    pub fn take_dirty(&mut self) -> Vec<(RoomId, Mark)> {
        std::mem::take(&mut self.dirty).into_iter().map(|room| (room, self.get(room))).collect()
    }
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }
}
