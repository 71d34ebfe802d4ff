//! What happens when an actor breaks: tests alone, since they have to break one from inside.

use std::sync::Arc;

use schema::client::{Act, Order};
use schema::server::Refusal;
use schema::{Cmid, ConnectionId, ErrorCode, RoomId, RoomKind, RoomSettings, ServerEvent, UserId, rest};
use store::Appended;
use store::op::Op;
use store::sim::{Fault, SimStore};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::outlet::{Down, Outlet};
use crate::room::RoomMessage;
use crate::slot::SlotMessage;
use crate::slot::core::Input;
use crate::{Command, Config, Node, Reply};

async fn node(store: &SimStore) -> Node {
    node_with(store, Vec::new()).await
}

async fn node_with(store: &SimStore, outlets: Vec<Outlet>) -> Node {
    let config = Config { slots: 2, ..Config::default() };
    Node::start(config, Arc::new(store.clone()), Arc::new(store.clone()), outlets).await.unwrap()
}

fn ask(node: &Node, order: Order, act: Act) -> oneshot::Receiver<Result<rest::Landed, Refusal>> {
    let (answer, answered) = oneshot::channel();
    node.command(Command { user: UserId::default(), order, act, reply: Reply::Once(answer) });
    answered
}

/// An event that is there already is applied once more: the room's own assertion fails.
async fn break_room(node: &Node, room: RoomId) -> impl Fn() {
    let first = Arc::new(node.export(room, 0, 1).await.unwrap().events.remove(0));
    let shared = node.shared.clone();
    move || shared.tell_room(room, RoomMessage::Applied(vec![first.clone()]))
}

async fn act(node: &Node, order: Order, act: Act) -> Result<rest::Landed, ErrorCode> {
    loop {
        match ask(node, order, act.clone()).await.unwrap() {
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
    let break_room = break_room(&node, room).await;
    for n in 1..=10 {
        break_room();
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

#[tokio::test]
async fn what_a_room_had_sent_before_its_failure_was_heard_is_not_journaled() {
    let node = node(&SimStore::default()).await;
    let room = group(&node).await;
    let break_room = break_room(&node, room).await;
    // Both are in its mailbox before it runs: the slot hears of the failure before it reads what the room had sent.
    let lost = ask(&node, order(room, 1), post("of a room that is gone"));
    break_room();
    assert!(lost.await.unwrap().unwrap_err().code.is_temporary());
    assert_eq!(act(&node, order(room, 1), post("next")).await.unwrap().seq, 2);
    assert_eq!(node.head(room).await.unwrap(), 2);
}

#[tokio::test]
async fn what_landed_of_a_room_that_failed_before_it_showed_it_is_shown() {
    let (store, outlet) = (SimStore::default(), Outlet::new(0, 1 << 20, || {}));
    let node = node_with(&store, vec![outlet.clone()]).await;
    let room = group(&node).await;
    let break_room = break_room(&node, room).await;
    let connection = ConnectionId { lot: 0, generation: 0, index: 1 };
    assert!(node.shared.join(UserId::default(), room, connection).await.unwrap().is_some());
    store.set_faults(|op| if matches!(op, Op::Append(_)) { Fault::Slow } else { Fault::None });
    let unanswered = ask(&node, order(room, 1), post("landed"));
    let ticket = loop {
        let append = store.held().into_iter().find(|(_, op)| matches!(op, Op::Append(_)));
        match append {
            Some((ticket, _)) => break ticket,
            None => tokio::task::yield_now().await,
        }
    };
    store.set_faults(|_| Fault::None);
    // It lands, and the slot says so to the room, whose mailbox holds its end already.
    store.with(|core| core.release(ticket));
    let input = Box::new(Input::Appended(Ok(Appended::Applied)));
    node.shared.slot(node.shared.reader.slot(room)).cast(SlotMessage::Step { activation: 1, input }).unwrap();
    break_room();
    assert!(unanswered.await.unwrap().unwrap_err().code.is_temporary());
    assert_eq!(act(&node, order(room, 2), post("next")).await.unwrap().seq, 3);
    assert_eq!(shown(&outlet), [2, 3]);
}

/// The seqs that the lot was shown, in order.
fn shown(outlet: &Outlet) -> Vec<u64> {
    let mut told = Vec::new();
    outlet.take(&mut told);
    let events = told.into_iter().filter_map(|down| match down {
        Down::Batch { events, .. } => Some(events),
        _ => None,
    });
    let seq = |event: &ServerEvent| if let ServerEvent::Event(event) = event { Some(event.seq) } else { None };
    events.flatten().filter_map(|event| seq(event.event())).collect()
}
