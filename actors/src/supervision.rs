//! What happens when an actor breaks: tests alone, since they have to break one from inside.

use std::sync::Arc;

use schema::client::{Act, Order};
use schema::{Cmid, ErrorCode, RoomId, RoomKind, RoomSettings, UserId, rest};
use store::Appended;
use store::sim::SimStore;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::room::RoomMessage;
use crate::slot::SlotMessage;
use crate::slot::core::Input;
use crate::{Command, Config, Node, Reply};

async fn node(store: &SimStore) -> Node {
    let config = Config { slots: 2, ..Config::default() };
    Node::start(config, Arc::new(store.clone()), Arc::new(store.clone()), Vec::new()).await.unwrap()
}

async fn act(node: &Node, order: Order, act: Act) -> Result<rest::Landed, ErrorCode> {
    loop {
        let (answer, answered) = oneshot::channel();
        node.command(Command { user: UserId::default(), order, act: act.clone(), reply: Reply::Once(answer) });
        match answered.await.unwrap() {
            Ok(landed) => return Ok(landed),
            Err(refusal) if refusal.code.is_temporary() => tokio::task::yield_now().await,
            Err(refusal) => return Err(refusal.code),
        }
    }
}

fn order(room: RoomId, after: u64) -> Order {
    Order { id: 0, room, cmid: Cmid(Uuid::now_v7()), after, prev: None }
}

fn post(text: &str) -> Act {
    Act::Post { text: text.into(), reply: None, origin: None }
}

async fn group(node: &Node) -> RoomId {
    let room = RoomId(Uuid::now_v7());
    let create = Act::Create { kind: RoomKind::Group, settings: RoomSettings::default(), members: Vec::new() };
    act(node, order(room, 0), create).await.unwrap();
    room
}

#[tokio::test]
async fn a_room_that_breaks_is_made_anew_and_asks_for_patience_only() {
    let node = node(&SimStore::default()).await;
    let room = group(&node).await;
    for n in 1..=10 {
        let events = node.export(room, 0, 1).await.unwrap().0;
        // An event that is there already: the room's own assertion fails.
        node.shared.tell_room(room, RoomMessage::Applied(vec![Arc::new(events[0].clone())]));
        assert_eq!(act(&node, order(room, n), post(&n.to_string())).await.unwrap().seq, n + 1);
    }
    assert_eq!(node.head(room).await.unwrap(), 11);
}

#[tokio::test]
async fn a_session_that_breaks_is_made_anew() {
    let node = node(&SimStore::default()).await;
    let room = group(&node).await;
    node.rooms(UserId::default()).await.unwrap();
    node.shared.sessions.for_each_awake(|_, session| session.kill());
    // Whoever asked the broken one is told to ask again.
    while node.rooms(UserId::default()).await.is_err() {}
    assert_eq!(node.rooms(UserId::default()).await.unwrap()[0].room, room);
}

#[tokio::test]
async fn a_slot_that_breaks_is_made_anew_with_its_rooms() {
    let node = node(&SimStore::default()).await;
    let room = group(&node).await;
    let slot = node.shared.reader.slot(room);
    // An answer that nobody waits for: the slot's own assertion fails.
    let input = Box::new(Input::Appended(Ok(Appended::Applied)));
    node.shared.slot(slot).cast(SlotMessage::Step { activation: 1, input }).unwrap();
    assert_eq!(act(&node, order(room, 1), post("still here")).await.unwrap().seq, 2);
}
