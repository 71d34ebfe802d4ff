//! The node under test, a lot's inbox to look into, and people who ask for things.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use actors::outlet::{Down, Outlet};
use actors::peer::Peers;
use actors::{Among, Attach, Command, Config, Node, Reply};
use cluster::{NodeId, Ring, Table};
use parking_lot::Mutex;
use schema::client::{Act, Order, Resume};
use schema::record::User;
use schema::server::{Ready, Refusal};
use schema::{Cmid, ConnectionId, DeviceId, ErrorCode, Event, LoginId, RoomId, RoomKind, RoomSettings, ServerEvent, UserId, rest};
use store::sim::SimStore;
use store::{Expect, Journal, RecordsExt};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

pub struct World {
    pub node: Node,
    pub store: SimStore,
    lot: Arc<Lot>,
    seen: Mutex<Vec<Down>>,
}

/// As quick as a lot can be: it looks whenever it is woken, before anybody can say more.
#[derive(Default)]
struct Lot {
    outlet: OnceLock<Outlet>,
    /// What it found each time.
    looks: Mutex<VecDeque<Vec<Down>>>,
    arrived: Notify,
}

impl Lot {
    fn look(&self) {
        let mut found = Vec::new();
        self.outlet.get().expect("nobody is told anything before").take(&mut found);
        self.looks.lock().push_back(found);
        self.arrived.notify_one();
    }
}

impl World {
    pub async fn new() -> Self {
        Self::on(SimStore::default()).await
    }

    /// A node started on this store, which a node before it may have used.
    pub async fn on(store: SimStore) -> Self {
        Self::with(Config { slots: 4, ..Config::default() }, store).await
    }

    pub async fn with(config: Config, store: SimStore) -> Self {
        Self::among(Arc::default(), config, store).await
    }

    pub async fn among(peers: Arc<Peers>, config: Config, store: SimStore) -> Self {
        let lot = Arc::new(Lot::default());
        let woken = lot.clone();
        let outlet = Outlet::new(0, 64 << 20, move || woken.look());
        lot.outlet.get_or_init(|| outlet.clone());
        for n in 0..=u8::MAX {
            let name = n.to_string();
            let person = User { id: user(n), display: name.clone(), name, admin: false, created_at: 0, last_seen: None };
            store.store(&person, Expect::Any).await.unwrap();
        }
        let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), store.grant(), config.slots)));
        let (journal, records) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let node = Node::start_among(Among { ring, peers }, config, journal, records, vec![outlet]).await.unwrap();
        Self { node, store, lot, seen: Mutex::default() }
    }

    pub fn ask(&self, user: UserId, order: Order, act: Act) -> oneshot::Receiver<Result<rest::Landed, Refusal>> {
        let (answer, answered) = oneshot::channel();
        self.node.command(Command { user, order, act, reply: Reply::Once(answer) });
        answered
    }
    pub async fn act(&self, user: UserId, order: Order, act: Act) -> Result<rest::Landed, ErrorCode> {
        self.ask(user, order, act).await.expect("every request is answered").map_err(|refusal| refusal.code)
    }
    pub async fn post(&self, user: UserId, room: RoomId, after: u64, text: &str) -> Result<rest::Landed, ErrorCode> {
        self.act(user, order(room, after), post(text)).await
    }
    pub async fn group(&self, owner: UserId, members: &[UserId]) -> RoomId {
        let room = RoomId(Uuid::now_v7());
        let act = Act::Create { kind: RoomKind::Group, settings: RoomSettings::default(), members: members.to_vec() };
        assert_eq!(self.act(owner, order(room, 0), act).await.unwrap().seq, 1);
        room
    }

    pub async fn attach(&self, user: UserId, connection: u32, resume: Vec<Resume>) -> Result<(), Refusal> {
        let attach = Attach { user, device: DeviceId::default(), login: LoginId::default(), connection: at(connection), resume };
        self.node.attach(attach).await
    }

    /// Waits until the lot was told something that `find` knows.
    pub async fn told<T>(&self, mut find: impl FnMut(&Down) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.look(&mut find) {
                return found;
            }
            self.lot.arrived.notified().await;
        }
    }
    /// The same without waiting.
    pub fn look<T>(&self, mut find: impl FnMut(&Down) -> Option<T>) -> Option<T> {
        let mut seen = self.seen.lock();
        seen.extend(self.lot.looks.lock().drain(..).flatten());
        seen.iter().find_map(&mut find)
    }
    /// All that the lot was told of what `find` knows.
    pub fn all<T>(&self, find: impl FnMut(&Down) -> Option<T>) -> Vec<T> {
        self.look(|_| None::<()>);
        self.seen.lock().iter().filter_map(find).collect()
    }
    /// Waits until there is one of them after `skip` others.
    pub async fn nth<T>(&self, skip: usize, find: impl Fn(&Down) -> Option<T>) -> T {
        loop {
            if let Some(found) = self.all(&find).into_iter().nth(skip) {
                return found;
            }
            self.lot.arrived.notified().await;
        }
    }
    /// What of the kind that is asked for the lot found at once, when it first found any; what it found before is dropped.
    pub async fn found_at_once(&self, is_asked_for: impl Fn(&Down) -> bool) -> Vec<Down> {
        loop {
            let look = self.lot.looks.lock().pop_front();
            match look {
                Some(mut found) => {
                    found.retain(&is_asked_for);
                    if !found.is_empty() {
                        return found;
                    }
                }
                None => self.lot.arrived.notified().await,
            }
        }
    }
    pub async fn greeted(&self, connection: u32) -> (Ready, Vec<ServerEvent>) {
        self.told(|down| match down {
            Down::Greet { connection: c, events, .. } if *c == at(connection) => {
                let ServerEvent::Ready(ready) = events[0].event() else { panic!("a greeting begins with ready") };
                Some((ready.clone(), events[1..].iter().map(|e| e.event().clone()).collect()))
            }
            _ => None,
        })
        .await
    }
    /// Everything that was shown of a room, in the order in which the lot was told.
    pub fn shown(&self, room: RoomId) -> Vec<Event> {
        self.look(|_| None::<()>);
        let seen = self.seen.lock();
        let batches = seen.iter().filter_map(|down| match down {
            Down::Batch { room: r, events, .. } if *r == room => Some(events),
            _ => None,
        });
        batches.flatten().flat_map(|shown| shown.events().to_vec()).collect()
    }

    pub async fn events(&self, user: UserId, room: RoomId) -> Vec<Event> {
        let query = actors::PageQuery { room, after: Some(0), limit: Some(200), ..actors::PageQuery::default() };
        self.node.history(user, query).await.unwrap().events.clone()
    }
}

pub fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}
pub fn at(index: u32) -> ConnectionId {
    ConnectionId { lot: 0, generation: 0, index }
}
pub fn order(room: RoomId, after: u64) -> Order {
    Order { id: 1, room, cmid: Cmid(Uuid::now_v7()), after, prev: None }
}
pub fn post(text: &str) -> Act {
    Act::Post { text: text.into(), reply: None, origin: None }
}
