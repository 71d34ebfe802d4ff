//! Pure. What this device has asked for and has no answer to, room by room, in order.
//!
//! `after` and `prev` are fixed when a request is first sent, and lie here until the answer: a resend is the same
//! request. Only when the request that `prev` names was refused for good does `prev` move on to the one before it,
//! because nothing else would ever let this one in. Knows no socket and no clock.

use std::collections::{HashMap, VecDeque};

use schema::client::{Act, Order};
use schema::{ClientEvent, Cmid, RoomId};

use super::request;

/// First wait after a temporary refusal that names none, doubled up to the second.
const WAIT_US_MIN: u64 = 10_000;
const WAIT_US_MAX: u64 = 1_000_000;

#[derive(Debug)]
pub struct Outbox {
    rooms: HashMap<RoomId, Queue>,
    in_flight: HashMap<u32, (RoomId, Cmid)>,
    in_flight_max: usize,
    next_id: u32,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    /// Nothing of this room is sent before this time, in microseconds.
    not_before: u64,
    refused_in_a_row: u32,
}

#[derive(Debug)]
struct Item {
    cmid: Cmid,
    act: Act,
    /// `after` and `prev`, once it was sent.
    fixed: Option<(u64, Option<Cmid>)>,
    in_flight: bool,
    /// Its event came by; only the answer is missing. Later requests need not name it.
    seen: Option<u64>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { rooms: HashMap::new(), in_flight: HashMap::new(), in_flight_max: 16, next_id: 1 }
    }
}

impl Outbox {
    pub fn set_in_flight_max(&mut self, max: usize) {
        self.in_flight_max = max.max(1);
    }

