//! A node that was cut off, or stopped, and does not know yet that its slots are another's.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actors::Config;
use actors::peer::{Peers, Reach};
use bytes::Bytes;
use cluster::NodeId;
use schema::client::{Act, Resume};
use schema::wire::Format;
use schema::{ErrorCode, SlotId};
use store::Journal;
use store::op::Op;
use store::sim::{Fault, SimStore};

use crate::world::{World, order, user};

/// Longer than a node believes without asking, shorter than what others may be behind.
const LATER: Duration = Duration::from_millis(3_500);
const HIGHER: u64 = u64::MAX;

async fn read(world: &World, room: schema::RoomId) -> Result<u64, ErrorCode> {
    let query = actors::PageQuery { room, after: Some(0), limit: Some(10), ..actors::PageQuery::default() };
    world.node.history(user(2), query).await.map(|page| page.head).map_err(|refused| refused.code)
}

/// There may be others, and none is heard.
struct Silence;

impl Reach for Silence {
    fn say(&self, _: NodeId, _: Bytes) -> bool {
        false
    }
    fn ask(&self, _: NodeId, _: Bytes, _: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> {
        Box::pin(std::future::ready(None))
    }
    fn up(&self) -> Vec<NodeId> {
        Vec::new()
    }
    fn knows_table(&self, _: u64) {}
}

/// Another node has every slot.
async fn take_all(world: &World) {
    for slot in 0..4 {
        world.store.fence(SlotId(slot), HIGHER).await.unwrap();
    }
}

async fn cut_off() -> World {
    let peers = Arc::<Peers>::default();
    peers.reach_by(Arc::new(Silence));
    World::among(peers, Config { slots: 4, ..Config::default() }, SimStore::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_alone_on_its_store_is_not_made_to_ask_it_whose_a_slot_is() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    world.store.set_faults(move |op| {
        count.fetch_add(usize::from(matches!(op, Op::Fence { .. })), Ordering::Relaxed);
        Fault::None
    });
    tokio::time::advance(LATER).await;
    assert_eq!(read(&world, room).await, Ok(1));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_the_store_knows_no_more_answers_no_reads_after_its_time() {
    let world = cut_off().await;
    let room = world.group(user(1), &[user(2)]).await;
    tokio::time::advance(LATER).await;
    assert_eq!(read(&world, room).await, Ok(1), "the store says that it is still its own");
    take_all(&world).await;
    tokio::time::advance(LATER).await;
    assert_eq!(read(&world, room).await, Err(ErrorCode::Unavailable));
    assert!(world.attach(user(2), 1, Vec::new()).await.is_err(), "nor does it say where the rooms are");
}

#[tokio::test(start_paused = true)]
async fn nor_does_it_answer_from_memory_or_list_rooms() {
    let world = cut_off().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.attach(user(2), 1, Vec::new()).await.unwrap();
    let query = actors::PageQuery { room, after: Some(0), limit: Some(10), ..actors::PageQuery::default() };
    let page = async || world.node.page(user(2), query, Format::Json).await.map(|page| page.head).map_err(|refused| refused.code);
    let at_hand = || world.node.page_at_hand(user(2), query, Format::Json).map(|page| page.head);
    assert_eq!((page().await, at_hand()), (Ok(1), Some(1)));
    assert_eq!(world.node.rooms(user(2)).await.unwrap().len(), 1);
    tokio::time::advance(LATER).await;
    assert_eq!(at_hand(), None, "the store was not asked for so long");
    assert_eq!((page().await, at_hand()), (Ok(1), Some(1)));
    take_all(&world).await;
    tokio::time::advance(LATER).await;
    assert_eq!((at_hand(), page().await), (None, Err(ErrorCode::Unavailable)));
    assert_eq!(world.node.rooms(user(2)).await.map(|rooms| rooms.len()), Err(ErrorCode::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_final_refusal_is_given_only_by_who_has_the_room_at_that_moment() {
    let world = cut_off().await;
    let room = world.group(user(1), &[user(2)]).await;
    let react = |user, target, after| world.act(user, order(room, after), Act::React { target, emoji: "+1".into(), on: true });
    assert_eq!(react(user(2), 7, 1).await.unwrap_err(), ErrorCode::NotFound);
    assert_eq!(react(user(3), 1, 1).await.unwrap_err(), ErrorCode::NotFound, "a stranger");
    take_all(&world).await;
    // At once: what is good enough for a read is not good enough for an answer that is the last one.
    assert_eq!(react(user(2), 7, 1).await.unwrap_err(), ErrorCode::Unavailable, "somebody may have said it elsewhere");
    assert_eq!(react(user(3), 1, 1).await.unwrap_err(), ErrorCode::Unavailable, "they may have been let in elsewhere");
    assert_eq!(react(user(2), 1, 9).await.unwrap_err(), ErrorCode::Unavailable, "the room may be that far elsewhere");
}

#[tokio::test(start_paused = true)]
async fn who_knows_more_of_a_room_than_a_node_that_lost_it_is_not_greeted_there() {
    let world = cut_off().await;
    let room = world.group(user(1), &[user(2)]).await;
    let resume = |seq| vec![Resume { room, seq }];
    world.attach(user(2), 1, resume(1)).await.unwrap();
    world.attach(user(2), 2, resume(9)).await.expect("there is no more of it anywhere");
    take_all(&world).await;
    world.attach(user(2), 3, resume(1)).await.unwrap();
    let refused = world.attach(user(2), 4, resume(2)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
}
