//! Who hears of a room on this node, and what is left when nobody does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use actors::outlet::Outlet;
use actors::read::Reader;
use actors::subscribers::Subscribers;
use cluster::{NodeId, Ring, Table};

use crate::world::{World, at, user};

#[tokio::test]
async fn a_join_that_is_given_up_leaves_nothing_behind() {
    let world = World::new().await;
    let room = world.group(user(1), &[]).await;
    world.node.flush().await.unwrap();
    let reader = Reader::new(Arc::new(world.store.clone()), Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), 1, 4))));
    let subscribers = Subscribers::new(vec![Outlet::new(0, 1 << 20, || {})]);
    world.store.stall_reads(true);
    {
        let join = pin!(subscribers.join(&reader, room, at(1)));
        assert!(join.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    world.store.stall_reads(false);
    assert!(subscribers.join(&reader, room, at(2)).await.unwrap().is_some());
    subscribers.left(room, 0, 1);
    assert!(subscribers.view(room).is_none(), "the last one who watched the room has gone");
}
