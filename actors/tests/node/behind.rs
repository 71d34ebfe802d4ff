//! What was shown here of a room is not all there is of it: nobody begins there.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actors::outlet::Outlet;
use actors::peer::{Peers, Reach};
use actors::read::{Reader, View};
use actors::subscribers::Subscribers;
use bytes::Bytes;
use cluster::{NodeId, Placement, Ring, Table};
use schema::peer::Answer;
use schema::wire::to_msgpack;
use schema::{Event, EventBody, RoomId, SlotId};
use tokio::sync::Notify;

use crate::world::{World, at, user};

const US: NodeId = NodeId(1);
const OWNER: NodeId = NodeId(2);

/// An owner who says how far they have shown the room, though what they showed is still on its way.
struct Owner {
    shown: u64,
    asked: Arc<Notify>,
}

impl Reach for Owner {
    fn say(&self, _: NodeId, _: Bytes) -> bool {
        true
    }
    fn ask(&self, _: NodeId, _: Bytes, _: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> {
        self.asked.notify_one();
        let answer = Answer::Tail { events: Vec::new(), more: false, head: Some(self.shown) };
        Box::pin(std::future::ready(Some(to_msgpack(&answer))))
    }
    fn up(&self) -> Vec<NodeId> {
        vec![OWNER]
    }
    fn knows_table(&self, _: u64) {}
}

struct Follower {
    world: World,
    room: RoomId,
    reader: Reader,
    ring: Arc<Ring>,
    subscribers: Subscribers,
    asked: Arc<Notify>,
}

fn table(version: u64, owner: NodeId) -> Table {
    let placement = Placement { owner, grant: version, moving: None };
    Table { version, slots: vec![placement; 4] }
}

/// On the store of a room of one event, whose owner has shown two.
async fn follower() -> Follower {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.node.flush().await.unwrap();
    let (asked, peers) = (Arc::new(Notify::new()), Arc::<Peers>::default());
    peers.reach_by(Arc::new(Owner { shown: 2, asked: asked.clone() }));
    let ring = Arc::new(Ring::new(US, table(2, OWNER)));
    let reader = Reader::new(Arc::new(world.store.clone()), ring.clone()).among(peers.clone());
    let subscribers = Subscribers::new(vec![Outlet::new(0, 1 << 20, || {})], peers);
    Follower { world, room, reader, ring, subscribers, asked }
}

impl Follower {
    fn second(&self) -> Arc<Event> {
        let body = EventBody::React { target: 1, emoji: "+1".into(), on: true };
        Arc::new(Event { room: self.room, seq: 2, ordinal: 0, at: 2, user: user(1), cmid: Default::default(), body })
    }
    async fn first_view(&self) -> View {
        let reader = Reader::new(Arc::new(self.world.store.clone()), Arc::new(Ring::new(US, table(1, US))));
        reader.slot_tail(reader.slot(self.room)).open(1, Vec::new());
        reader.view(self.room).await.unwrap().unwrap()
    }
    async fn join(&self, index: u32) -> u64 {
        self.subscribers.join(&self.reader, user(2), self.room, at(index)).await.unwrap().expect("a member").head
    }
    /// Somebody comes, the owner begins with one event, and then shows the second.
    async fn followed(&self) -> u64 {
        let view = self.first_view().await;
        let shows = async {
            while self.subscribers.view(self.room).is_none() {
                self.subscribers.following(self.room, OWNER, view.clone(), 0);
                tokio::task::yield_now().await;
            }
            self.asked.notified().await;
            tokio::task::yield_now().await;
            self.subscribers.shown(self.room, OWNER, vec![self.second()]);
        };
        tokio::join!(self.join(1), shows).0
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_into_a_room_of_another_node_begins_no_further_back_than_that_node_has_shown() {
    assert_eq!(follower().await.followed().await, 2);
}

#[tokio::test(start_paused = true)]
async fn who_comes_into_a_room_that_became_ours_begins_when_what_was_missed_is_shown() {
    let it = follower().await;
    it.followed().await;
    // A third one happened there before the room came here.
    let third = Arc::new(Event { seq: 3, at: 3, ..(*it.second()).clone() });
    assert!(it.ring.update(table(3, US)));
    it.subscribers.follow_again(&it.reader, &|_| true);
    it.reader.slot_tail(it.reader.slot(it.room)).open(3, vec![(1, vec![it.second(), third.clone()])]);
    let shows = async {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        it.subscribers.show(it.room, &[third]);
        it.subscribers.caught_up(|_| true);
    };
    assert_eq!(tokio::join!(it.join(2), shows).0, 3);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_ours_by_another_grant_is_taken_for_behind_until_it_was_looked_at() {
    let it = follower().await;
    it.followed().await;
    assert!(it.ring.update(table(3, US)));
    it.subscribers.follow_again(&it.reader, &|_| true);
    it.reader.slot_tail(SlotId(0)).close();
    it.subscribers.caught_up(|_| true);
    assert!(it.subscribers.own_view(it.room).is_some());
    it.subscribers.fall_behind(|room| room == it.room);
    assert!(it.subscribers.own_view(it.room).is_none());
    it.subscribers.caught_up(|_| true);
    assert!(it.subscribers.own_view(it.room).is_some());
}
