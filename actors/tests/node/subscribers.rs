//! Who hears of a room on this node, and what is left when nobody does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use actors::outlet::{Down, Outlet};
use actors::read::Reader;
use actors::subscribers::Subscribers;
use cluster::{NodeId, Ring, Table};
use schema::{Event, EventBody};

use crate::world::{World, at, user};

#[tokio::test]
async fn who_is_removed_while_they_are_looked_up_is_shown_nothing() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.node.flush().await.unwrap();
    let reader = Reader::new(Arc::new(world.store.clone()), Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, 4))));
    reader.slot_tail(reader.slot(room)).open(1, Vec::new());
    let outlet = Outlet::new(0, 1 << 20, || {});
    let subscribers = Subscribers::new(vec![outlet.clone()], Arc::default());
    assert!(subscribers.join(&reader, user(1), room, at(2)).await.unwrap().is_some());
    world.store.stall_reads(true);
    let mut join = pin!(subscribers.join(&reader, user(2), room, at(1)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(join.as_mut().poll(&mut context).is_pending(), "the tail has been asked, the store has not answered");
    let body = EventBody::Member { user: user(2), role: None, members: 1 };
    let removal = Arc::new(Event { room, seq: 2, ordinal: 0, at: 1, user: user(1), cmid: Default::default(), body });
    reader.slot_tail(reader.slot(room)).push(1, vec![removal.clone()]);
    subscribers.show(room, &[removal]);
    world.store.stall_reads(false);
    assert_eq!(join.await.unwrap(), None);
    let mut told = Vec::new();
    outlet.take(&mut told);
    assert!(!told.iter().any(|down| matches!(down, Down::Join { connection, .. } if *connection == at(1))), "{told:?}");
}

#[tokio::test]
async fn a_join_that_is_given_up_leaves_nothing_behind() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    world.node.flush().await.unwrap();
    let reader = Reader::new(Arc::new(world.store.clone()), Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, 4))));
    reader.slot_tail(reader.slot(room)).open(1, Vec::new());
    let subscribers = Subscribers::new(vec![Outlet::new(0, 1 << 20, || {})], Arc::default());
    world.store.stall_reads(true);
    {
        let join = pin!(subscribers.join(&reader, user(1), room, at(1)));
        assert!(join.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    world.store.stall_reads(false);
    assert!(subscribers.join(&reader, user(1), room, at(2)).await.unwrap().is_some());
    subscribers.left(room, 0, 1);
    assert!(subscribers.view(room).is_none(), "the last one who watched the room has gone");
}

#[tokio::test]
async fn a_hole_is_shown_to_nobody_and_whoever_has_the_room_comes_again() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    world.node.flush().await.unwrap();
    let reader = Reader::new(Arc::new(world.store.clone()), Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, 4))));
    reader.slot_tail(reader.slot(room)).open(1, Vec::new());
    let outlet = Outlet::new(0, 1 << 20, || {});
    let subscribers = Subscribers::new(vec![outlet.clone()], Arc::default());
    assert_eq!(subscribers.join(&reader, user(1), room, at(1)).await.unwrap().map(|view| view.head), Some(1));
    let body = EventBody::React { target: 1, emoji: "+1".into(), on: true };
    let third = Arc::new(Event { room, seq: 3, ordinal: 0, at: 2, user: user(1), cmid: Default::default(), body });
    subscribers.show(room, &[third]);
    let mut told = Vec::new();
    outlet.take(&mut told);
    assert!(matches!(told[..], [Down::Join { .. }, Down::Lose { room: of, .. }] if of == room), "{told:?}");
    assert!(subscribers.view(room).is_none(), "whoever comes next finds the room as it is");
}
