//! What passes between the members of a room and is kept nowhere: typing, receipts, how many are here. Conflated per room,
//! so that a room of any size costs its members one frame a turn: what there is more to say waits for the next turn and is
//! conflated further. Counts are those of the moment in which they are said; a receipt may come late and is never lost.
//! Durable events, reactions among them, do not pass through here; where many listen, reactions wait for the same turns
//! (`subscribers/held.rs`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cluster::NodeId;
use parking_lot::Mutex;
use schema::peer::Word;
use schema::server::{Online, Read, ReadMark, Typing};
use schema::{RoomId, ServerEvent, UserId};

use crate::shared::Shared;

/// How often what gathered is sent.
pub const TURN: Duration = Duration::from_millis(250);
/// A room's count is said once in so many turns, every room's in another: when all come back at once it changes all the time.
const TURNS_A_COUNT: usize = 4;
/// Who said nothing more of typing for this long has stopped.
const TYPING_MS: u64 = 5_000;
const NAMES_MAX: usize = 3;
/// People counted as typing in one room; more change nothing that anybody sees.
const TYPISTS_MAX: usize = 20_000;
/// Marks of one frame at the most; the others wait for the next turn.
const MARKS_MAX: usize = 200;
/// Marks of one frame times those who get it: a room of 10,000 is told of twenty a turn.
const MARKS_TOLD_MAX: usize = 200_000;
const MARKS_LEAST: usize = 10;

#[derive(Default)]
pub struct Relay(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    typing: HashMap<RoomId, Typists>,
    /// The newest (seq, delivered) of each reader since the last turn.
    marks: HashMap<RoomId, HashMap<UserId, (u64, u64)>>,
    /// Those whose home is here.
    online: HashMap<RoomId, u32>,
    /// Of rooms that are ours: those whose home is elsewhere, as those nodes said.
    online_abroad: HashMap<RoomId, Vec<(NodeId, u32)>>,
    /// Whose count changed since it was told.
    counted: HashSet<RoomId>,
    turns: usize,
}

#[derive(Default)]
struct Typists {
    /// When each began, as a number, and until when they count, in milliseconds since 1970.
    until: HashMap<UserId, (u64, u64)>,
    began: u64,
    changed: bool,
}

impl Typists {
    /// The first to have begun, in that order.
    fn first(&self) -> Vec<UserId> {
        let mut first: Vec<(u64, UserId)> = Vec::with_capacity(NAMES_MAX + 1);
        for (user, (began, _)) in &self.until {
            let place = first.partition_point(|(other, _)| other < began);
            first.insert(place, (*began, *user));
            first.truncate(NAMES_MAX);
        }
        first.into_iter().map(|(_, user)| user).collect()
    }
}

impl Relay {
    pub fn typing(&self, room: RoomId, user: UserId, on: bool, now_ms: u64) {
        let mut inner = self.0.lock();
        let typists = inner.typing.entry(room).or_default();
        if !on {
            typists.changed |= typists.until.remove(&user).is_some();
        } else if let Some((_, until)) = typists.until.get_mut(&user) {
            *until = now_ms + TYPING_MS;
        } else if typists.until.len() < TYPISTS_MAX {
            typists.began += 1;
            typists.until.insert(user, (typists.began, now_ms + TYPING_MS));
            typists.changed = true;
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
    pub fn online_abroad(&self, room: RoomId, node: NodeId, count: u32) {
        let mut inner = self.0.lock();
        let nodes = inner.online_abroad.entry(room).or_default();
        nodes.retain(|(known, _)| *known != node);
        if count > 0 {
            nodes.push((node, count));
        } else if nodes.is_empty() {
            inner.online_abroad.remove(&room);
        }
        inner.counted.insert(room);
    }
    /// What a node said of its own does not count any more.
    pub fn forget(&self, node: NodeId) {
        let mut inner = self.0.lock();
        let Inner { online_abroad, counted, .. } = &mut *inner;
        online_abroad.retain(|room, nodes| {
            let before = nodes.len();
            nodes.retain(|(known, _)| *known != node);
            if nodes.len() != before {
                counted.insert(*room);
            }
            !nodes.is_empty()
        });
    }
    /// These rooms have another owner, or theirs has forgotten what it was told.
    pub fn count_again(&self, begins: &impl Fn(RoomId) -> bool) {
        let mut inner = self.0.lock();
        let Inner { online, counted, .. } = &mut *inner;
        counted.extend(online.keys().copied().filter(|room| begins(*room)));
    }
    /// These rooms are not ours any more.
    pub fn give_up(&self, are_gone: &impl Fn(RoomId) -> bool) {
        let mut inner = self.0.lock();
        inner.online_abroad.retain(|room, _| !are_gone(*room));
        inner.marks.retain(|room, _| !are_gone(*room));
        inner.typing.retain(|room, _| !are_gone(*room));
    }

    pub async fn run(self: Arc<Self>, shared: Weak<Shared>, now_ms: fn() -> u64) {
        let mut turns = tokio::time::interval(TURN);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            let Some(shared) = shared.upgrade() else { return };
            for (room, event) in self.turn(now_ms()) {
                match (shared.reader.owner(room), event) {
                    (None, event) => shared.subscribers.tell(room, event, None),
                    (Some(owner), ServerEvent::Online(online)) => _ = shared.peers.say(owner, &Word::Online { room, count: online.count }),
                    // It was ours a moment ago, and is kept nowhere.
                    (Some(_), _) => {}
                }
            }
            shared.subscribers.turn();
        }
    }

    /// What is to be said now: at most one event a room.
    fn turn(&self, now_ms: u64) -> Vec<(RoomId, ServerEvent)> {
        let mut inner = self.0.lock();
        inner.turns += 1;
        inner.let_typists_go(now_ms);
        let mut said = HashMap::new();
        // None keeps another from its turn: counts have their own, the others take turns to be first.
        inner.say_online(&mut said);
        if (inner.turns + inner.turns / TURNS_A_COUNT).is_multiple_of(2) {
            inner.say_typing(&mut said);
            inner.say_receipts(&mut said);
        } else {
            inner.say_receipts(&mut said);
            inner.say_typing(&mut said);
        }
        said.into_iter().collect()
    }
}

/// What each room is told this turn.
type Said = HashMap<RoomId, ServerEvent>;

impl Inner {
    fn let_typists_go(&mut self, now_ms: u64) {
        for typists in self.typing.values_mut() {
            let before = typists.until.len();
            typists.until.retain(|_, (_, until)| *until > now_ms);
            typists.changed |= typists.until.len() != before;
        }
    }

