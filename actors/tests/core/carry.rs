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
    carried_while(blocks, 0)
}

/// The same; the first slot gets as many blocks again as it is rid of, up to `more`.
fn carried_while(blocks: &[u64], more: u64) -> Vec<(u16, u64)> {
    let store = SimStore::default();
    let slots = blocks.len() as u16;
    let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, slots)));
    let reader = Reader::new(Arc::new(store.clone()), ring);
    let push = |reader: &Reader, slot: SlotId, block: u64| {
        reader.slot_tail(slot).push(block, (0..100).map(|n| event(slot, (block - 1) * 100 + n + 1)).collect());
    };
    for (slot, blocks) in (0..slots).map(SlotId).zip(blocks) {
        (1..=*blocks).for_each(|block| push(&reader, slot, block));
    }
    let order = Arc::new(Mutex::new(Vec::new()));
    let (told, kept_full, first_blocks) = (order.clone(), reader.clone(), blocks[0]);
    let pushed = Mutex::new(first_blocks);
    let projected = Box::new(move |slot: SlotId, block: u64| {
        told.lock().push((slot.0, block));
        let mut pushed = pushed.lock();
        while slot == SlotId(0) && *pushed < first_blocks + block.min(more) {
            *pushed += 1;
            push(&kept_full, slot, *pushed);
        }
    });
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
    // Of a round's 4,096 events the quiet ones have a quarter: 31 blocks are the first to reach the rest, and all as soon as
    // nobody else has any.
    assert_eq!(carried(&[30, 90, 1]), [(1, 31), (0, 10), (2, 1), (1, 62), (0, 21), (1, 90), (0, 30)]);
    assert_eq!(carried(&[90]), [(0, 41), (0, 82), (0, 90)]);
}

#[test]
fn quiet_slots_are_carried_together() {
    assert_eq!(carried(&[1, 0, 2, 1]).len(), 3);
}

#[test]
fn a_quiet_slot_has_its_turn_while_a_full_one_stays_full() {
    let carried = carried_while(&[90, 3, 1], 2_000);
    assert_eq!(carried[..3], [(0, 37), (1, 3), (2, 1)], "in the first round");
    assert!(carried.len() < 10, "and it ends: what came meanwhile is the next one's");
}
