//! What comes together stays together: on its way to the journal, and on its way back to the lot.

use actors::outlet::Down;
use actors::{Command, Reply};
use schema::{RoomId, ServerEvent, SlotId};
use store::Journal;

use crate::world::{World, at, order, post, user};

/// Blocks of all slots.
async fn blocks(world: &World) -> usize {
    let mut count = 0;
    for slot in (0..4).map(SlotId) {
        count += world.store.read(slot, 1, 1_000).await.unwrap().len();
    }
    count
}

fn command(room: RoomId, id: u32) -> Command {
    Command { user: user(1), order: order(room, 1), act: post("hi"), reply: Reply::Connection { connection: at(0), id } }
}

#[tokio::test]
async fn requests_that_come_together_are_one_block_and_come_back_as_one_batch_behind_their_answers() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.attach(user(1), 0, Vec::new()).await.unwrap();
    world.greeted(0).await;
    let before = blocks(&world).await;
    world.node.commands((1..=4).map(|id| command(room, id)));
    let words = world.found_at_once(|down| matches!(down, Down::Send { .. } | Down::Batch { .. })).await;
    let kinds: Vec<String> = words.iter().map(kind).collect();
    assert_eq!(kinds, ["ok", "ok", "ok", "ok", "batch of 4"]);
    assert_eq!(blocks(&world).await, before + 1);
}

fn kind(down: &Down) -> String {
    match down {
        Down::Send { event, .. } if matches!(event.event(), ServerEvent::Ok(_)) => "ok".to_owned(),
        Down::Batch { events, .. } => format!("batch of {}", events.len()),
        other => format!("{other:?}"),
    }
}