    fn say_typing(&mut self, said: &mut Said) {
        for (room, typists) in &mut self.typing {
            if typists.changed && !said.contains_key(room) {
                typists.changed = false;
                let (users, count) = (typists.first(), typists.until.len() as u32);
                said.insert(*room, ServerEvent::Typing(Typing { room: *room, users, count }));
            }
        }
        self.typing.retain(|_, typists| typists.changed || !typists.until.is_empty());
    }

    fn say_receipts(&mut self, said: &mut Said) {
        for (room, marks) in &mut self.marks {
            if marks.is_empty() || said.contains_key(room) {
                continue;
            }
            let here = count_of(&self.online, &self.online_abroad, room).max(1) as usize;
            let most = (MARKS_TOLD_MAX / here).clamp(MARKS_LEAST, MARKS_MAX);
            let users: Vec<UserId> = marks.keys().copied().take(most).collect();
            let told = users.into_iter().filter_map(|user| marks.remove(&user).map(|mark| read_mark(user, mark))).collect();
            said.insert(*room, ServerEvent::Read(Read { room: *room, marks: told }));
        }
        self.marks.retain(|_, marks| !marks.is_empty());
    }

    fn say_online(&mut self, said: &mut Said) {
        let (online, abroad, turns) = (&self.online, &self.online_abroad, self.turns);
        self.counted.retain(|room| {
            if !(usize::from(room.as_bytes()[15]) + turns).is_multiple_of(TURNS_A_COUNT) {
                return true;
            }
            let count = count_of(online, abroad, room);
            said.insert(*room, ServerEvent::Online(Online { room: *room, count }));
            false
        });
    }
}

fn count_of(online: &HashMap<RoomId, u32>, abroad: &HashMap<RoomId, Vec<(NodeId, u32)>>, room: &RoomId) -> u32 {
    let abroad: u32 = abroad.get(room).into_iter().flatten().map(|(_, count)| count).sum();
    online.get(room).copied().unwrap_or(0) + abroad
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

    fn user(n: u32) -> UserId {
        UserId::from_bytes(u128::from(n).to_be_bytes())
    }

    #[test]
    fn whatever_ten_thousand_do_each_gets_at_most_five_frames_a_second_and_in_the_end_every_total_is_exact() {
        const MEMBERS: u32 = 10_000;
        let (relay, room) = (Relay::default(), RoomId::default());
        (0..MEMBERS).for_each(|_| relay.online(room, true));
        let turns_a_second = 1_000 / TURN.as_millis() as u64;
        let (mut read, mut typing, mut online) = (HashMap::new(), None, None);
        let mut hear = |now_ms: u64| {
            let said = relay.turn(now_ms);
            for (_, event) in &said {
                match event {
                    ServerEvent::Typing(told) => typing = Some((told.users.clone(), told.count)),
                    ServerEvent::Online(told) => online = Some(told.count),
                    ServerEvent::Read(told) => {
                        assert!(told.marks.len() * MEMBERS as usize <= MARKS_TOLD_MAX);
                        read.extend(told.marks.iter().map(|mark| (mark.user, mark.seq)));
                    }
                    other => panic!("{other:?}"),
                }
            }
            said.len() as u64
        };
        for second in 0..4 {
            let mut frames = 0;
            for turn in 0..turns_a_second {
                let now_ms = second * 1_000 + turn * 250;
                (0..MEMBERS).for_each(|n| relay.receipt(room, user(n), second * 4 + turn, 0));
                (0..3_000).for_each(|n| relay.typing(room, user(n), true, now_ms));
                relay.online(room, turn % 2 == 0);
                frames += hear(now_ms);
            }
            assert!(frames <= 5, "{frames} frames in a second");
        }
        let mut turns = 0;
        while hear(4_000) > 0 {
            turns += 1;
            assert!(turns < MEMBERS, "it does not end");
        }
        assert!(read.len() == MEMBERS as usize && read.values().all(|seq| *seq == 15), "every reader is told, as far as they are");
        assert_eq!(typing, Some((vec![user(0), user(1), user(2)], 3_000)));
        assert_eq!(online, Some(MEMBERS));
    }

    #[test]
    fn no_topic_keeps_another_from_its_turn() {
        let (relay, room) = (Relay::default(), RoomId::default());
        let mut heard = [0; 3];
        for turn in 0..32 {
            relay.receipt(room, user(1), turn, 0);
            relay.typing(room, user(1), turn % 2 == 0, turn);
            relay.online(room, true);
            let said = relay.turn(turn);
            assert_eq!(said.len(), 1);
            let topic = match said[0].1 {
                ServerEvent::Typing(_) => 0,
                ServerEvent::Read(_) => 1,
                _ => 2,
            };
            heard[topic] += 1;
        }
        assert_eq!(heard, [12, 12, 8]);
    }
}
