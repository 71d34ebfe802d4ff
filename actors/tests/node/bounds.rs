//! What a node takes on at most, when the store does not keep up: `busy` at the bound, others go on, nothing leaks.

use actors::{Config, Load};
use cluster::{Kind, NodeId, Ring, Table};
use schema::{ErrorCode, RoomId, SlotId};
use store::op::Op;
use store::sim::{Fault, SimStore};

use crate::world::{World, order, post, user};

const SLOTS: u16 = 4;
/// A message of this text, and what it weighs as a request at most.
const TEXT_BYTES: usize = 15_000;
const REQUEST_BYTES_MAX: usize = 16_000;

fn slot_of(room: RoomId) -> SlotId {
    Ring::new(NodeId(1), Table::alone(NodeId(1), 1, SLOTS)).slot(Kind::Room, room.as_bytes())
}

/// `count` groups in one slot.
async fn groups_in(world: &World, slot: SlotId, count: usize) -> Vec<RoomId> {
    let mut rooms = Vec::new();
    while rooms.len() < count {
        let room = world.group(user(1), &[]).await;
        if slot_of(room) == slot {
            rooms.push(room);
        }
    }
    rooms
}

fn long() -> String {
    "x".repeat(TEXT_BYTES)
}

/// Waits for what other actors do.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("what the test waits for does not come");
}

#[tokio::test]
async fn a_slot_whose_appends_are_not_answered_is_busy_at_its_bound_and_the_others_go_on() {
    let config = Config { slots: SLOTS, slot_bytes_max: 4 * REQUEST_BYTES_MAX, ..Config::default() };
    let world = World::with(config, SimStore::default()).await;
    let (stuck, other) = (groups_in(&world, SlotId(0), 2).await, groups_in(&world, SlotId(1), 1).await[0]);
    world.store.set_faults(|op| match op {
        Op::Append(append) if append.slot == SlotId(0) => Fault::Slow,
        _ => Fault::None,
    });
    let waiting: Vec<_> = (0..4).map(|n| world.ask(user(1), order(stuck[n % 2], 1), post(&long()))).collect();
    let refused = world.ask(user(1), order(stuck[0], 1), post(&long())).try_recv().expect("refused at once").unwrap_err();
    assert_eq!((refused.code, refused.retry_after_ms.is_some()), (ErrorCode::Busy, true));
    assert!(refused.message.contains("part of the store"), "{}", refused.message);
    assert!(world.node.load().waiting_slot_bytes > 4 * TEXT_BYTES);
    for n in 1..=8 {
        world.post(user(1), other, n, &long()).await.unwrap();
    }
    until(|| !world.store.held().is_empty()).await;
    world.store.set_faults(|_| Fault::None);
    world.store.release_all();
    for answered in waiting {
        answered.await.unwrap().unwrap();
    }
    assert_eq!((world.node.load().waiting_slot_bytes, world.node.load().waiting_bytes), (0, 0));
    world.post(user(1), stuck[0], 1, "and on").await.unwrap();
}

#[tokio::test]
async fn a_node_whose_store_does_not_answer_is_busy_at_its_bound_whatever_the_slot() {
    let config = Config { slots: SLOTS, node_bytes_max: 4 * REQUEST_BYTES_MAX, ..Config::default() };
    let world = World::with(config, SimStore::default()).await;
    let mut rooms = Vec::new();
    for slot in 0..SLOTS {
        rooms.extend(groups_in(&world, SlotId(slot), 1).await);
    }
    world.store.set_faults(|op| if matches!(op, Op::Append(_)) { Fault::Slow } else { Fault::None });
    let waiting: Vec<_> = rooms.iter().map(|room| world.ask(user(1), order(*room, 1), post(&long()))).collect();
    for room in &rooms {
        let refused = world.ask(user(1), order(*room, 1), post(&long())).try_recv().expect("refused at once").unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
    }
    until(|| world.store.held().len() == rooms.len()).await;
    world.store.set_faults(|_| Fault::None);
    world.store.release_all();
    for answered in waiting {
        answered.await.unwrap().unwrap();
    }
    assert_eq!(world.node.load().waiting_bytes, 0);
}

