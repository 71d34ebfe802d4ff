//! What an idle user costs of the heap, to the byte: a greeted connection on its lot alone, and on a whole node with its
//! session asleep; in one room of 100 and in twenty. Kernel and allocator add to it; `hubbub-bench --only idle` has both in.

#[path = "edge/certificate.rs"]
mod certificate;
#[path = "edge/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "edge/secure.rs"]
mod secure;
#[path = "edge/world.rs"]
#[allow(dead_code)]
mod world;

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actors::outlet::Down;
use actors::{Attach, Command, Config, Node, Reply};
use axum::Router;
use client::{Client, PATIENCE, frame};
use dhat::HeapStats;
use hubbub::edge::{Certificates, Door, Lots, Origins, Up, Voice};
use hubbub::limits::Limits;
use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use schema::client::{Act, ClientEvent, Hello, Order};
use schema::record::User;
use schema::wire::Format;
use schema::{Cmid, ConnectionId, DeviceId, LoginId, RoomId, RoomKind, RoomSettings, UserId};
use store::sim::SimStore;
use store::{Expect, RecordsExt};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use uuid::Uuid;
use world::World;

/// Counts every byte that is asked for.
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The counter is one for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// Tables that double are three fifths full with so many: as they are on average.
const USERS: usize = 2_400;
/// Each with a handshake.
const TLS_USERS: usize = 300;
const ROOM_MEMBERS: usize = 100;
/// What comes first makes what all share; its cost is not counted.
const FIRST: usize = 100;

/// A lot alone.
const LOT_ONE_ROOM_BYTES_MAX: usize = 250;
const LOT_TWENTY_ROOMS_BYTES_MAX: usize = 550;
/// All of a node.
const NODE_ONE_ROOM_BYTES_MAX: usize = 400;
const NODE_TWENTY_ROOMS_BYTES_MAX: usize = 819;
/// Tables that keep some room for those who come next.
const GONE_BYTES_MAX: usize = 600;

/// At rest is what does not change for so many looks.
const QUIET_LOOKS: usize = 15;

fn heap() -> usize {
    HeapStats::get().curr_bytes
}

fn with_many_files() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }).unwrap();
}

fn limits() -> Limits {
    let many = 1_000_000;
    Limits {
        connections_per_address_max: many,
        accepts_per_second_max: many,
        unauthenticated_per_address_max: many,
        // Nobody says anything here, for as long as it takes.
        heartbeat_ms: 600_000,
        ..Limits::default()
    }
}

/// Room `n` of one of the groups of people who are in the same rooms.
fn room(group: usize, n: u8) -> RoomId {
    let mut bytes = [n; 16];
    bytes[..8].copy_from_slice(&(group as u64).to_be_bytes());
    RoomId::from_bytes(bytes)
}

