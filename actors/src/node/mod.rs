//! The face of a node's actors: what the edge and the HTTP API may ask of rooms and sessions.

mod ask;
mod load;
mod say;

use std::collections::HashMap;
use std::sync::atomic::AtomicU16;
use std::sync::{Arc, OnceLock};

use cluster::{NodeId, Ring, Table};
use parking_lot::RwLock;
use ractor::Actor;
use schema::client::{Act, Order, Resume};
use schema::peer::Word;
use schema::server::Refusal;
use schema::{ConnectionId, DeviceId, LoginId, RoomId, RoomSettings, SlotId, UserId};
use store::{Journal, Records};
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::admission::{Admission, Bounds, Full};
use crate::config::Config;
use crate::directory::Directory;
use crate::error::{Error, Refused};
use crate::metrics::metrics;
use crate::outlet::{Down, Outlet};
use crate::peer::Peers;
use crate::project::Projector;
use crate::read::Reader;
use crate::relay::Relay;
use crate::reply::{Answering, RETRY_MS, RETRY_NODE_MS, Reply};
use crate::room::Request;
use crate::session::SessionMessage;
use crate::shared::{Shared, now_ms};
use crate::shed::{Class, Shed};
use crate::slot::SlotMessage;
use crate::subscribers::Subscribers;
use crate::supervisor::Supervisor;

pub use load::Load;

/// Over REST it is said before it comes here.
pub const NEW_ROOM: &str = "field `room`: name it, a new UUIDv7 of yours";

/// An ordered request of somebody who is who they say.
#[derive(Debug)]
pub struct Command {
    pub user: UserId,
    pub order: Order,
    pub act: Act,
    pub reply: Reply,
}

/// A connection whose `hello` was checked.
#[derive(Debug)]
pub struct Attach {
    pub user: UserId,
    pub device: DeviceId,
    pub login: LoginId,
    pub connection: ConnectionId,
    pub resume: Vec<Resume>,
}

