//! What all actors of a node share: the ways to each other, to the store and down to connections. Wired once, in `Node::start`.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use cluster::{Kind, NodeId, Ring};
use parking_lot::RwLock;
use ractor::ActorRef;
use schema::peer::{Change, Word};
use schema::{ConnectionId, ErrorCode, Event, EventBody, LoginId, RoomId, SlotId, UserId};
use store::Journal;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::admission::Admission;
use crate::config::Config;
use crate::directory::{Directory, Told};
use crate::peer::Peers;
use crate::presence::{Counts, Presence};
use crate::read::{Reader, View};
use crate::relay::Relay;
use crate::room::{Request, RoomMessage};
use crate::session::core::Input;
use crate::session::core::OwnRoom;
use crate::session::{Parked, SessionMessage};
use crate::shed::Shed;
use crate::slot::SlotMessage;
use crate::subscribers::{Answered, Subscribers};

/// Told of a login that another node revoked.
pub type OnRevoked = Box<dyn Fn(LoginId) + Send + Sync>;

pub struct Shared {
    pub config: Config,
    pub ring: Arc<Ring>,
    pub peers: Arc<Peers>,
    pub journal: Arc<dyn Journal>,
    pub reader: Reader,
    pub subscribers: Arc<Subscribers>,
    pub rooms: Directory<RoomId, RoomMessage, ()>,
    pub admission: Admission,
    pub shed: Shed,
    pub sessions: Directory<UserId, SessionMessage, Parked>,
    pub presence: Presence,
    pub relay: Arc<Relay>,
    /// By slot number; a broken one is replaced.
    pub slots: RwLock<Vec<ActorRef<SlotMessage>>>,
    /// By slot number: how often it was taken over by this process. No two activations share an epoch.
    pub activations: Vec<AtomicU16>,
    /// Appends in flight on this node; as many as the backend bears.
    pub appends: Option<Semaphore>,
    /// Rings when the projector has much to carry.
    pub bell: Arc<Notify>,
    pub on_revoked: OnceLock<OnRevoked>,
}

impl Shared {
    pub fn slot(&self, slot: SlotId) -> ActorRef<SlotMessage> {
        self.slots.read()[usize::from(slot.0)].clone()
    }
    pub fn session_slot(&self, user: UserId) -> SlotId {
        self.ring.slot(Kind::User, user.as_bytes())
    }
    /// Who has the user's session; `None`: this node.
    pub fn home(&self, user: UserId) -> Option<NodeId> {
        let owner = self.ring.placement(self.session_slot(user)).owner;
        (owner != self.ring.node()).then_some(owner)
    }
    /// A fresh activation of a slot, from 1.
    pub fn activate(&self, slot: SlotId) -> u16 {
        let before = self.activations[usize::from(slot.0)].fetch_add(1, Ordering::Relaxed);
        before.checked_add(1).expect("a slot is not taken over 65,535 times by one process")
    }

    pub fn tell_room(&self, room: RoomId, message: RoomMessage) {
        if self.rooms.tell(room, message) == Told::Wake {
            let _ = self.slot(self.reader.slot(room)).cast(SlotMessage::WakeRoom(room));
        }
    }
    /// What people here want of a room, in their order, wherever the room is.
    pub fn requests(&self, room: RoomId, requests: Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        match self.reader.owner(room) {
            None => self.requests_here(room, requests),
            Some(_) => self.peers.forwards.take(self, room, requests),
        }
    }
    /// The same of a room that is ours.
    pub fn requests_here(&self, room: RoomId, requests: Vec<Request>) {
        self.tell_room(room, RoomMessage::Requests(requests));
    }
    /// What waits for a room that somebody else has now.
    pub fn give_back(&self, room: RoomId) {
        let requests: Vec<Request> = self.rooms.lost(room).into_iter().flat_map(RoomMessage::moved).collect();
        self.requests(room, requests);
    }

