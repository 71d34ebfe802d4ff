//! What all actors of a node share: the ways to each other, to the store and down to connections. Wired once, in `Node::start`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use cluster::{Kind, Ring};
use parking_lot::RwLock;
use ractor::ActorRef;
use schema::{ConnectionId, Event, EventBody, RoomId, SlotId, UserId};
use store::Journal;
use tokio::sync::{Notify, Semaphore};

use crate::admission::Admission;
use crate::config::Config;
use crate::directory::{Directory, Told};
use crate::presence::Presence;
use crate::read::{Reader, View};
use crate::relay::Relay;
use crate::room::RoomMessage;
use crate::session::core::Input;
use crate::session::{Parked, SessionMessage};
use crate::shed::Shed;
use crate::slot::SlotMessage;
use crate::subscribers::{Subscribers, Word};

pub struct Shared {
    pub config: Config,
    pub ring: Arc<Ring>,
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
}

impl Shared {
    pub fn slot(&self, slot: SlotId) -> ActorRef<SlotMessage> {
        self.slots.read()[usize::from(slot.0)].clone()
    }
    pub fn session_slot(&self, user: UserId) -> SlotId {
        self.ring.slot(Kind::User, user.as_bytes())
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
    pub fn tell_session(&self, user: UserId, message: SessionMessage) {
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
    pub fn show_answered(&self, room: RoomId, events: &[Arc<Event>], answers: Vec<Word>) {
        self.subscribers.show_answered(room, events, answers);
        for event in events {
            match &event.body {
                EventBody::Created { members, .. } => {
                    for member in members {
                        self.tell_attached(member.user, || Input::Joined { room, role: member.role, seq: event.seq });
                    }
                }
                EventBody::Member { user, role: Some(role), .. } => {
                    self.tell_attached(*user, || Input::Joined { room, role: *role, seq: event.seq });
                }
                EventBody::Member { user, role: None, .. } => {
                    self.tell_attached(*user, || Input::Left { room, seq: event.seq });
                }
                EventBody::Message(message) if message.text.contains("<@") => {
                    for user in schema::mention::mentions(&message.text, MENTIONS_MAX) {
                        self.tell_attached(user, || Input::Mentioned { room, seq: event.seq, by: event.user });
                    }
                }
                _ => {}
            }
        }
    }

    /// Only those who are here need to hear it, and sessions that are awake for somebody who is not (over REST); the
    /// others read it when they wake.
    fn tell_attached(&self, user: UserId, input: impl FnOnce() -> Input) {
        if self.presence.is_attached(user) {
            self.tell_session(user, SessionMessage::Event(input()));
        } else {
            self.sessions.tell_awake(user, SessionMessage::Event(input()));
        }
    }
}

/// People named in one message who are told at once.
const MENTIONS_MAX: usize = 50;

/// The wall clock, in milliseconds since 1970. Only shells call this; cores get it as a value.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}