/// Who owns what, and the others.
pub struct Among {
    pub ring: Arc<Ring>,
    /// Hears for this node, and may have heard already.
    pub peers: Arc<Peers>,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Node {
    pub(crate) shared: Arc<Shared>,
    projector: Arc<Projector>,
}

impl Node {
    /// A node that owns everything: takes over all slots and answers when every one of them serves.
    pub async fn start(config: Config, journal: Arc<dyn Journal>, records: Arc<dyn Records>, outlets: Vec<Outlet>) -> Result<Self, Error> {
        let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), journal.grant(), config.slots)));
        Self::start_among(Among { ring, peers: Arc::default() }, config, journal, records, outlets).await
    }

    /// One of several: takes over the slots that are its own by the ring, and answers when they are served.
    pub async fn start_among(
        Among { ring, peers }: Among,
        config: Config,
        journal: Arc<dyn Journal>,
        records: Arc<dyn Records>,
        outlets: Vec<Outlet>,
    ) -> Result<Self, Error> {
        // Slots that come to be ours meanwhile are taken over when the node hears of it.
        let (slots, table) = (ring.slots(), ring.table());
        let reader = Reader::new(records, ring.clone()).among(peers.clone()).keeping(config.pages_bytes_max);
        // Alone on its store, its slots are its own: a read costs no question.
        let reader = if peers.are_any() { reader.confirmed_by(journal.clone()) } else { reader };
        let bell = Arc::new(Notify::new());
        let bounds = Bounds {
            room_requests_max: config.room_requests_max,
            room_bytes_max: config.room_bytes_max,
            slot_bytes_max: config.slot_bytes_max,
            node_bytes_max: config.node_bytes_max,
        };
        let shared = Arc::new(Shared {
            appends: config.appends_in_flight_max.map(Semaphore::new),
            config,
            ring: ring.clone(),
            journal: journal.clone(),
            reader: reader.clone(),
            subscribers: Arc::new(Subscribers::new(outlets, peers.clone())),
            peers: peers.clone(),
            rooms: Directory::new(),
            admission: Admission::new(bounds, slots),
            shed: Shed::default(),
            sessions: Directory::new(),
            presence: Default::default(),
            relay: Arc::new(Relay::default()),
            slots: RwLock::default(),
            activations: (0..slots).map(|_| AtomicU16::new(0)).collect(),
            bell: bell.clone(),
            on_revoked: OnceLock::new(),
        });
        let spawned = Actor::spawn(None, Supervisor, shared.clone()).await;
        spawned.map_err(|error| Error::Slot { slot: 0, why: error.to_string() })?;
        for slot in (0..slots).map(SlotId).filter(|slot| table.slots[usize::from(slot.0)].owner == ring.node()) {
            let (answer, answered) = oneshot::channel();
            let _ = shared.slot(slot).cast(SlotMessage::WhenServing(answer));
            // Given up before it was served: somebody else has it by now.
            let serving = answered.await.unwrap_or(Ok(()));
            serving.map_err(|why| Error::Slot { slot: slot.0, why })?;
        }
        let told = shared.clone();
        let projected = Box::new(move |slot: SlotId, block| drop(told.slot(slot).cast(SlotMessage::Projected(block))));
        let projector = Arc::new(Projector { reader, journal, bell, slots, projected });
        tokio::spawn(projector.clone().run());
        tokio::spawn(shared.relay.clone().run(Arc::downgrade(&shared), now_ms));
        tokio::spawn(crate::depart::run(Arc::downgrade(&shared), shared.config.offline_after));
        peers.start(&shared);
        Ok(Self { shared, projector })
    }

    /// Never blocks. Answered exactly once; `busy` when the room, its slot or the node has as much waiting as it may.
    pub fn command(&self, command: Command) {
        self.commands([command]);
    }

    /// The same for several: those of one room reach it in their order and as one message.
    pub fn commands(&self, commands: impl IntoIterator<Item = Command>) {
        let mut rooms: Vec<(RoomId, Vec<Request>)> = Vec::new();
        let mut places: HashMap<RoomId, usize> = HashMap::new();
        for request in commands.into_iter().filter_map(|command| self.admit(command)) {
            let room = request.order.room;
            match rooms.last_mut() {
                Some((last, requests)) if *last == room => requests.push(request),
                _ => {
                    let place = *places.entry(room).or_insert(rooms.len());
                    if place == rooms.len() {
                        rooms.push((room, Vec::new()));
                    }
                    rooms[place].1.push(request);
                }
            }
        }
        rooms.into_iter().for_each(|(room, requests)| self.shared.requests(room, requests));
    }

    /// With its places; without them it is refused.
    fn admit(&self, command: Command) -> Option<Request> {
        let Command { user, mut order, act, reply } = command;
        if let Act::Create { kind: schema::RoomKind::Direct, members, .. } = &act {
            order.room = RoomId::direct(user, members.first().copied().unwrap_or(user));
        }
        let shared = &self.shared;
        let is_client = matches!(reply, Reply::Connection { .. });
        let mut answering = Answering::new(reply, order.room, order.cmid, shared.subscribers.clone());
        if matches!(act, Act::Create { kind, .. } if kind != schema::RoomKind::Direct) && is_client && !order.room.is_of_client() {
            answering.refuse(Refused::bad(NEW_ROOM), None);
            return None;
        }
        if let Err(why) = shared.shed.check(Class::Send) {
            answering.refuse(why, Some(RETRY_NODE_MS));
            return None;
        }
        match shared.admission.enter(order.room, shared.reader.slot(order.room), weight(&act)) {
            Ok(permit) => answering.hold(permit),
            Err(full) => {
                metrics().busy(full).increment(1);
                answering.refuse(full, Some(if full == Full::Node { RETRY_NODE_MS } else { RETRY_MS }));
                return None;
            }
        }
        Some(Request { user, order, act, answering })
    }

    /// Greets a connection by `Down::Greet`. Errors: why not; the connection is to be told and closed.
    pub async fn attach(&self, attach: Attach) -> Result<(), Refusal> {
        crate::greet::greet(&self.shared, attach).await
    }

    /// The connection is gone.
    pub fn detach(&self, user: UserId, connection: ConnectionId) {
        crate::depart::detach(&self.shared, user, connection);
    }

    /// A lot has fewer connections in a room than it was sent joins for.
    pub fn left(&self, room: RoomId, lot: u16, count: u32) {
        self.shared.subscribers.left(room, lot, count);
    }

    /// The ring has another table: whatever follows from that is done. Slots that are ours now are taken over, those of others given up.
    pub fn placed(&self, before: &Table) {
        crate::peer::placed(&self.shared, before);
    }

    /// Once, by wiring: who is told of a login that another node revoked, before its sockets are closed.
    pub fn on_revoked(&self, tell: impl Fn(LoginId) + Send + Sync + 'static) {
        let _ = self.shared.on_revoked.set(Box::new(tell));
    }

    /// Closes the sockets of a revoked login, on all nodes.
    pub fn close_login(&self, user: UserId, login: LoginId) {
        self.shared.close_login(user, login);
        for node in self.shared.peers.up() {
            self.shared.peers.say(node, &Word::Revoked { user, login });
        }
    }

    /// Tells all connections to go, spread over the window.
    pub fn send_away(&self, window_ms: u32) {
        self.shared.subscribers.outlets().iter().for_each(|outlet| outlet.push(Down::Drain { window_ms }));
    }

    /// Before another node takes a slot over: what its sessions have not saved is saved, and what it would have to read is carried.
    pub async fn settle(&self, slot: SlotId) -> Result<(), Error> {
        self.save(|user| self.shared.session_slot(user) == slot).await;
        Ok(self.projector.carry().await?)
    }

    async fn save(&self, which: impl Fn(UserId) -> bool) {
        let mut waits = Vec::new();
        self.shared.sessions.for_each_awake(|user, actor| {
            if which(user) {
                let (answer, answered) = oneshot::channel();
                let _ = actor.cast(SessionMessage::Save { answer });
                waits.push(answered);
            }
        });
        for answered in waits {
            let _ = answered.await;
        }
    }

    /// Everything that was applied is in the projections when this returns. Errors: the store's.
    pub async fn flush(&self) -> Result<(), Error> {
        self.save(|_| true).await;
        Ok(self.projector.carry().await?)
    }
}

/// Bytes that a request counts for while it waits: no less than those of the event it becomes.
pub(crate) fn weight(act: &Act) -> usize {
    const FIELDS: usize = 384;
    let of_settings = |settings: &RoomSettings| settings.name.len() + settings.topic.len();
    FIELDS
        + match act {
            Act::Post { text, origin, .. } => text.len() + origin.as_ref().and_then(|o| o.thread.as_ref()).map_or(0, String::len),
            Act::Edit { text, .. } => text.len(),
            Act::Delete { reason, .. } => reason.as_ref().map_or(0, String::len),
            Act::React { emoji, .. } => emoji.len(),
            Act::Create { settings, members, .. } => of_settings(settings) + members.len() * 48,
            Act::Settings { settings } => of_settings(settings),
            Act::Pin { .. } | Act::Join | Act::Leave | Act::Invite { .. } | Act::Kick { .. } | Act::Role { .. } => 0,
        }
}
