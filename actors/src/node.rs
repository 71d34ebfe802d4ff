//! The face of a node's actors: what the edge and the HTTP API may ask of rooms and sessions.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;

use cluster::{NodeId, Ring, Table};
use parking_lot::RwLock;
use ractor::Actor;
use schema::client::{Act, Order, Resume, Signal};
use schema::record::Receipt;
use schema::server::{Done, Refusal, RoomState, UserStatus};
use schema::{ClientEvent, ConnectionId, DeviceId, ErrorCode, Event, LoginId, Role, RoomId, ServerEvent, SlotId, UserId, limits, rest};
use store::{Journal, Range, Records, RecordsExt};
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::config::Config;
use crate::directory::Directory;
use crate::error::{Error, Refused, code_of};
use crate::metrics::metrics;
use crate::outlet::{Down, Outlet};
use crate::project::Projector;
use crate::read::{PageQuery, Pinned, Reader, View};
use crate::relay::Relay;
use crate::reply::{Answering, RETRY_MS, Reply};
use crate::room::{Request, RoomMessage};
use crate::session::actor::room_state;
use crate::session::core::Input;
use crate::session::{Attachment, SessionMessage};
use crate::shared::{Shared, now_ms};
use crate::slot::SlotMessage;
use crate::subscribers::Subscribers;
use crate::supervisor::Supervisor;

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

/// Cheap to clone.
#[derive(Clone)]
pub struct Node {
    pub(crate) shared: Arc<Shared>,
    projector: Arc<Projector>,
}

