//! Places for requests that have no answer yet: of a room, of its slot, of the node. Who finds none is told `busy` at once,
//! before a room hears of it.
//!
//! A request takes its places here and carries them in its answer-to-be. They are given back when that is answered or
//! dropped, whatever becomes of the room and the slot. Does not know what is asked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use schema::{ErrorCode, RoomId, SlotId};

use crate::error::Refused;

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub room_requests_max: usize,
    pub room_bytes_max: usize,
    pub slot_bytes_max: usize,
    pub node_bytes_max: usize,
}

/// Which bound was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    Room,
    Slot,
    Node,
}

impl From<Full> for Refused {
    fn from(full: Full) -> Self {
        let why = match full {
            Full::Room => ErrorCode::Busy.sentence(),
            Full::Slot => "the room's part of the store has more waiting than it may: resend later",
            Full::Node => "the node has more waiting than it may: resend later",
        };
        Self { code: ErrorCode::Busy, why }
    }
}

#[derive(Debug)]
pub struct Admission {
    bounds: Bounds,
    rooms: Rooms,
    slots: Vec<Arc<Gate>>,
    node: Arc<Gate>,
}

/// The places of one request.
#[derive(Debug)]
pub struct Permit {
    _room: Place,
    _slot: Place,
    _node: Place,
}

impl Admission {
    pub fn new(bounds: Bounds, slots: u16) -> Self {
        Self { bounds, rooms: Rooms::default(), slots: (0..slots).map(|_| Arc::default()).collect(), node: Arc::default() }
    }

    pub fn enter(&self, room: RoomId, slot: SlotId, bytes: usize) -> Result<Permit, Full> {
        let Bounds { room_requests_max, room_bytes_max, slot_bytes_max, node_bytes_max } = self.bounds;
        Ok(Permit {
            _room: self.rooms.of(room).enter(bytes, room_requests_max, room_bytes_max).ok_or(Full::Room)?,
            _slot: self.slots[usize::from(slot.0)].enter(bytes, usize::MAX, slot_bytes_max).ok_or(Full::Slot)?,
            _node: self.node.enter(bytes, usize::MAX, node_bytes_max).ok_or(Full::Node)?,
        })
    }

    /// Bytes of what waits on the node.
    pub fn node_bytes(&self) -> usize {
        self.node.bytes.load(Ordering::Relaxed)
    }
    /// The same of the slot that has the most.
    pub fn slot_bytes_most(&self) -> usize {
        self.slots.iter().map(|slot| slot.bytes.load(Ordering::Relaxed)).max().unwrap_or(0)
    }
}

/// What waits for one room, or slot, or on the node.
#[derive(Debug, Default)]
struct Gate {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A place behind a gate; dropping it gives it back.
#[derive(Debug)]
struct Place {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Gate {
    /// Exact: whoever fits comes in, and the bounds are never passed.
    fn enter(self: &Arc<Self>, bytes: usize, requests_max: usize, bytes_max: usize) -> Option<Place> {
        raise(&self.requests, 1, requests_max)?;
        if raise(&self.bytes, bytes, bytes_max).is_none() {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Place { gate: self.clone(), bytes })
    }
}

fn raise(count: &AtomicUsize, by: usize, max: usize) -> Option<()> {
    let raised = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| now.checked_add(by).filter(|next| *next <= max));
    raised.ok().map(drop)
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.requests.fetch_sub(1, Ordering::Relaxed);
        self.gate.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The gates of the rooms that have something waiting.
#[derive(Debug)]
struct Rooms(Vec<Mutex<HashMap<RoomId, Weak<Gate>>>>);

impl Default for Rooms {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

const SHARDS: usize = 64;

impl Rooms {
    fn of(&self, room: RoomId) -> Arc<Gate> {
        let id = room.as_bytes();
        let mut shard = self.0[(usize::from(id[15]) ^ usize::from(id[7])) % SHARDS].lock();
        if let Some(gate) = shard.get(&room).and_then(Weak::upgrade) {
            return gate;
        }
        if shard.len() >= shard.capacity() {
            shard.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = Arc::new(Gate::default());
        shard.insert(room, Arc::downgrade(&gate));
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { room_requests_max: 4, room_bytes_max: 100, slot_bytes_max: 150, node_bytes_max: 200 };

    fn room(n: u8) -> RoomId {
        RoomId::from_bytes([n; 16])
    }

    #[test]
    fn each_bound_is_met_exactly_and_named() {
        let admission = Admission::new(BOUNDS, 2);
        let enter = |n, slot, bytes| admission.enter(room(n), SlotId(slot), bytes);
        let _full_room = enter(1, 0, 100).unwrap();
        assert_eq!(enter(1, 0, 1).unwrap_err(), Full::Room);
        let _full_slot = enter(2, 0, 50).unwrap();
        assert_eq!(enter(3, 0, 1).unwrap_err(), Full::Slot);
        let _full_node = enter(4, 1, 50).unwrap();
        assert_eq!(enter(5, 1, 1).unwrap_err(), Full::Node);
        assert_eq!((admission.slot_bytes_most(), admission.node_bytes()), (150, 200), "who was turned away left nothing behind");
    }

    #[test]
    fn a_room_takes_so_many_requests_however_small() {
        let admission = Admission::new(BOUNDS, 1);
        let mut held: Vec<Permit> = (0..4).map(|_| admission.enter(room(1), SlotId(0), 1).unwrap()).collect();
        assert_eq!(admission.enter(room(1), SlotId(0), 1).unwrap_err(), Full::Room);
        held.pop();
        held.push(admission.enter(room(1), SlotId(0), 1).unwrap());
        drop(held);
        assert_eq!((admission.slot_bytes_most(), admission.node_bytes()), (0, 0));
    }

    #[test]
    fn many_at_once_never_pass_a_bound_and_leave_nothing() {
        let admission = Admission::new(Bounds { room_requests_max: usize::MAX, ..BOUNDS }, 2);
        std::thread::scope(|threads| {
            for n in 0..4 {
                let admission = &admission;
                threads.spawn(move || {
                    for turn in 0..10_000 {
                        let permit = admission.enter(room(n), SlotId(turn % 2), 30);
                        assert!(admission.node_bytes() <= 200 && admission.slot_bytes_most() <= 150);
                        drop(permit);
                    }
                });
            }
        });
        assert_eq!((admission.slot_bytes_most(), admission.node_bytes()), (0, 0));
    }
}