    pub fn next_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        id
    }

    pub fn push(&mut self, room: RoomId, cmid: Cmid, act: Act) {
        let item = Item { cmid, act, fixed: None, in_flight: false, seen: None };
        self.rooms.entry(room).or_default().items.push_back(item);
    }

    /// Unanswered requests.
    pub fn count(&self) -> usize {
        self.rooms.values().map(|queue| queue.items.len()).sum()
    }
    pub fn unanswered(&self) -> impl Iterator<Item = (RoomId, Cmid)> {
        self.rooms.iter().flat_map(|(room, queue)| queue.items.iter().map(|item| (*room, item.cmid)))
    }

    /// What may be sent now. `have` says how far this device has a room without a hole: a request that it waits for is
    /// above that, so that `prev` always lies above `after`.
    pub fn pump(&mut self, now_us: u64, have: impl Fn(RoomId) -> u64, out: &mut Vec<ClientEvent>) {
        let mut next_id = self.next_id;
        for (room, queue) in &mut self.rooms {
            if queue.not_before > now_us {
                continue;
            }
            let mut prev = None;
            for item in &mut queue.items {
                if !item.in_flight {
                    if self.in_flight.len() >= self.in_flight_max {
                        break;
                    }
                    let (after, prev) = *item.fixed.get_or_insert_with(|| (have(*room), prev));
                    let order = Order { id: next_id, room: *room, cmid: item.cmid, after, prev };
                    next_id = next_id.checked_add(1).unwrap_or(1);
                    item.in_flight = true;
                    self.in_flight.insert(order.id, (*room, item.cmid));
                    out.push(request::frame(order, item.act.clone()));
                }
                if item.seen.is_none() {
                    prev = Some(item.cmid);
                }
            }
        }
        self.next_id = next_id;
    }

    /// When `pump` has something to do that it had not before.
    pub fn due_us(&self) -> Option<u64> {
        let waiting = |queue: &&Queue| queue.items.iter().any(|item| !item.in_flight);
        self.rooms.values().filter(waiting).map(|queue| queue.not_before).min()
    }

    /// The request of an answer, unless it was answered already.
    pub fn of(&self, id: u32) -> Option<(RoomId, Cmid)> {
        self.in_flight.get(&id).copied()
    }

    /// Its event came by. `true`: it is under way on this connection, so that its answer will come too.
    pub fn seen(&mut self, room: RoomId, cmid: Cmid, seq: u64) -> bool {
        let item = self.rooms.get_mut(&room).and_then(|queue| queue.items.iter_mut().find(|item| item.cmid == cmid));
        item.is_some_and(|item| {
            item.seen = Some(seq);
            item.in_flight
        })
    }

    /// It is in the room. `false`: nobody was waiting for it.
    pub fn landed(&mut self, room: RoomId, cmid: Cmid) -> bool {
        if let Some(queue) = self.rooms.get_mut(&room) {
            queue.refused_in_a_row = 0;
        }
        self.remove(room, cmid).is_some()
    }

    /// It will never be in the room: whoever named it as `prev` names the one before.
    pub fn refused(&mut self, room: RoomId, cmid: Cmid) -> bool {
        let Some(gone) = self.remove(room, cmid) else { return false };
        let before = gone.fixed.and_then(|(_, prev)| prev);
        for item in self.rooms.get_mut(&room).into_iter().flat_map(|queue| &mut queue.items) {
            if let Some((_, prev)) = &mut item.fixed
                && *prev == Some(cmid)
            {
                *prev = before;
            }
        }
        true
    }

    /// A temporary refusal: resend later, together with what waits behind it.
    pub fn put_off(&mut self, id: u32, now_us: u64, retry_after_ms: Option<u32>) {
        let Some((room, cmid)) = self.in_flight.remove(&id) else { return };
        let Some(queue) = self.rooms.get_mut(&room) else { return };
        let doubled = WAIT_US_MIN << queue.refused_in_a_row.min(10);
        queue.refused_in_a_row += 1;
        let wait = retry_after_ms.map_or(doubled.min(WAIT_US_MAX), |ms| u64::from(ms) * 1000);
        queue.not_before = queue.not_before.max(now_us + wait);
        if let Some(item) = queue.items.iter_mut().find(|item| item.cmid == cmid) {
            item.in_flight = false;
        }
    }

    /// The connection is gone: all that was under way is to be sent again, but for what was seen in its room.
    pub fn lost(&mut self) -> Vec<(RoomId, Cmid, u64)> {
        self.in_flight.clear();
        let seen = |(room, queue): (&RoomId, &Queue)| {
            queue.items.iter().filter_map(|item| Some((*room, item.cmid, item.seen?))).collect::<Vec<_>>()
        };
        let landed: Vec<_> = self.rooms.iter().flat_map(seen).collect();
        for (room, cmid, _) in &landed {
            self.remove(*room, *cmid);
        }
        for queue in self.rooms.values_mut() {
            queue.not_before = 0;
            queue.refused_in_a_row = 0;
            queue.items.iter_mut().for_each(|item| item.in_flight = false);
        }
        landed
    }

    fn remove(&mut self, room: RoomId, cmid: Cmid) -> Option<Item> {
        self.in_flight.retain(|_, asked| *asked != (room, cmid));
        let queue = self.rooms.get_mut(&room)?;
        let place = queue.items.iter().position(|item| item.cmid == cmid)?;
        let item = queue.items.remove(place);
        if queue.items.is_empty() {
            self.rooms.remove(&room);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cmid(n: u8) -> Cmid {
        Cmid::from_bytes([n; 16])
    }
    fn room() -> RoomId {
        RoomId::from_bytes([1; 16])
    }
    fn post(text: &str) -> Act {
        Act::Post { text: text.to_owned(), reply: None, origin: None }
    }
    /// What `pump` sends: (id, cmid, after, prev).
    fn pumped(outbox: &mut Outbox, now_us: u64, head: u64) -> Vec<(u32, u8, u64, Option<u8>)> {
        let mut out = Vec::new();
        outbox.pump(now_us, |_| head, &mut out);
        let orders = out.iter().map(|frame| request::parts(frame).unwrap().0);
        orders.map(|o| (o.id, o.cmid.as_bytes()[0], o.after, o.prev.map(|p| p.as_bytes()[0]))).collect()
    }
    fn with(count: u8) -> Outbox {
        let mut outbox = Outbox::default();
        (1..=count).for_each(|n| outbox.push(room(), cmid(n), post("x")));
        outbox
    }

    #[test]
    fn a_resend_is_the_same_request_whatever_the_head_is_by_then() {
        let mut outbox = with(2);
        assert_eq!(pumped(&mut outbox, 0, 5), [(1, 1, 5, None), (2, 2, 5, Some(1))]);
        outbox.lost();
        assert_eq!(pumped(&mut outbox, 0, 9), [(3, 1, 5, None), (4, 2, 5, Some(1))]);
    }

    #[test]
    fn a_temporary_refusal_waits_and_keeps_the_order() {
        let mut outbox = with(3);
        pumped(&mut outbox, 0, 0);
        outbox.put_off(1, 0, Some(20));
        outbox.put_off(2, 0, None);
        assert_eq!(pumped(&mut outbox, 19_999, 0), []);
        assert_eq!(outbox.due_us(), Some(20_000));
        assert_eq!(pumped(&mut outbox, 20_000, 0), [(4, 1, 0, None), (5, 2, 0, Some(1))]);
        outbox.put_off(3, 20_000, Some(1));
        assert_eq!(pumped(&mut outbox, 21_000, 0), [(6, 3, 0, Some(2))]);
    }

    #[test]
    fn prev_passes_over_a_request_that_was_refused_for_good() {
        let mut outbox = with(3);
        pumped(&mut outbox, 0, 0);
        assert!(outbox.refused(room(), cmid(2)));
        outbox.lost();
        assert_eq!(pumped(&mut outbox, 0, 0), [(4, 1, 0, None), (5, 3, 0, Some(1))]);
    }

    #[test]
    fn what_was_seen_in_the_room_is_neither_named_nor_resent() {
        let mut outbox = with(1);
        pumped(&mut outbox, 0, 0);
        assert!(outbox.seen(room(), cmid(1), 8));
        outbox.push(room(), cmid(2), post("x"));
        assert_eq!(pumped(&mut outbox, 0, 8), [(2, 2, 8, None)]);
        assert_eq!(outbox.lost(), [(room(), cmid(1), 8)]);
        assert_eq!(pumped(&mut outbox, 0, 8), [(3, 2, 8, None)]);
    }

    #[test]
    fn no_more_are_under_way_than_the_node_allows() {
        let mut outbox = with(5);
        outbox.set_in_flight_max(2);
        assert_eq!(pumped(&mut outbox, 0, 0).len(), 2);
        assert_eq!(pumped(&mut outbox, 0, 0).len(), 0);
        assert!(outbox.landed(room(), cmid(1)) && !outbox.landed(room(), cmid(1)));
        assert_eq!(pumped(&mut outbox, 0, 1), [(3, 3, 1, Some(2))]);
        assert_eq!(outbox.count(), 4);
    }
}
