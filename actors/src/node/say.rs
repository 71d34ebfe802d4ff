//! What a connection says that is no request to a room: markers, drafts, presence, typing, signals.

use schema::client::{self, Signal};
use schema::peer::Word;
use schema::server::{Done, Refusal};
use schema::{ClientEvent, ConnectionId, ErrorCode, RoomId, ServerEvent, UserId, limits};

use super::Node;
use crate::error::{Refused, code_of};
use crate::metrics::metrics;
use crate::read::View;
use crate::reply::RETRY_NODE_MS;
use crate::session::SessionMessage;
use crate::session::core::{BEYOND, Input};
use crate::session::owed::Owed;
use crate::shared::Shared;
use crate::shed::Class;

impl Node {
    /// What a connection says besides ordered requests and pages. Answered through its lot where it has an id.
    pub fn say(&self, user: UserId, connection: ConnectionId, event: ClientEvent) {
        let shed = &self.shared.shed;
        let mut beyond = false;
        let event = match event {
            ClientEvent::Read(e) => match self.mark(e.room, e.seq, e.ordinal) {
                Some((seq, ordinal)) => ClientEvent::Read(client::Read { seq, ordinal, ..e }),
                None => {
                    beyond = true;
                    ClientEvent::Read(e)
                }
            },
            ClientEvent::Delivered(e) if self.mark(e.room, e.seq, 0).is_none() => return,
            ClientEvent::Presence(e) => match shed.check(Class::Presence) {
                Ok(()) => ClientEvent::Presence(e),
                Err(code) => return self.refuse(connection, e.id, code),
            },
            ClientEvent::Watch(e) => match shed.check(Class::Presence) {
                Ok(()) => return self.watch(user, connection, e.id, e.users),
                Err(code) => return self.refuse(connection, e.id, code),
            },
            ClientEvent::Typing(_) | ClientEvent::Signal(_) if shed.check(Class::Presence).is_err() => return,
            ClientEvent::Typing(e) => return self.typing(user, e.room, e.on),
            ClientEvent::Signal(e) => return self.signal(user, connection, e),
            event => event,
        };
        match self.shared.home(user) {
            None => self.shared.said(user, connection, event, beyond),
            Some(home) => {
                let (asked, word) = (id_of(&event), Word::Said { user, connection, event, beyond });
                self.shared.peers.remark(&self.shared.subscribers, home, asked.map(|id| (connection, id)), &word);
            }
        }
    }

    fn mark(&self, room: RoomId, seq: u64, ordinal: u64) -> Option<(u64, u64)> {
        // A room that somebody watches has a view; whether this one is a member of it the session says.
        self.shared.subscribers.view(room).map_or(Some((seq, ordinal)), |view| mark(&view, seq, ordinal))
    }

    fn refuse(&self, connection: ConnectionId, id: u32, why: impl Into<Refused>) {
        let refused = why.into();
        let retry_after_ms = refused.code.is_temporary().then_some(RETRY_NODE_MS);
        self.shared.subscribers.send(connection, ServerEvent::Error(Refusal { retry_after_ms, ..refused.refusal(id) }));
    }

    fn watch(&self, user: UserId, connection: ConnectionId, id: u32, users: Vec<UserId>) {
        let subscribers = &self.shared.subscribers;
        if users.len() > limits::WATCH_MAX {
            return self.refuse(connection, id, ErrorCode::TooLong);
        }
        let (users, changed) = self.shared.presence.watch(connection, user, users);
        subscribers.send(connection, ServerEvent::Ok(Done { id, room: None, seq: None, ordinal: None, at: None }));
        subscribers.send(connection, ServerEvent::Presence(schema::server::Presence { users }));
        self.shared.watch(changed.begun);
        self.shared.unwatch(changed.ended);
    }

    fn typing(&self, user: UserId, room: RoomId, on: bool) {
        match self.shared.reader.owner(room) {
            None => self.shared.typing(room, user, on),
            Some(owner) => _ = self.shared.peers.say(owner, &Word::Typing { room, user, on }),
        }
    }

    fn signal(&self, user: UserId, connection: ConnectionId, signal: Signal) {
        let Signal { room, kind, data } = signal;
        if kind.len() + data.len() > limits::SIGNAL_BYTES_MAX {
            return;
        }
        match self.shared.reader.owner(room) {
            None => self.shared.signal(schema::server::Signal { room, user, kind, data }, connection),
            Some(owner) => _ = self.shared.peers.say(owner, &Word::Signal { room, user, kind, data, connection }),
        }
    }

    /// A read marker without a connection, for REST. Errors: `not_found`, `bad_request` beyond the head.
    pub async fn read(&self, user: UserId, room: RoomId, seq: u64, ordinal: u64) -> Result<(), Refused> {
        self.check_member(room, user).await?;
        let view = self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?;
        let (seq, ordinal) = mark(&view, seq, ordinal).ok_or(BEYOND)?;
        match self.shared.home(user) {
            None => self.shared.tell_session(user, SessionMessage::Event(Input::Read { connection: None, id: 0, room, seq, ordinal })),
            Some(home) if self.shared.peers.say(home, &Word::Marked { user, room, seq, ordinal }) => {}
            Some(_) => return Err(ErrorCode::Unavailable.into()),
        }
        Ok(())
    }
}

impl Shared {
    /// What a connection, of whatever node, says to the session of its user, whose home is here.
    pub(crate) fn said(&self, user: UserId, connection: ConnectionId, event: ClientEvent, beyond: bool) {
        match input(connection, event, beyond) {
            Some(input) => {
                let owed = input.asked_by().map(|(connection, id)| Owed::new(connection, id, self.subscribers.clone()));
                self.tell_session(user, SessionMessage::Said { input, owed });
            }
            None => metrics().words_unknown.increment(1),
        }
    }
}

/// As a session takes it. `beyond`: of a marker, that it is beyond the room's head. `None`: it is for a room, for the node or for the lot,
/// and a node that sends it here knows something that this one does not.
fn input(connection: ConnectionId, event: ClientEvent, beyond: bool) -> Option<Input> {
    Some(match event {
        ClientEvent::Read(e) if beyond => Input::Misread { connection, id: e.id, room: e.room },
        ClientEvent::Read(e) => Input::Read { connection: Some(connection), id: e.id, room: e.room, seq: e.seq, ordinal: e.ordinal },
        ClientEvent::Unread(e) => Input::Unread { connection, id: e.id, room: e.room, from: e.from },
        ClientEvent::Delivered(e) => Input::Delivered { room: e.room, seq: e.seq },
        ClientEvent::Draft(e) => Input::Draft { connection, id: e.id, room: e.room, text: e.text },
        ClientEvent::Presence(e) => Input::Presence { connection, id: e.id, status: e.status },
        _ => return None,
    })
}

/// Of what a session answers.
fn id_of(event: &ClientEvent) -> Option<u32> {
    match event {
        ClientEvent::Read(e) => Some(e.id),
        ClientEvent::Unread(e) => Some(e.id),
        ClientEvent::Draft(e) => Some(e.id),
        ClientEvent::Presence(e) => Some(e.id),
        _ => None,
    }
}

/// A marker as it may be kept: nobody has read beyond the head, and at the head the ordinal is known.
fn mark(view: &View, seq: u64, ordinal: u64) -> Option<(u64, u64)> {
    let ordinal = if seq == view.head { view.ordinal } else { ordinal };
    (seq <= view.head && ordinal <= view.ordinal).then_some((seq, ordinal))
}
