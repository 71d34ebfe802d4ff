//! What passes between the members of a room and is kept nowhere: typing, receipts, how many are here. Conflated per room
//! and turn, so that a room of any size costs one frame a turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use schema::server::{Online, Read, ReadMark, Typing};
use schema::{RoomId, ServerEvent, UserId};

use crate::subscribers::Subscribers;

/// How often what gathered is sent.
pub const TURN: Duration = Duration::from_millis(250);
/// Who said nothing more of typing for this long has stopped.
const TYPING_MS: u64 = 5_000;
const NAMES_MAX: usize = 3;
/// People counted as typing in one room; more change nothing that anybody sees.
const TYPISTS_MAX: usize = 1_000;
/// Marks of one frame; the others wait for the next turn.
const MARKS_MAX: usize = 200;

#[derive(Default)]
pub struct Relay(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    typing: HashMap<RoomId, Typists>,
    /// The newest (seq, delivered) of each reader since the last turn.
    marks: HashMap<RoomId, HashMap<UserId, (u64, u64)>>,
    online: HashMap<RoomId, u32>,
    counted: HashSet<RoomId>,
}

#[derive(Default)]
struct Typists {
    /// In the order in which they began; until when, in milliseconds since 1970.
    until: Vec<(UserId, u64)>,
    changed: bool,
}

impl Relay {
    pub fn typing(&self, room: RoomId, user: UserId, on: bool, now_ms: u64) {
        let mut inner = self.0.lock();
        let typists = inner.typing.entry(room).or_default();
        let place = typists.until.iter().position(|(who, _)| *who == user);
        match (place, on) {
            (Some(place), true) => typists.until[place].1 = now_ms + TYPING_MS,
            (Some(place), false) => {
                typists.until.remove(place);
                typists.changed = true;
            }
            (None, true) if typists.until.len() < TYPISTS_MAX => {
                typists.until.push((user, now_ms + TYPING_MS));
                typists.changed = true;
            }
            (None, _) => {}
        }
    }

    pub fn receipt(&self, room: RoomId, user: UserId, seq: u64, delivered: u64) {
        let mut inner = self.0.lock();
        let mark = inner.marks.entry(room).or_default().entry(user).or_default();
        *mark = (mark.0.max(seq), mark.1.max(delivered));
    }

    /// A member came or went.
    pub fn online(&self, room: RoomId, came: bool) {
        let mut inner = self.0.lock();
        let count = inner.online.entry(room).or_default();
        *count = if came { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            inner.online.remove(&room);
        }
        inner.counted.insert(room);
    }
    pub fn online_count(&self, room: RoomId) -> u32 {
        self.0.lock().online.get(&room).copied().unwrap_or(0)
    }

    pub async fn run(self: Arc<Self>, subscribers: Arc<Subscribers>, now_ms: fn() -> u64) {
        let mut turns = tokio::time::interval(TURN);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            for (room, event) in self.turn(now_ms()) {
                subscribers.tell(room, event, None);
            }
        }
    }

    /// What is to be said now.
    fn turn(&self, now_ms: u64) -> Vec<(RoomId, ServerEvent)> {
        let mut inner = self.0.lock();
        let mut said = Vec::new();
        for (room, typists) in &mut inner.typing {
            let before = typists.until.len();
            typists.until.retain(|(_, until)| *until > now_ms);
            if std::mem::take(&mut typists.changed) || typists.until.len() != before {
                let users = typists.until.iter().take(NAMES_MAX).map(|(user, _)| *user).collect();
                said.push((*room, ServerEvent::Typing(Typing { room: *room, users, count: typists.until.len() as u32 })));
            }
        }
        inner.typing.retain(|_, typists| !typists.until.is_empty());
        for (room, marks) in &mut inner.marks {
            let users: Vec<UserId> = marks.keys().copied().take(MARKS_MAX).collect();
            let frame = users.into_iter().filter_map(|user| marks.remove(&user).map(|mark| read_mark(user, mark))).collect();
            said.push((*room, ServerEvent::Read(Read { room: *room, marks: frame })));
        }
        inner.marks.retain(|_, marks| !marks.is_empty());
        for room in std::mem::take(&mut inner.counted) {
            let count = inner.online.get(&room).copied().unwrap_or(0);
            said.push((room, ServerEvent::Online(Online { room, count })));
        }
        said
    }
}

fn read_mark(user: UserId, (seq, delivered): (u64, u64)) -> ReadMark {
    ReadMark { user, seq, delivered, ordinal: 0, unread_from: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_who_type_are_three_names_and_a_count_and_end_by_themselves() {
        let relay = Relay::default();
        let room = RoomId::default();
        (1..=4).for_each(|n| relay.typing(room, UserId::from_bytes([n; 16]), true, 0));
        let said = relay.turn(1);
        let ServerEvent::Typing(typing) = &said[0].1 else { panic!("{said:?}") };
        assert_eq!((typing.users.len(), typing.count), (3, 4));
        assert!(relay.turn(2).is_empty(), "nothing changed");
        let ServerEvent::Typing(typing) = &relay.turn(TYPING_MS)[0].1 else { panic!() };
        assert_eq!((typing.users.len(), typing.count), (0, 0));
        assert!(relay.turn(TYPING_MS + 1).is_empty());
    }
}
