//! A door and lots on the loopback; the test plays the actors: it gets every `Up` and says every `Down`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};

use actors::outlet::{Down, Encoded, Outlet};
use axum::Router;
use axum::routing::get;
use hubbub::edge::{Certificates, Door, Lots, Origins, Up, Voice};
use hubbub::limits::Limits;
use schema::client::ClientEvent;
use schema::event::Message;
use schema::server::{ClientLimits, Ready, RoomState};
use schema::wire::Format;
use schema::{Cmid, ConnectionId, DeviceId, Event, EventBody, Role, RoomId, RoomKind, RoomSettings, ServerEvent, UserId};

use crate::client::{Client, PATIENCE};

pub struct World {
    pub address: SocketAddr,
    pub outlets: Vec<Outlet>,
    pub lots: Arc<Lots>,
    pub door: Arc<Door>,
    /// How much went up, call by call.
    pub handed: Arc<Mutex<Vec<usize>>>,
    ups: mpsc::Receiver<Up>,
    _runtime: tokio::runtime::Runtime,
}

/// A signal of this kind breaks the lot that hands it on.
pub const PANIC: &str = "panic";

pub fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
pub fn room(n: u8) -> RoomId {
    RoomId::from_bytes([n; 16])
}

/// A message of a room.
pub fn message(room: RoomId, seq: u64, text: &str) -> Encoded {
    let body = EventBody::Message(Message { text: text.to_owned(), reply: None, origin: None });
    Encoded::new(ServerEvent::Event(Event { room, seq, ordinal: seq, at: seq, user: user(9), cmid: Cmid::default(), body }))
}

pub fn ready(user: UserId) -> Encoded {
    ready_in(user, &[])
}

/// With these rooms, each as far as this.
pub fn ready_in(user: UserId, rooms: &[(RoomId, u64)]) -> Encoded {
    let rooms = rooms.iter().map(|(room, head)| state(*room, *head)).collect();
    Encoded::new(ServerEvent::Ready(Ready {
        level: 1,
        user,
        login: Default::default(),
        device: DeviceId::default(),
        installation: Default::default(),
        now: 0,
        heartbeat_ms: 30_000,
        limits: ClientLimits {
            message_bytes_max: 65536,
            text_bytes_max: 16384,
            requests_in_flight_max: 16,
            resume_events_max: 800,
            watch_max: 200,
            page_max: 200,
        },
        rooms,
        nodes: Vec::new(),
    }))
}

fn state(room: RoomId, head: u64) -> RoomState {
    RoomState {
        room,
        kind: RoomKind::Group,
        settings: RoomSettings::default(),
        role: Role::Member,
        head,
        ordinal: head,
        at: 0,
        read_seq: 0,
        read_ordinal: 0,
        unread_from: None,
        mentions: Vec::new(),
        draft: String::new(),
        peer: None,
        members: 2,
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }
    pub fn with(limits: Limits) -> Self {
        Self::start(limits, Voice::Hubbub, None)
    }

    pub fn start(limits: Limits, voice: Voice, certificates: Option<Arc<Certificates>>) -> Self {
        let (said, ups) = mpsc::channel();
        let prepared = Lots::prepare(&limits, 1).unwrap();
        let outlets = prepared.outlets();
        let handed = Arc::new(Mutex::new(Vec::new()));
        let lengths = handed.clone();
        let up = move |ups: &mut VecDeque<Up>| {
            lengths.lock().unwrap().push(ups.len());
            while let Some(up) = ups.pop_front() {
                if let Up::Event { event: ClientEvent::Signal(signal), .. } = &up {
                    assert_ne!(signal.kind, PANIC, "as a test ordered");
                }
                drop(said.send(up));
            }
        };
        let lots = Arc::new(prepared.start_as(voice, Arc::new(up)).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hi", get(|| async { "hello" }));
        let origins = Origins::new(["https://chat.example.com".to_owned()]).unwrap();
        let proxies = vec!["127.0.0.9".parse().unwrap()];
        let door = Door::new(lots.clone(), router, origins, proxies, certificates);
        let serving = door.clone();
        runtime.spawn(async move { serving.serve(listener).await });
        Self { address, outlets, lots, door, handed, ups, _runtime: runtime }
    }

    pub fn down(&self, down: Down) {
        self.outlets[0].push(down);
    }
    /// The next thing a lot says, but for who left which room.
    pub fn up(&self) -> Up {
        loop {
            let up = self.ups.recv_timeout(PATIENCE).expect("a lot says something");
            if !matches!(up, Up::Left { .. }) {
                return up;
            }
        }
    }
    pub fn says_nothing(&self) -> bool {
        self.ups.try_iter().all(|up| matches!(up, Up::Left { .. }))
    }

    /// The next event of a client, and whose it is.
    pub fn event(&self) -> (ConnectionId, ClientEvent) {
        match self.up() {
            Up::Event { connection, event, .. } => (connection, event),
            other => panic!("an event was expected, {other:?} came"),
        }
    }

    /// A client that said hello and is not greeted.
    pub fn hello(&self, format: Format) -> (Client, ConnectionId) {
        self.hello_at("/v1/ws", format)
    }
    fn hello_at(&self, path: &str, format: Format) -> (Client, ConnectionId) {
        let mut client = Client::connect_at(self.address, path, format);
        let hello = ClientEvent::Hello(schema::client::Hello {
            token: Some("token".to_owned()),
            ticket: None,
            device: DeviceId::default(),
            resume: Vec::new(),
        });
        let first = if format == Format::Json { 0x81 } else { 0x82 };
        client.write(&crate::client::frame(first, &format.encode(&hello)));
        match self.up() {
            Up::Hello { connection, .. } => (client, connection),
            other => panic!("a hello was expected, {other:?} came"),
        }
    }

    pub fn greet(&self, connection: ConnectionId, user: UserId) {
        self.down(Down::Greet { connection, user, events: vec![ready(user)] });
    }

    /// A greeted client in these rooms.
    pub fn member(&self, user: UserId, rooms: &[RoomId]) -> (Client, ConnectionId) {
        self.member_in(Format::Json, user, rooms)
    }
    pub fn member_in(&self, format: Format, user: UserId, rooms: &[RoomId]) -> (Client, ConnectionId) {
        self.member_at("/v1/ws", format, user, rooms)
    }
    pub fn member_at(&self, path: &str, format: Format, user: UserId, rooms: &[RoomId]) -> (Client, ConnectionId) {
        let (mut client, connection) = self.hello_at(path, format);
        rooms.iter().for_each(|room| self.down(Down::Join { connection, user, room: *room }));
        self.greet(connection, user);
        assert!(matches!(client.event(), ServerEvent::Ready(_)));
        (client, connection)
    }

    pub fn batch(&self, room: RoomId, events: Vec<Encoded>) {
        self.down(Down::Batch { room, events, removed: None });
    }
}
