//! What a connection says that is no request to a room: markers, drafts, presence, typing, signals.

use schema::client::Signal;
use schema::server::{Done, Refusal};
use schema::{ClientEvent, ConnectionId, ErrorCode, RoomId, ServerEvent, UserId, limits};

use super::Node;
use crate::error::{Refused, code_of};
use crate::read::View;
use crate::reply::RETRY_NODE_MS;
use crate::session::SessionMessage;
use crate::session::core::{BEYOND, Input};
use crate::shared::now_ms;
use crate::shed::Class;

impl Node {
    /// What a connection says besides ordered requests and pages. Answered through its lot where it has an id.
    pub fn say(&self, user: UserId, connection: ConnectionId, event: ClientEvent) {
        let shed = &self.shared.shed;
        let input = match event {
            ClientEvent::Read(e) => match self.mark(e.room, e.seq, e.ordinal) {
                Some((seq, ordinal)) => Input::Read { connection: Some(connection), id: e.id, room: e.room, seq, ordinal },
                None => Input::Misread { connection, id: e.id, room: e.room },
            },
            ClientEvent::Unread(e) => Input::Unread { connection, id: e.id, room: e.room, from: e.from },
            ClientEvent::Delivered(e) => match self.mark(e.room, e.seq, 0) {
                Some((seq, _)) => Input::Delivered { room: e.room, seq },
                None => return,
            },
            ClientEvent::Draft(e) => Input::Draft { connection, id: e.id, room: e.room, text: e.text },
            ClientEvent::Presence(e) => match shed.check(Class::Presence) {
                Ok(()) => Input::Presence { connection, id: e.id, status: e.status },
                Err(code) => return self.refuse(connection, e.id, code),
            },
            ClientEvent::Watch(e) => match shed.check(Class::Presence) {
                Ok(()) => return self.watch(user, connection, e.id, e.users),
                Err(code) => return self.refuse(connection, e.id, code),
            },
            ClientEvent::Typing(_) | ClientEvent::Signal(_) if shed.check(Class::Presence).is_err() => return,
            ClientEvent::Typing(e) => return self.typing(user, e.room, e.on),
            ClientEvent::Signal(e) => return self.signal(user, connection, e),
            other => unreachable!("{other:?} is for a room or for the lot"),
        };
        self.shared.tell_session(user, SessionMessage::Event(input));
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
}

/// A marker as it may be kept: nobody has read beyond the head, and at the head the ordinal is known.
fn mark(view: &View, seq: u64, ordinal: u64) -> Option<(u64, u64)> {
    let ordinal = if seq == view.head { view.ordinal } else { ordinal };
    (seq <= view.head && ordinal <= view.ordinal).then_some((seq, ordinal))
}
