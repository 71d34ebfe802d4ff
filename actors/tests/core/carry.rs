//! Which slots the projector carries first, and how much of them at once: an append that waits for its slot's projections
//! waits for one short round, whatever else the node has to carry.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actors::project::Projector;
use actors::read::Reader;
use cluster::{NodeId, Ring, Table};
use parking_lot::Mutex;
use schema::event::Message;
use schema::{Cmid, Event, EventBody, RoomId, SlotId, UserId};
use store::SimStore;
use uuid::Uuid;

/// Carries slots that hold so many blocks of a hundred events each, and says in which order which blocks were reached.
fn carried(blocks: &[u64]) -> Vec<(u16, u64)> {
    let store = SimStore::default();
    let slots = blocks.len() as u16;
    let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, slots)));
    let reader = Reader::new(Arc::new(store.clone()), ring);
    for (slot, blocks) in (0..slots).map(SlotId).zip(blocks) {
        for block in 1..=*blocks {
            reader.slot_tail(slot).push(block, (0..100).map(|n| event(slot, (block - 1) * 100 + n + 1)).collect());
        }
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let told = order.clone();
    let projected = Box::new(move |slot: SlotId, block| told.lock().push((slot.0, block)));
    let projector = Projector { reader, journal: Arc::new(store), bell: Arc::default(), slots, projected };
    let Poll::Ready(done) = pin!(projector.carry()).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the simulated store answers at once")
    };
    done.unwrap();
    order.lock().clone()
}

fn event(slot: SlotId, seq: u64) -> Arc<Event> {
    let body = EventBody::Message(Message { text: "x".into(), reply: None, origin: None });
    let room = RoomId(Uuid::from_u128(u128::from(slot.0) + 1));
    let cmid = Cmid(Uuid::from_u128(u128::from(seq) | 7 << 76));
    Arc::new(Event { room, seq, ordinal: seq, at: seq, user: UserId::default(), cmid, body })
}

#[test]
fn the_fullest_slots_have_their_turn_first_and_no_turn_is_long() {
    // 41 blocks are the first to reach a round's 4,096 events.
    assert_eq!(carried(&[30, 90, 1]), [(1, 41), (1, 82), (0, 30), (1, 90), (2, 1)]);
}

#[test]
fn quiet_slots_are_carried_together() {
    assert_eq!(carried(&[1, 0, 2, 1]).len(), 3);
}
