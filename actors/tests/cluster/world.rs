//! Nodes that reach each other over a net in memory, on one store; each with one lot that a test looks into.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actors::outlet::{Down, Outlet};
use actors::peer::{Peers, Reach};
use actors::{Among, Attach, Command, Config, Node, PageQuery, Reply};
use bytes::Bytes;
use cluster::link::{Lane, Limits, Listener, Mesh, SimNet, Status};
use cluster::{Kind, NodeId, Placement, Ring, Table, slot_of};
use parking_lot::Mutex;
use schema::client::{Act, Order, Resume};
use schema::peer::Word;
use schema::record::User;
use schema::server::Ready;
use schema::wire::from_msgpack;
use schema::{Cmid, ConnectionId, DeviceId, ErrorCode, Event, LoginId, RoomId, RoomKind, RoomSettings, ServerEvent, SlotId, UserId, rest};
use store::sim::SimStore;
use store::{Expect, RecordsExt};
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

pub const SLOTS: u16 = 8;

pub struct World {
    pub net: SimNet,
    pub nodes: Vec<Member>,
    pub table: Mutex<Table>,
}

pub struct Member {
    pub id: NodeId,
    pub node: Node,
    ring: Arc<Ring>,
    mesh: Arc<Mesh>,
    lot: Arc<Lot>,
    said: Arc<Mutex<Vec<(NodeId, Word)>>>,
    _listener: Listener,
}

/// The mesh, with a list of all that was said over it.
struct Overheard {
    mesh: Arc<Mesh>,
    said: Arc<Mutex<Vec<(NodeId, Word)>>>,
}

impl Reach for Overheard {
    fn say(&self, to: NodeId, word: Bytes) -> bool {
        self.said.lock().push((to, from_msgpack(&word).expect("a word")));
        self.mesh.say(to, word).is_ok()
    }
    fn ask(&self, to: NodeId, question: Bytes, within: Duration) -> Pin<Box<dyn Future<Output = Option<Bytes>> + Send>> {
        Reach::ask(&*self.mesh, to, question, within)
    }
    fn up(&self) -> Vec<NodeId> {
        self.mesh.up()
    }
    fn knows_table(&self, version: u64) {
        self.mesh.knows_table(version);
    }
}

#[derive(Default)]
struct Lot {
    outlet: OnceLock<Outlet>,
    seen: Mutex<Vec<Down>>,
    arrived: Notify,
}

impl Lot {
    fn look(&self) {
        let mut found = Vec::new();
        self.outlet.get().expect("nobody is told anything before").take(&mut found);
        self.seen.lock().append(&mut found);
        self.arrived.notify_waiters();
    }
}

impl World {
    /// Slots go round the nodes, by number.
    pub async fn new(count: u64) -> Self {
        let (net, store) = (SimNet::default(), SimStore::default());
        for n in 0..=u8::MAX {
            let name = n.to_string();
            let person = User { id: user(n), display: name.clone(), name, admin: false, created_at: 0, last_seen: None };
            store.store(&person, Expect::Any).await.unwrap();
        }
        let slots = (0..SLOTS).map(|slot| Placement { owner: NodeId(u64::from(slot) % count + 1), grant: 1, moving: None }).collect();
        let table = Table { version: 1, slots };
        let addresses: BTreeMap<NodeId, String> = (1..=count).map(|n| (NodeId(n), n.to_string())).collect();
        let mut nodes = Vec::new();
        for id in addresses.keys() {
            nodes.push(Member::start(&net, &store, *id, &table, &addresses).await);
        }
        for (member, other) in nodes.iter().flat_map(|member| nodes.iter().map(move |other| (member, other.id))) {
            if let Some(mut status) = member.mesh.status(other) {
                status.wait_for(|status| *status != Status::Away).await.unwrap();
            }
        }
        Self { net, nodes, table: Mutex::new(table) }
    }

    pub fn node(&self, n: u64) -> &Member {
        self.nodes.iter().find(|member| member.id == NodeId(n)).expect("a node of this number")
    }

    /// A room that this node owns, and a user whose home it is.
    pub fn room_of(&self, n: u64) -> RoomId {
        self.id_of(n, Kind::Room, RoomId, |id| *id.as_bytes())
    }
    pub fn user_of(&self, n: u64) -> UserId {
        let owned = |id: &UserId| self.owner(slot_of(Kind::User, id.as_bytes(), SLOTS)) == NodeId(n);
        (1..=u8::MAX).map(user).find(owned).expect("one of so many")
    }
    fn id_of<T>(&self, n: u64, kind: Kind, make: impl Fn(Uuid) -> T, bytes: impl Fn(&T) -> [u8; 16]) -> T {
        loop {
            let id = make(Uuid::now_v7());
            if self.owner(slot_of(kind, &bytes(&id), SLOTS)) == NodeId(n) {
                return id;
            }
        }
    }
    pub fn owner(&self, slot: SlotId) -> NodeId {
        self.table.lock().slots[usize::from(slot.0)].owner
    }

    /// Everybody hears of a table in which these slots are somebody else's.
    pub fn place(&self, to: u64, which: impl Fn(SlotId, NodeId) -> bool) {
        self.place_unheard(to, which, 0);
    }
    /// But one, which goes on with the table that it has.
    pub fn place_unheard(&self, to: u64, which: impl Fn(SlotId, NodeId) -> bool, by: u64) {
        let mut table = self.table.lock();
        table.version += 1;
        let grant = table.version;
        for (slot, placement) in (0..).map(SlotId).zip(&mut table.slots) {
            if which(slot, placement.owner) {
                *placement = Placement { owner: NodeId(to), grant, moving: None };
            }
        }
        self.nodes.iter().filter(|member| member.id != NodeId(by)).for_each(|member| member.place(&table));
    }

