//! Pages in memory: one read however many ask, and never an answer that is older than the room.

use std::collections::HashMap;
use std::sync::Arc;

use actors::{Config, Node, PageQuery};
use bytes::Bytes;
use parking_lot::Mutex;
use schema::client::Act;
use schema::record::{Key, Table};
use schema::wire::Format;
use schema::{ErrorCode, RoomId, UserId};
use store::sim::SimStore;
use store::{Answer, Error, Expect, Put, Range, Records, Row, Write};
use tokio::sync::Semaphore;

use crate::world::{World, order, user};

const PAGE: u64 = 50;

/// A store whose reads are counted, and whose history answers when the test lets it.
struct Counted {
    store: SimStore,
    reads: Mutex<HashMap<Table, usize>>,
    may_read: Semaphore,
}

impl Counted {
    fn count(&self, table: Table) {
        *self.reads.lock().entry(table).or_default() += 1;
    }
    fn reads(&self, table: Table) -> usize {
        self.reads.lock().get(&table).copied().unwrap_or(0)
    }
}

impl Records for Counted {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        self.count(key.table);
        self.store.get(key)
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        self.count(range.partition.table);
        Box::pin(async move {
            if range.partition.table == Table::History {
                self.may_read.acquire().await.unwrap().forget();
            }
            self.store.scan(range).await
        })
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        self.store.put(key, value, expect)
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        self.store.put_many(writes)
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        self.store.put_max(key, value, stamp)
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        self.store.delete(key)
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        self.store.sync()
    }
}

/// A node that starts on a room of 100 people and two pages, all of it in history.
async fn started() -> (Node, Arc<Counted>, RoomId) {
    let world = World::new().await;
    let room = world.group(user(1), &(2..=100).map(user).collect::<Vec<_>>()).await;
    for head in 1..2 * PAGE {
        world.post(user(1), room, head, &head.to_string()).await.unwrap();
    }
    world.node.flush().await.unwrap();
    world.store.with(|core| core.restart());
    let counted = Arc::new(Counted { store: world.store.clone(), reads: Mutex::default(), may_read: Semaphore::new(0) });
    let config = Config { slots: 4, ..Config::default() };
    let node = Node::start(config, Arc::new(world.store.clone()), counted.clone(), Vec::new()).await.unwrap();
    (node, counted, room)
}

fn last_page(room: RoomId) -> PageQuery {
    PageQuery { room, limit: Some(PAGE as u16), ..PageQuery::default() }
}

async fn last_seq(node: &Node, user: UserId, room: RoomId) -> Result<u64, ErrorCode> {
    node.history(user, last_page(room)).await.map(|page| page.to).map_err(|refused| refused.code)
}