    /// The user's rooms, by their session, which is here.
    pub async fn own_rooms(&self, user: UserId) -> Result<Vec<OwnRoom>, ErrorCode> {
        let (answer, answered) = oneshot::channel();
        self.tell_session(user, SessionMessage::Rooms { answer });
        answered.await.map_err(|_| ErrorCode::Unavailable)
    }
    /// Another node revoked it.
    pub fn revoked(&self, user: UserId, login: LoginId) {
        if let Some(tell) = self.on_revoked.get() {
            tell(login);
        }
        self.close_login(user, login);
    }
    /// Closes the sockets that a revoked login has here.
    pub fn close_login(&self, user: UserId, login: LoginId) {
        for attachment in self.presence.attachments(user).into_iter().filter(|attachment| attachment.login == login) {
            if self.peers.abroad(attachment.connection).is_none() {
                self.subscribers.close(attachment.connection, schema::CloseCode::Revoked);
            }
        }
    }
    /// Members of rooms came, or went, whose home is here.
    pub fn count(&self, counts: Counts) {
        counts.into_iter().for_each(|(room, came)| self.relay.online(room, came));
    }
    /// How far a member of a room has read, for the others.
    pub fn receipt(&self, room: RoomId, user: UserId, seq: u64, delivered: u64) {
        match self.reader.owner(room) {
            None => self.relay.receipt(room, user, seq, delivered),
            Some(owner) => _ = self.peers.say(owner, &Word::Receipt { room, user, seq, delivered }),
        }
    }

    /// Not if somebody else has the session: whoever says it says it to them as soon as they know.
    pub fn tell_session(&self, user: UserId, message: SessionMessage) {
        if self.home(user).is_some() {
            return;
        }
        if self.sessions.tell(user, message) == Told::Wake {
            let _ = self.slot(self.session_slot(user)).cast(SlotMessage::WakeSession(user));
        }
    }

    /// From the answered view on the connection gets the room's events. `None`: there is no such room, or the user is not
    /// in it any more.
    pub async fn join(&self, user: UserId, room: RoomId, connection: ConnectionId) -> Result<Option<View>, store::Error> {
        self.subscribers.join(&self.reader, user, room, connection).await
    }

    /// Shows applied events of a room to everybody who watches, and tells the people whose rooms change by them.
    pub fn show(&self, room: RoomId, events: &[Arc<Event>]) {
        self.show_answered(room, events, Vec::new());
    }

    /// The same behind the answers to those who asked for these events.
    pub fn show_answered(&self, room: RoomId, events: &[Arc<Event>], answers: Vec<Answered>) {
        self.subscribers.show_answered(room, events, answers);
        for event in events {
            match &event.body {
                EventBody::Created { members, .. } => {
                    members.iter().for_each(|member| self.change(member.user, event, Change::Joined { role: member.role }));
                }
                EventBody::Member { user, role: Some(role), .. } => self.change(*user, event, Change::Joined { role: *role }),
                EventBody::Member { user, role: None, .. } => self.change(*user, event, Change::Left),
                EventBody::Message(message) if message.text.contains("<@") => {
                    for user in schema::mention::mentions(&message.text, MENTIONS_MAX) {
                        self.change(user, event, Change::Mentioned { by: event.user });
                    }
                }
                _ => {}
            }
        }
    }

    /// What a room says of somebody, to their home.
    fn change(&self, user: UserId, event: &Event, change: Change) {
        let (room, seq) = (event.room, event.seq);
        match self.home(user) {
            None => self.changed(user, room, seq, change),
            Some(home) => _ = self.peers.say(home, &Word::Changed { user, room, seq, change }),
        }
    }

    /// Only those who are here need to hear it, and sessions that are awake for somebody who is not (over REST); the
    /// others read it when they wake.
    pub(crate) fn tell_attached(&self, user: UserId, input: Input) {
        if self.presence.is_attached(user) {
            self.tell_session(user, SessionMessage::Event(input));
        } else {
            self.sessions.tell_awake(user, SessionMessage::Event(input));
        }
    }
}

/// People named in one message who are told at once.
const MENTIONS_MAX: usize = 50;

/// The wall clock, in milliseconds since 1970. Only shells call this; cores get it as a value.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}
