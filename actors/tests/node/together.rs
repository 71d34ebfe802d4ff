//! What comes together stays together: on its way to the journal, and on its way back to the lot.

use std::sync::Arc;

use actors::outlet::Down;
use actors::{Command, Reply};
use parking_lot::Mutex;
use schema::{RoomId, ServerEvent, SlotId};
use store::Journal;
use store::op::Op;
use store::sim::Fault;

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

#[tokio::test]
async fn rows_of_all_slots_are_carried_in_one_call() {
    let world = World::new().await;
    let mut rooms = Vec::new();
    for _ in 0..16 {
        rooms.push(world.group(user(1), &[user(2)]).await);
    }
    world.node.flush().await.unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (noted, before) = (calls.clone(), blocks(&world).await);
    world.store.set_faults(move |op| {
        noted.lock().push(matches!(op, Op::PutMany(_)));
        Fault::None
    });
    for room in rooms {
        world.post(user(1), room, 1, "hi").await.unwrap();
    }
    world.node.flush().await.unwrap();
    assert_eq!(blocks(&world).await, before + 16);
    let many = calls.lock().iter().filter(|is_many| **is_many).count();
    assert!(many <= 2, "{many} calls for the rows of 16 rooms in 4 slots");
}
