//! What is deleted is gone for everybody from the acknowledgement on: no later read of anybody has the text, nor that of an
//! edit of it, whether the projections have caught up, the node was started anew, or neither.

use actors::PageQuery;
use schema::client::{Act, Resume};
use schema::{Event, RoomId};

use crate::world::{World, order, post, user};

const SECRET: &str = "the text that must go";
const EDITED: &str = "the edit that must go too";

/// Everything that can be read of the room, in every way, by a member and by an operator.
async fn everything(world: &World, room: RoomId, connection: u32) -> String {
    let mut read = String::new();
    for query in [
        PageQuery { room, ..PageQuery::default() },
        PageQuery { room, after: Some(0), ..PageQuery::default() },
        PageQuery { room, around: Some(2), limit: Some(2), ..PageQuery::default() },
        PageQuery { room, before: Some(4), limit: Some(1), ..PageQuery::default() },
        PageQuery { room, at: Some(0), ..PageQuery::default() },
    ] {
        read += &format!("{:?}", world.node.history(user(2), query).await.unwrap());
    }
    read += &format!("{:?}", world.node.export(room, 0, 100).await.unwrap());
    world.attach(user(2), connection, vec![Resume { room, seq: 0 }]).await.unwrap();
    read += &format!("{:?}", world.greeted(connection).await);
    read
}

async fn said_and_deleted(world: &World) -> (RoomId, Vec<Event>) {
    let room = world.group(user(1), &[user(2)]).await;
    world.post(user(1), room, 1, SECRET).await.unwrap();
    world.act(user(1), order(room, 2), Act::Edit { target: 2, text: EDITED.into() }).await.unwrap();
    world.act(user(2), order(room, 3), post("a word between")).await.unwrap();
    (room, world.events(user(2), room).await)
}

fn is_gone(read: &str) {
    assert!(!read.contains(SECRET) && !read.contains(EDITED), "{read}");
    assert!(read.contains("a word between"));
}

#[tokio::test]
async fn a_deleted_text_is_unreadable_from_the_acknowledgement_on() {
    for carried_before in [false, true] {
        let world = World::new().await;
        let (room, before) = said_and_deleted(&world).await;
        assert!(format!("{before:?}").contains(SECRET) && format!("{before:?}").contains(EDITED), "the test looks where it was");
        if carried_before {
            world.node.flush().await.unwrap();
        }
        world.act(user(1), order(room, 4), Act::Delete { target: 2, reason: None }).await.unwrap();
        is_gone(&everything(&world, room, 1).await);
        world.node.flush().await.unwrap();
        is_gone(&everything(&world, room, 2).await);
        world.store.with(|core| core.restart());
        let again = World::on(world.store.clone()).await;
        is_gone(&everything(&again, room, 3).await);
    }
}

#[tokio::test]
async fn a_node_that_replays_its_journal_does_not_show_what_was_deleted_before_it_stopped() {
    let world = World::new().await;
    let (room, _) = said_and_deleted(&world).await;
    world.act(user(1), order(room, 4), Act::Delete { target: 2, reason: None }).await.unwrap();
    world.store.with(|core| core.restart());
    let again = World::on(world.store.clone()).await;
    is_gone(&everything(&again, room, 3).await);
}