#[tokio::test]
async fn a_thousand_readers_of_a_cold_page_cause_one_read_of_it() {
    let (node, counted, room) = started().await;
    let before = counted.reads(Table::RoomHeads);
    let ask = |n: u32| {
        let node = node.clone();
        tokio::spawn(async move { last_seq(&node, user((1 + n % 100) as u8), room).await })
    };
    let asking: Vec<_> = (0..1000).map(ask).collect();
    // What each looks at first; from there to the page nothing makes it wait.
    while counted.reads(Table::RoomHeads) < before + 1000 {
        tokio::task::yield_now().await;
    }
    counted.may_read.add_permits(1000);
    for asked in asking {
        assert_eq!(asked.await.unwrap(), Ok(2 * PAGE));
    }
    assert_eq!((counted.reads(Table::History), counted.reads(Table::Annotations)), (1, 1));
    assert_eq!(counted.reads(Table::Members), 100, "each person's right to read is looked up once");
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_the_read_to_the_next() {
    let (node, counted, room) = started().await;
    let ask = || {
        let node = node.clone();
        tokio::spawn(async move { last_seq(&node, user(1), room).await })
    };
    let (first, second) = (ask(), ask());
    while counted.reads(Table::History) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    counted.may_read.add_permits(2);
    assert_eq!(second.await.unwrap(), Ok(2 * PAGE));
}

#[tokio::test]
async fn what_is_kept_is_never_older_than_the_room_and_nobody_who_left_reads_it() {
    let (node, counted, room) = started().await;
    counted.may_read.add_permits(1000);
    let act = async |act: Act, head: u64| {
        let (answer, answered) = tokio::sync::oneshot::channel();
        node.command(actors::Command { user: user(1), order: order(room, head), act, reply: actors::Reply::Once(answer) });
        answered.await.unwrap().unwrap().seq
    };
    let mut head = 2 * PAGE;
    for n in 0..3 {
        assert_eq!(last_seq(&node, user(2), room).await, Ok(head));
        head = act(crate::world::post(&n.to_string()), head).await;
        assert_eq!(last_seq(&node, user(2), room).await, Ok(head));
    }
    act(Act::Kick { user: user(2) }, head).await;
    assert_eq!(last_seq(&node, user(2), room).await, Err(ErrorCode::NotFound));
    assert_eq!(last_seq(&node, user(3), room).await, Ok(head + 1));
}

#[tokio::test]
async fn a_page_is_at_hand_to_whoever_was_let_read_it_and_only_as_the_room_is_now() {
    let world = World::new().await;
    let room = world.group(user(1), &[user(2)]).await;
    world.post(user(1), room, 1, "said").await.unwrap();
    world.attach(user(1), 1, Vec::new()).await.unwrap();
    let at_hand = |who: UserId| world.node.page_at_hand(who, last_page(room), Format::Json);
    let read = async |who: UserId, format| world.node.page(who, last_page(room), format).await.map_err(|refused| refused.code);

    assert!(at_hand(user(1)).is_none(), "nobody has asked for it");
    let page = read(user(1), Format::Json).await.unwrap();
    assert_eq!(schema::wire::from_json::<schema::rest::Page>(&page.bytes).unwrap().to, 2);
    assert_eq!(at_hand(user(1)).unwrap().bytes, page.bytes);
    assert!(at_hand(user(2)).is_none(), "whether this one may read it was not looked up");
    assert!(world.node.page_at_hand(user(1), last_page(room), Format::MessagePack).is_none(), "not in this format");
    assert_eq!(read(user(2), Format::Json).await.unwrap().bytes, page.bytes);
    assert!(at_hand(user(2)).is_some());
    assert_eq!(read(user(3), Format::Json).await.map(|page| page.to), Err(ErrorCode::NotFound));
    assert!(at_hand(user(3)).is_none(), "a stranger");

    world.act(user(1), order(room, 2), Act::Kick { user: user(2) }).await.unwrap();
    assert!(at_hand(user(1)).is_none(), "the room is another since");
    assert_eq!(read(user(1), Format::Json).await.unwrap().to, 3);
    assert!(at_hand(user(1)).is_some() && at_hand(user(2)).is_none(), "who was removed has it no more");
}

#[tokio::test]
async fn pages_in_memory_stay_within_their_bound_however_many_are_asked_for() {
    const BYTES_MAX: usize = 2 << 20;
    let world = World::with(Config { slots: 4, pages_bytes_max: BYTES_MAX, ..Config::default() }, SimStore::default()).await;
    let room = world.group(user(1), &[]).await;
    let mut asked = 0;
    for head in 1..100 {
        world.post(user(1), room, head, &"x".repeat(1_000)).await.unwrap();
        for format in [Format::Json, Format::MessagePack] {
            asked += world.node.page(user(1), last_page(room), format).await.unwrap().bytes.len();
        }
    }
    assert!(asked > 2 * BYTES_MAX);
    let kept = world.node.load().pages_kept_bytes;
    assert!(kept > 0 && kept <= BYTES_MAX as u64, "{kept}");
}