impl Node {
    /// Takes over all slots and answers when every one of them serves.
    pub async fn start(config: Config, journal: Arc<dyn Journal>, records: Arc<dyn Records>, outlets: Vec<Outlet>) -> Result<Self, Error> {
        let slots = config.slots;
        let ring = Arc::new(Ring::new(NodeId(1), Table::alone(NodeId(1), journal.grant(), slots)));
        let reader = Reader::new(records, ring.clone());
        let bell = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            appends: config.appends_in_flight_max.map(Semaphore::new),
            config,
            ring,
            journal: journal.clone(),
            reader: reader.clone(),
            subscribers: Arc::new(Subscribers::new(outlets)),
            rooms: Directory::new(),
            gates: Default::default(),
            sessions: Directory::new(),
            presence: Default::default(),
            relay: Arc::new(Relay::default()),
            slots: RwLock::default(),
            activations: (0..slots).map(|_| AtomicU16::new(0)).collect(),
            bell: bell.clone(),
        });
        let spawned = Actor::spawn(None, Supervisor, shared.clone()).await;
        spawned.map_err(|error| Error::Slot { slot: 0, why: error.to_string() })?;
        for slot in (0..slots).map(SlotId) {
            let (answer, answered) = oneshot::channel();
            let _ = shared.slot(slot).cast(SlotMessage::WhenServing(answer));
            let serving = answered.await.unwrap_or_else(|_| Err("its actor ended".to_owned()));
            serving.map_err(|why| Error::Slot { slot: slot.0, why })?;
        }
        let told = shared.clone();
        let projected = Box::new(move |slot: SlotId, block| drop(told.slot(slot).cast(SlotMessage::Projected(block))));
        let projector = Arc::new(Projector { reader, journal, bell, slots, projected });
        tokio::spawn(projector.clone().run());
        tokio::spawn(shared.relay.clone().run(shared.subscribers.clone(), now_ms));
        Ok(Self { shared, projector })
    }

    /// Never blocks. Answered exactly once; `busy` when the room has as much waiting as it may.
    pub fn command(&self, command: Command) {
        let Command { user, mut order, act, reply } = command;
        if let Act::Create { kind: schema::RoomKind::Direct, members, .. } = &act {
            order.room = RoomId::direct(user, members.first().copied().unwrap_or(user));
        }
        let shared = &self.shared;
        let mut answering = Answering::new(reply, order.room, order.cmid, shared.subscribers.clone());
        let gate = shared.gate(order.room);
        match gate.enter(weight(&act), shared.config.room_requests_max, shared.config.room_bytes_max) {
            Some(permit) => {
                answering.hold(permit);
                shared.tell_room(order.room, RoomMessage::Request(Box::new(Request { user, order, act, answering })));
            }
            None => {
                metrics().busy.increment(1);
                answering.refuse(ErrorCode::Busy, Some(RETRY_MS));
            }
        }
    }

    /// Greets a connection by `Down::Greet`. Errors: why not; the connection is to be told and closed.
    pub async fn attach(&self, attach: Attach) -> Result<(), Refusal> {
        crate::greet::greet(&self.shared, attach).await
    }

    /// The connection is gone.
    pub fn detach(&self, user: UserId, connection: ConnectionId) {
        crate::greet::detach(&self.shared, user, connection);
    }

    /// A lot has fewer connections in a room than it was sent joins for.
    pub fn left(&self, room: RoomId, lot: u16, count: u32) {
        self.shared.subscribers.left(room, lot, count);
    }

    /// What a connection says besides ordered requests and pages. Answered through its lot where it has an id.
    pub fn say(&self, user: UserId, connection: ConnectionId, event: ClientEvent) {
        let input = match event {
            ClientEvent::Read(e) => match self.mark(e.room, e.seq, e.ordinal) {
                Some((seq, ordinal)) => Input::Read { connection: Some(connection), id: e.id, room: e.room, seq, ordinal },
                None => return self.refuse(connection, e.id, BEYOND),
            },
            ClientEvent::Unread(e) => Input::Unread { connection, id: e.id, room: e.room, from: e.from },
            ClientEvent::Delivered(e) => match self.mark(e.room, e.seq, 0) {
                Some((seq, _)) => Input::Delivered { room: e.room, seq },
                None => return,
            },
            ClientEvent::Draft(e) => Input::Draft { connection, id: e.id, room: e.room, text: e.text },
            ClientEvent::Presence(e) => Input::Presence { connection, id: e.id, status: e.status },
            ClientEvent::Watch(e) => return self.watch(user, connection, e.id, e.users),
            ClientEvent::Typing(e) => return self.typing(user, e.room, e.on),
            ClientEvent::Signal(e) => return self.signal(user, connection, e),
            other => unreachable!("{other:?} is for a room or for the lot"),
        };
        self.shared.tell_session(user, SessionMessage::Event(input));
    }

    fn mark(&self, room: RoomId, seq: u64, ordinal: u64) -> Option<(u64, u64)> {
        // Who watches a room has a view of it; who does not is no member, which the session says.
        self.shared.subscribers.view(room).map_or(Some((seq, ordinal)), |view| mark(&view, seq, ordinal))
    }

    fn refuse(&self, connection: ConnectionId, id: u32, why: impl Into<Refused>) {
        self.shared.subscribers.send(connection, ServerEvent::Error(why.into().refusal(id)));
    }

    fn watch(&self, user: UserId, connection: ConnectionId, id: u32, users: Vec<UserId>) {
        let subscribers = &self.shared.subscribers;
        if users.len() > limits::WATCH_MAX {
            return self.refuse(connection, id, ErrorCode::TooLong);
        }
        let users = self.shared.presence.watch(connection, user, users);
        subscribers.send(connection, ServerEvent::Ok(Done { id, room: None, seq: None, ordinal: None, at: None }));
        subscribers.send(connection, ServerEvent::Presence(schema::server::Presence { users }));
    }

    fn typing(&self, user: UserId, room: RoomId, on: bool) {
        let shared = self.shared.clone();
        tokio::spawn(async move {
            if matches!(shared.reader.role(room, user).await, Ok(Some(_))) {
                shared.relay.typing(room, user, on, now_ms());
            }
        });
    }

    fn signal(&self, user: UserId, connection: ConnectionId, signal: Signal) {
        let Signal { room, kind, data } = signal;
        if kind.len() + data.len() > limits::SIGNAL_BYTES_MAX {
            return;
        }
        let shared = self.shared.clone();
        tokio::spawn(async move {
            if matches!(shared.reader.role(room, user).await, Ok(Some(_))) {
                let event = ServerEvent::Signal(schema::server::Signal { room, user, kind, data });
                shared.subscribers.tell(room, event, Some(connection));
            }
        });
    }

    /// A read marker without a connection, for REST. Errors: `not_found`, `bad_request` beyond the head.
    pub async fn read(&self, user: UserId, room: RoomId, seq: u64, ordinal: u64) -> Result<(), Refused> {
        self.check_member(room, user).await?;
        let view = self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?;
        let (seq, ordinal) = mark(&view, seq, ordinal).ok_or(BEYOND)?;
        let input = Input::Read { connection: None, id: 0, room, seq, ordinal };
        self.shared.tell_session(user, SessionMessage::Event(input));
        Ok(())
    }

    /// Errors: as `Reader::page`.
    pub async fn history(&self, user: UserId, query: PageQuery) -> Result<rest::Page, Refused> {
        self.shared.reader.page(user, query).await
    }

    /// Errors: `not_found`; `too_long` for more than `limits::RESUME_ROOM_EVENTS_MAX` events; `bad_request` beyond the head.
    pub async fn state_hash(&self, user: UserId, room: RoomId, from: u64, to: u64) -> Result<String, Refused> {
        self.check_member(room, user).await?;
        let view = self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?;
        if from == 0 || from > to || to > view.head {
            return Err(Refused::bad("fields `from`, `to`: they are seqs of the room, from 1 up to its head, in this order"));
        }
        if to - from >= limits::RESUME_ROOM_EVENTS_MAX {
            return Err(Refused { code: ErrorCode::TooLong, why: "fields `from`, `to`: more events than `resume_room_events_max`" });
        }
        let events = self.shared.reader.events(room, from, to).await.map_err(code_of)?;
        Ok(schema::fold::RoomFold::of(room, events.iter().map(|event| &**event)).hash())
    }

    pub async fn rooms(&self, user: UserId) -> Result<Vec<RoomState>, ErrorCode> {
        let (answer, answered) = oneshot::channel();
        self.shared.tell_session(user, SessionMessage::Rooms { answer });
        let own = answered.await.map_err(|_| ErrorCode::Unavailable)?;
        let mut rooms = Vec::with_capacity(own.len());
        for own in own {
            let view = match self.shared.subscribers.view(own.room) {
                Some(view) => Some(view),
                None => self.shared.reader.view(own.room).await.map_err(code_of)?,
            };
            rooms.extend(view.map(|view| room_state(user, &own, &view)));
        }
        Ok(rooms)
    }

    pub async fn room(&self, user: UserId, room: RoomId) -> Result<RoomState, ErrorCode> {
        self.check_member(room, user).await?;
        self.rooms(user).await?.into_iter().find(|state| state.room == room).ok_or(ErrorCode::NotFound)
    }

    pub async fn members(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<rest::MemberEntry>, ErrorCode> {
        self.check_member(room, user).await?;
        let members = self.shared.reader.members(room, after, limit).await.map_err(code_of)?;
        Ok(members.into_iter().map(|(user, role)| rest::MemberEntry { user, role }).collect())
    }

    /// The public channels of a workspace, and those private ones that the user is in.
    pub async fn channels(
        &self,
        user: UserId,
        workspace: RoomId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<rest::ChannelEntry>, ErrorCode> {
        self.check_member(workspace, user).await?;
        self.shared.reader.channels(user, workspace, after, limit).await.map_err(code_of)
    }

    /// The pinned messages of a room above `after`. Errors: `not_found`.
    pub async fn pins(&self, user: UserId, room: RoomId, after: u64, limit: usize) -> Result<Pinned, ErrorCode> {
        self.check_member(room, user).await?;
        self.shared.reader.pins(room, after, limit).await.map_err(code_of)
    }

    /// How far the members of a room have read; rows may lag a few seconds behind what sockets were told.
    pub async fn receipts(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<rest::ReceiptEntry>, ErrorCode> {
        self.check_member(room, user).await?;
        let from = after.map(|user| [user.as_bytes().as_slice(), &[0]].concat()).unwrap_or_default();
        let range = Range::all(Receipt::key_of(room, UserId::default()), limit).from(from);
        let rows = self.shared.reader.records.list::<Receipt>(range).await.map_err(code_of)?;
        Ok(rows.into_iter().map(|(row, _)| rest::ReceiptEntry { user: row.user, seq: row.seq, delivered: row.delivered }).collect())
    }

    /// The user's role in a room, as of everything applied.
    pub async fn role(&self, room: RoomId, user: UserId) -> Result<Option<Role>, ErrorCode> {
        self.shared.reader.role(room, user).await.map_err(code_of)
    }

    /// The room's last applied seq. Errors: `not_found`.
    pub async fn head(&self, room: RoomId) -> Result<u64, ErrorCode> {
        Ok(self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?.head)
    }

    /// Events after `after` and the head, for an operator: no right to read is asked for. Errors: `not_found`.
    pub async fn export(&self, room: RoomId, after: u64, limit: u64) -> Result<(Vec<Event>, u64), ErrorCode> {
        let head = self.head(room).await?;
        let events = self.shared.reader.events(room, after + 1, head.min(after.saturating_add(limit))).await.map_err(code_of)?;
        Ok((events.into_iter().map(Arc::unwrap_or_clone).collect(), head))
    }

    async fn check_member(&self, room: RoomId, user: UserId) -> Result<(), ErrorCode> {
        let role = self.shared.reader.role(room, user).await.map_err(code_of)?;
        role.map(|_| ()).ok_or(ErrorCode::NotFound)
    }

    /// How these people are, as this one may know it: a status is for those who share a room. One look into the store,
    /// however many are asked for.
    pub async fn presence_of(&self, user: UserId, users: &[UserId]) -> Result<Vec<UserStatus>, ErrorCode> {
        let rooms = self.shared.reader.rooms_of(user).await.map_err(code_of)?;
        Ok(self.shared.presence.seen_from(user, rooms.into_keys(), users))
    }

    /// Closes the sockets of a revoked login.
    pub fn close_login(&self, user: UserId, login: LoginId) {
        for Attachment { connection, .. } in self.shared.presence.attachments(user).into_iter().filter(|a| a.login == login) {
            self.shared.subscribers.outlet(connection).push(Down::Close { connection, code: schema::CloseCode::Revoked });
        }
    }

    /// Tells all connections to go, spread over the window.
    pub fn send_away(&self, window_ms: u32) {
        self.shared.subscribers.outlets().iter().for_each(|outlet| outlet.push(Down::Drain { window_ms }));
    }

    /// Everything that was applied is in the projections when this returns. Errors: the store's.
    pub async fn flush(&self) -> Result<(), Error> {
        let mut waits = Vec::new();
        self.shared.sessions.for_each_awake(|_, actor| {
            let (answer, answered) = oneshot::channel();
            let _ = actor.cast(SessionMessage::Save { answer });
            waits.push(answered);
        });
        for answered in waits {
            let _ = answered.await;
        }
        Ok(self.projector.carry().await?)
    }
}

const BEYOND: Refused = Refused { code: ErrorCode::BadRequest, why: "fields `seq`, `ordinal`: they are beyond the room's head" };

/// A marker as it may be kept: nobody has read beyond the head, and at the head the ordinal is known.
fn mark(view: &View, seq: u64, ordinal: u64) -> Option<(u64, u64)> {
    let ordinal = if seq == view.head { view.ordinal } else { ordinal };
    (seq <= view.head && ordinal <= view.ordinal).then_some((seq, ordinal))
}

/// Bytes that a request counts for in its room's queue.
fn weight(act: &Act) -> usize {
    const FIELDS: usize = 256;
    FIELDS
        + match act {
            Act::Post { text, .. } | Act::Edit { text, .. } => text.len(),
            Act::Create { members, .. } => members.len() * 48,
            _ => 0,
        }
}
