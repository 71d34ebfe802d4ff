//! A node that was cut off, or stopped, and does not know yet that its slots are another's.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actors::Config;
use actors::peer::{Peers, Reach};
use bytes::Bytes;
use cluster::NodeId;
use schema::{ErrorCode, SlotId};
use store::Journal;
use store::op::Op;
use store::sim::{Fault, SimStore};

use crate::world::{World, user};

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
    for slot in 0..4 {
        world.store.fence(SlotId(slot), HIGHER).await.unwrap();
    }
    tokio::time::advance(LATER).await;
    assert_eq!(read(&world, room).await, Err(ErrorCode::Unavailable));
    assert!(world.attach(user(2), 1, Vec::new()).await.is_err(), "nor does it say where the rooms are");
}