#[tokio::test]
async fn every_way_out_gives_back_what_was_taken() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    let waiting = || world.node.load().waiting_bytes;
    assert_eq!(world.post(user(9), room, 0, &long()).await, Err(ErrorCode::NotFound));
    assert_eq!(waiting(), 0, "refused by a rule");
    // Whoever asked does not wait any more; the request still has its place until it is done.
    world.store.set_faults(|op| if matches!(op, Op::Append(_)) { Fault::Slow } else { Fault::None });
    drop(world.ask(user(1), order(room, 1), post(&long())));
    until(|| !world.store.held().is_empty()).await;
    assert!(waiting() > TEXT_BYTES);
    world.store.release_all();
    until(|| waiting() == 0).await;
    world.store.set_faults(|_| Fault::None);
    world.store.fail_reads(usize::MAX);
    assert_eq!(world.post(user(1), RoomId::from_bytes([7; 16]), 0, &long()).await, Err(ErrorCode::Unavailable));
    world.store.fail_reads(0);
    assert_eq!(waiting(), 0, "of a room that could not wake");
    world.store.set_faults(|op| if matches!(op, Op::Append(_)) { Fault::ReadOnly } else { Fault::None });
    assert_eq!(world.post(user(1), room, 2, &long()).await, Err(ErrorCode::ReadOnly));
    assert_eq!(waiting(), 0, "of a slot that stopped");
}

#[tokio::test(start_paused = true)]
async fn above_the_watermarks_of_the_node_appends_wait_until_the_projections_have_followed() {
    let bound = 4 * REQUEST_BYTES_MAX;
    let world = World::with(Config { slots: SLOTS, node_tail_bytes_max: bound, ..Config::default() }, SimStore::default()).await;
    let mut rooms = Vec::new();
    for slot in 0..SLOTS {
        rooms.extend(groups_in(&world, SlotId(slot), 1).await);
    }
    world.node.flush().await.unwrap();
    assert_eq!(world.node.load(), Load::default());
    world.store.set_faults(|op| if matches!(op, Op::PutMany(_)) { Fault::Slow } else { Fault::None });
    for room in &rooms {
        world.post(user(1), *room, 1, &long()).await.unwrap();
    }
    let waiting: Vec<_> = rooms.iter().map(|room| world.ask(user(1), order(*room, 2), post(&long()))).collect();
    until(|| world.node.load().appends_waiting == rooms.len()).await;
    let full = world.node.load();
    assert!(full.tail_bytes > 4 * TEXT_BYTES && full.tail_bytes <= bound, "{full:?}");
    world.store.set_faults(|_| Fault::None);
    world.store.release_all();
    for answered in waiting {
        answered.await.unwrap().unwrap();
    }
    world.node.flush().await.unwrap();
    assert_eq!(world.node.load(), Load::default());
}

#[tokio::test]
async fn a_take_over_counts_what_is_above_the_watermark_already() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    for n in 1..=4 {
        world.post(user(1), room, n, &long()).await.unwrap();
    }
    let above = world.node.load().tail_bytes;
    assert!(above > 4 * TEXT_BYTES);
    world.store.with(|core| core.restart());
    let next = World::on(world.store.clone()).await;
    assert_eq!(next.node.load().tail_bytes, above);
    next.node.flush().await.unwrap();
    assert_eq!(next.node.load().tail_bytes, 0);
}

#[tokio::test]
async fn a_node_that_is_short_of_memory_gives_up_the_least_important_first() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    let page = || world.node.history(user(1), actors::PageQuery { room, ..actors::PageQuery::default() });
    world.node.shed(1);
    assert!(page().await.is_ok() && world.post(user(1), room, 1, "still").await.is_ok());
    world.node.shed(2);
    assert_eq!(page().await.unwrap_err().code, ErrorCode::Busy);
    world.post(user(1), room, 2, "and still").await.unwrap();
    world.node.shed(3);
    assert_eq!(world.post(user(1), room, 3, "not now").await, Err(ErrorCode::Busy));
    world.attach(user(1), 1, Vec::new()).await.unwrap();
    world.node.shed(0);
    assert!(page().await.is_ok() && world.post(user(1), room, 3, "again").await.is_ok());
}