    /// A node is gone, and its slots are another's.
    pub fn kill(&mut self, n: u64, heir: u64) {
        self.nodes.retain(|member| member.id != NodeId(n));
        self.nodes.iter().for_each(|member| self.net.break_between(member.id, NodeId(n)));
        self.place(heir, |_, owner| owner == NodeId(n));
    }

    /// A group with these members, made at that node.
    pub async fn group(&self, at: u64, owned_by: u64, owner: UserId, members: &[UserId]) -> RoomId {
        let room = self.room_of(owned_by);
        let act = Act::Create { kind: RoomKind::Group, settings: RoomSettings::default(), members: members.to_vec() };
        assert_eq!(self.node(at).act(owner, order(room, 0), act).await.unwrap().seq, 1);
        room
    }
}

impl Member {
    async fn start(net: &SimNet, store: &SimStore, id: NodeId, table: &Table, addresses: &BTreeMap<NodeId, String>) -> Self {
        let transport = Arc::new(net.join(id, &addresses[&id]));
        let peers = Arc::<Peers>::default();
        let mesh = Arc::new(Mesh::new(transport.clone(), id, Lane::Chat, Limits::default(), peers.clone()));
        let listener = Listener::listen(transport, id, Limits::default(), peers.clone());
        let said = Arc::default();
        peers.reach_by(Arc::new(Overheard { mesh: mesh.clone(), said: Arc::clone(&said) }));
        mesh.follow(addresses);
        let lot = Arc::new(Lot::default());
        let woken = lot.clone();
        let outlet = Outlet::new(0, 64 << 20, move || woken.look());
        lot.outlet.get_or_init(|| outlet.clone());
        let ring = Arc::new(Ring::new(id, table.clone()));
        let config = Config { slots: SLOTS, ..Config::default() };
        let among = Among { ring: ring.clone(), peers };
        let node = Node::start_among(among, config, Arc::new(store.clone()), Arc::new(store.clone()), vec![outlet]).await.unwrap();
        Self { id, node, ring, mesh, lot, said, _listener: listener }
    }

    pub fn place(&self, table: &Table) {
        let before = self.ring.table();
        if self.ring.update(table.clone()) {
            self.node.placed(&before);
        }
    }

    /// Everything that this node says has a table of this version on it from now on.
    pub fn pretend_table(&self, version: u64) {
        self.mesh.knows_table(version);
    }

    /// What this node has said to others since it was asked last, and to whom.
    pub fn said(&self) -> Vec<(NodeId, Word)> {
        std::mem::take(&mut *self.said.lock())
    }

    pub fn ask(&self, user: UserId, order: Order, act: Act) -> oneshot::Receiver<Result<rest::Landed, schema::server::Refusal>> {
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
    pub async fn attach(&self, user: UserId, index: u32, resume: Vec<Resume>) -> Ready {
        let attach = Attach { user, device: DeviceId::default(), login: LoginId::default(), connection: at(index), resume };
        self.node.attach(attach).await.unwrap();
        self.told(|down| match down {
            Down::Greet { connection, events, .. } if *connection == at(index) => match events[0].event() {
                ServerEvent::Ready(ready) => Some(ready.clone()),
                other => panic!("a greeting begins with ready, not {other:?}"),
            },
            _ => None,
        })
        .await
    }

    /// Waits until the lot was told something that `find` knows.
    pub async fn told<T>(&self, find: impl Fn(&Down) -> Option<T>) -> T {
        loop {
            let arrived = self.lot.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if let Some(found) = self.lot.seen.lock().iter().find_map(&find) {
                return found;
            }
            arrived.await;
        }
    }
    /// The same of what a connection is sent.
    pub async fn sent<T>(&self, index: u32, find: impl Fn(&ServerEvent) -> Option<T>) -> T {
        self.told(|down| match down {
            Down::Send { connection, event } if *connection == at(index) => find(event.event()),
            _ => None,
        })
        .await
    }
    /// The same of what all who are in a room are told and is not kept.
    pub async fn heard<T>(&self, room: RoomId, find: impl Fn(&ServerEvent) -> Option<T>) -> T {
        self.told(|down| match down {
            Down::Ephemeral { room: of, event, .. } if *of == room => find(event.event()),
            _ => None,
        })
        .await
    }
    /// What was shown of a room so far, in order.
    pub fn shown(&self, room: RoomId) -> Vec<Event> {
        let seen = self.lot.seen.lock();
        let batches = seen.iter().filter_map(|down| match down {
            Down::Batch { room: of, events, .. } if *of == room => Some(events),
            _ => None,
        });
        batches.flatten().flat_map(|shown| shown.events().to_vec()).collect()
    }
    /// Waits until the room was shown up to this seq, without a gap and in order from where it began.
    pub async fn shown_upto(&self, room: RoomId, seq: u64) -> Vec<Event> {
        self.told(|down| match down {
            Down::Batch { room: of, events, .. } if *of == room => {
                events.iter().flat_map(|shown| shown.events()).any(|event| event.seq >= seq).then_some(())
            }
            _ => None,
        })
        .await;
        let shown = self.shown(room);
        let seqs: Vec<u64> = shown.iter().map(|event| event.seq).collect();
        let first = seqs[0];
        assert!(seqs.iter().copied().eq(first..first + seqs.len() as u64), "shown without a gap, once and in order: {seqs:?}");
        shown
    }
    pub async fn events(&self, user: UserId, room: RoomId) -> Result<Vec<Event>, ErrorCode> {
        let query = PageQuery { room, after: Some(0), limit: Some(200), ..PageQuery::default() };
        self.node.history(user, query).await.map(|page| page.events.clone()).map_err(|refused| refused.code)
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
