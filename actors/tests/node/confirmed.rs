//! A node that was cut off, or stopped, and does not know yet that its slots are another's.

use std::time::Duration;

use schema::{ErrorCode, SlotId};
use store::Journal;

use crate::world::{World, user};

/// Longer than a node believes without asking, shorter than what others may be behind.
const LATER: Duration = Duration::from_millis(3_500);
const HIGHER: u64 = u64::MAX;

async fn read(world: &World, room: schema::RoomId) -> Result<u64, ErrorCode> {
    let query = actors::PageQuery { room, after: Some(0), limit: Some(10), ..actors::PageQuery::default() };
    world.node.history(user(2), query).await.map(|page| page.head).map_err(|refused| refused.code)
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_the_store_knows_no_more_answers_no_reads_after_its_time() {
    let world = World::new().await;
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