fn user(n: usize) -> UserId {
    // As ids of version 7 are: all of the beginning alike, the end not.
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&(n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    UserId::from_bytes(bytes)
}

/// A greeted connection in rooms of its group.
fn park(world: &World, n: usize, rooms: u8) -> (TcpStream, ConnectionId) {
    let (mut client, connection) = world.hello(Format::Json);
    (0..rooms).for_each(|room_number| world.down(Down::Join { connection, user: user(n), room: room(n / ROOM_MEMBERS, room_number) }));
    world.greet(connection, user(n));
    client.event();
    (client.socket, connection)
}

fn on_a_lot(rooms: u8) -> usize {
    let world = World::with(limits());
    let mut parked: Vec<_> = Vec::with_capacity(FIRST + USERS);
    parked.extend((0..FIRST).map(|n| park(&world, n, rooms)));
    let before = heap();
    parked.extend((FIRST..FIRST + USERS).map(|n| park(&world, n, rooms)));
    heap().saturating_sub(before) / USERS
}

#[test]
fn a_lot_keeps_a_quarter_of_a_kilobyte_for_an_idle_connection_and_little_for_each_room() {
    let _alone = ALONE.lock();
    let _counting = dhat::Profiler::builder().testing().build();
    with_many_files();
    let (one, twenty) = (on_a_lot(1), on_a_lot(20));
    println!("{one} bytes in one room, {twenty} in twenty");
    assert!(one <= LOT_ONE_ROOM_BYTES_MAX, "{one} bytes in one room");
    assert!(twenty <= LOT_TWENTY_ROOMS_BYTES_MAX, "{twenty} bytes in twenty rooms");
}

/// Keys and what rustls keeps beside them; bytes of neither side.
const TLS_BYTES_MAX: usize = 3_000;

#[test]
fn an_idle_connection_over_tls_keeps_its_keys_and_no_buffer() {
    let _alone = ALONE.lock();
    let _counting = dhat::Profiler::builder().testing().build();
    with_many_files();
    let folder = tempfile::tempdir().unwrap();
    let trusted = certificate::write_certificate(folder.path());
    let certificates = Certificates::load(folder.path().join("chain.pem"), folder.path().join("key.pem")).unwrap();
    let world = World::start(limits(), Voice::Hubbub, Some(Arc::new(certificates)));
    let park = |n: usize| {
        let mut client = secure::connect(&world, &trusted);
        client.say(r#"{"hello":{"device":"01010101-0101-0101-0101-010101010101"}}"#);
        let Up::Hello { connection, .. } = world.up() else { panic!("a hello was expected") };
        world.greet(connection, user(n));
        client.event();
        // It has been read from since, too: the buffer of that read must be gone.
        client.say(r#"{"ping":{"id":1}}"#);
        client.event();
        // The client's side of the session would be counted as well.
        client.socket.sock
    };
    let mut parked: Vec<_> = Vec::with_capacity(FIRST + TLS_USERS);
    parked.extend((0..FIRST).map(park));
    let before = heap();
    parked.extend((FIRST..FIRST + TLS_USERS).map(park));
    let each = heap().saturating_sub(before) / TLS_USERS;
    println!("{each} bytes over TLS");
    assert!(each <= TLS_BYTES_MAX, "{each} bytes over TLS");
}

/// A node with all but sign-in and HTTP: a hello's token is the user's id.
struct House {
    address: SocketAddr,
    node: Node,
    lots: Arc<Lots>,
    runtime: Runtime,
}

impl House {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let prepared = Lots::prepare(&limits(), 1).unwrap();
        let (store, asleep_after) = (SimStore::default(), Duration::from_millis(100));
        let times = Config { session_idle: asleep_after, room_idle: asleep_after, offline_after: Duration::ZERO, ..Config::default() };
        let config = Config { slots: 4, ..times };
        let node = runtime.block_on(async {
            // Whoever is put into a room has to have an account.
            for n in 0..FIRST + USERS {
                let (id, name) = (user(n), format!("user{n}"));
                let account = User { id, display: name.clone(), name, admin: false, created_at: 0, last_seen: None };
                store.store(&account, Expect::Absent).await.unwrap();
            }
            Node::start(config, Arc::new(store.clone()), Arc::new(store), prepared.outlets()).await.unwrap()
        });
        let (upward, handle) = (node.clone(), runtime.handle().clone());
        let lots = Arc::new(prepared.start(Arc::new(move |ups| ups.drain(..).for_each(|up| say(&upward, &handle, up)))).unwrap());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door::new(lots.clone(), Router::new(), Origins::default(), Vec::new(), None);
        runtime.spawn(async move { door.serve(listener).await });
        Self { address, node, lots, runtime }
    }

    fn make_room(&self, room: RoomId, members: Vec<UserId>) {
        let order = Order { id: 0, room, cmid: Cmid(Uuid::now_v7()), after: 0, prev: None };
        let (answer, answered) = oneshot::channel();
        let act = Act::Create { kind: RoomKind::Group, settings: RoomSettings::default(), members: members[1..].to_vec() };
        self.node.command(Command { user: members[0], order, act, reply: Reply::Once(answer) });
        self.runtime.block_on(answered).unwrap().unwrap();
    }

    fn connect(&self, user: UserId) -> TcpStream {
        let mut client = Client::connect(self.address, Format::Json);
        let hello = Hello { token: Some(user.to_string()), ticket: None, device: DeviceId::default(), resume: Vec::new() };
        client.write(&frame(0x81, &Format::Json.encode(&ClientEvent::Hello(hello))));
        client.event();
        client.socket
    }

    /// So many are connected, all events are projected, and every session and room sleeps.
    fn rest(&self, connections: usize) {
        self.runtime.block_on(self.node.flush()).unwrap();
        let metrics = hubbub::admin::metrics::install().unwrap();
        let begun = std::time::Instant::now();
        let asleep = |name: &str| metrics.render().lines().any(|line| line == format!("hubbub_actors_{name}_awake 0"));
        let (mut quiet, mut last) = (0, 0);
        while quiet < QUIET_LOOKS {
            assert!(begun.elapsed() < PATIENCE, "the node does not come to rest:\n{}", metrics.render());
            std::thread::sleep(Duration::from_millis(20)); // poll
            let at_rest = self.lots.connections() == connections && asleep("sessions") && asleep("rooms");
            let now = heap();
            // What is in the projections leaves the slots' tails a moment later.
            quiet = if at_rest && now.abs_diff(last) < 1024 { quiet + 1 } else { 0 };
            last = now;
        }
    }
}

/// Sessions that were woken so far.
fn woken() -> Option<String> {
    let metrics = hubbub::admin::metrics::install().unwrap().render();
    metrics.lines().find(|line| line.starts_with("hubbub_actors_sessions_woken_total")).map(str::to_owned)
}

fn say(node: &Node, runtime: &tokio::runtime::Handle, up: Up) {
    let _inside = runtime.enter();
    match up {
        Up::Hello { connection, hello, .. } => {
            let user = UserId(Uuid::parse_str(&hello.token.unwrap()).unwrap());
            let (node, login) = (node.clone(), LoginId(Uuid::now_v7()));
            runtime.spawn(async move {
                let attach = Attach { user, device: hello.device, login, connection, resume: Vec::new() };
                node.attach(attach).await.unwrap();
            });
        }
        Up::Left { room, lot, count } => node.left(room, lot, count),
        Up::Closed { connection, user: Some(user) } => node.detach(user, connection),
        Up::Event { .. } | Up::Closed { .. } => {}
    }
}

/// With them, and when they have gone.
fn on_a_node(rooms: u8) -> (usize, usize) {
    let house = House::new();
    for group in 0..(FIRST + USERS) / ROOM_MEMBERS {
        let members: Vec<UserId> = (group * ROOM_MEMBERS..(group + 1) * ROOM_MEMBERS).map(user).collect();
        (0..rooms).for_each(|n| house.make_room(room(group, n), members.clone()));
    }
    let mut open = Vec::with_capacity(FIRST + USERS);
    open.extend((0..FIRST).map(|n| house.connect(user(n))));
    house.rest(FIRST);
    let (before, woken) = (heap(), woken());
    open.extend((FIRST..FIRST + USERS).map(|n| house.connect(user(n))));
    house.rest(FIRST + USERS);
    assert_eq!(self::woken(), woken, "signing on wakes no session");
    let with = heap().saturating_sub(before) / USERS;
    open.clear();
    house.rest(0);
    (with, heap().saturating_sub(before) / USERS)
}

#[test]
fn a_node_keeps_less_than_half_a_kilobyte_for_an_idle_user_whose_session_sleeps() {
    let _alone = ALONE.lock();
    hubbub::admin::metrics::install().unwrap();
    let _counting = dhat::Profiler::builder().testing().build();
    with_many_files();
    let ((one, after_one), (twenty, after_twenty)) = (on_a_node(1), on_a_node(20));
    println!("{one} bytes in one room, {twenty} in twenty; {after_one} and {after_twenty} when they have gone");
    assert!(after_one.max(after_twenty) <= GONE_BYTES_MAX, "{after_one} and {after_twenty} bytes stay of each who has gone");
    assert!(one <= NODE_ONE_ROOM_BYTES_MAX, "{one} bytes in one room");
    assert!(twenty <= NODE_TWENTY_ROOMS_BYTES_MAX, "{twenty} bytes in twenty rooms");
}
