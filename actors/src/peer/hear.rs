//! What other nodes say, and what follows from it here. In the order in which it was said; what takes time is a task.

use std::sync::Arc;
use std::time::Duration;

use cluster::NodeId;
use schema::peer::{Change, Forwarded, Outcome, Word};
use schema::{ConnectionId, RoomId, ServerEvent, UserId};

use super::resume;
use crate::admission::Full;
use crate::metrics::metrics;
use crate::node::weight;
use crate::reply::{Answering, RETRY_MS, RETRY_NODE_MS, Reply};
use crate::room::Request;
use crate::session::SessionMessage;
use crate::session::core::Input;
use crate::shared::{Shared, now_ms};

/// How long somebody who wants to follow a room that is about to be ours is kept waiting.
const OURS_WITHIN: Duration = Duration::from_secs(2);

pub fn hear(shared: &Arc<Shared>, from: NodeId, word: Word) {
    let subscribers = &shared.subscribers;
    match word {
        Word::Begin {} => resume::heard(shared, from),
        Word::Requests { room, requests } => requested(shared, from, room, requests),
        Word::Answered { outcomes } => answered(shared, from, outcomes),
        Word::Follow { room, known, ask } => follow(shared.clone(), from, room, known, ask),
        Word::Unfollow { room } => subscribers.unfollowed(room, from),
        Word::Following { room, view, ask } => subscribers.following(room, from, view.into(), ask),
        Word::NoRoom { room } => subscribers.no_room(room, from),
        Word::Shown { room, events } => subscribers.shown(room, from, events.into_iter().map(Arc::new).collect()),
        Word::Told { room, event, except } => subscribers.tell_here(room, event, except),
        Word::Typing { room, user, on } => shared.typing(room, user, on),
        Word::Signal { room, user, kind, data, connection } => {
            let connection = shared.peers.foreign(from, connection);
            shared.signal(schema::server::Signal { room, user, kind, data }, connection);
        }
        Word::Receipt { room, user, seq, delivered } => shared.receipt(room, user, seq, delivered),
        Word::Online { room, count } => shared.relay.online_abroad(room, from, count),
        Word::Changed { user, room, seq, change } => shared.changed(user, room, seq, change),
        Word::Said { user, connection, event, beyond } => {
            shared.said(user, shared.peers.foreign(from, connection), event, beyond);
        }
        Word::Marked { user, room, seq, ordinal } => {
            shared.tell_session(user, SessionMessage::Event(Input::Read { connection: None, id: 0, room, seq, ordinal }));
        }
        Word::Detached { user, connection } => crate::depart::detach_home(shared, user, shared.peers.foreign(from, connection)),
        Word::Watch { users } => shared.presence.watch_from(subscribers, from, users),
        Word::Unwatch { users } => shared.presence.unwatch_from(from, &users),
        Word::Seen { user, status, last_seen, rooms } => shared.presence.seen_abroad(subscribers, user, status, last_seen, rooms),
        Word::Send { connection, event } if shared.peers.is_awaited(connection, &event) => subscribers.send(connection, event),
        Word::Send { .. } => {}
        Word::Enter { user, room, connections } => enter(shared.clone(), user, room, connections),
        Word::Exit { user, room, connections } => exit(shared, user, room, connections),
        Word::Revoked { user, login } => shared.revoked(user, login),
    }
}

fn requested(shared: &Arc<Shared>, from: NodeId, room: RoomId, requests: Vec<Forwarded>) {
    let slot = shared.reader.slot(room);
    if !shared.ring.is_ours(slot) {
        let outcomes = requests.into_iter().map(|request| (request.token, Outcome::Moved)).collect();
        shared.peers.say(from, &Word::Answered { outcomes });
        return;
    }
    let mut taken = Vec::with_capacity(requests.len());
    for Forwarded { token, user, order, act } in requests {
        let mut answering = Answering::new(Reply::Node { node: from, token }, room, order.cmid, shared.subscribers.clone());
        match shared.admission.enter(room, slot, weight(&act)) {
            Ok(permit) => {
                answering.hold(permit);
                taken.push(Request { user, order, act, answering });
            }
            Err(full) => {
                metrics().busy(full).increment(1);
                answering.refuse(full, Some(if full == Full::Node { RETRY_NODE_MS } else { RETRY_MS }));
            }
        }
    }
    shared.requests_here(room, taken);
}

/// Those of connections go out together.
fn answered(shared: &Arc<Shared>, from: NodeId, outcomes: Vec<(u64, Outcome)>) {
    let mut words = Vec::new();
    for (token, outcome) in outcomes {
        if outcome == Outcome::Moved {
            shared.peers.forwards.moved(token, from);
        } else if let Some(answering) = shared.peers.forwards.answered(token) {
            words.extend(answering.pass_on(outcome));
        }
    }
    shared.subscribers.answer(words);
}

fn follow(shared: Arc<Shared>, by: NodeId, room: RoomId, known: Option<u64>, ask: u64) {
    tokio::spawn(async move {
        // Whoever asks the wrong node asks the right one as soon as they know.
        if !shared.reader.serves(shared.reader.slot(room), OURS_WITHIN).await {
            return;
        }
        if let Err(error) = shared.subscribers.followed(&shared.reader, room, by, known, ask).await {
            tracing::warn!(%room, node = by.0, %error, "a node cannot follow a room yet");
        }
    });
}

/// The user's home says that their connections here have one room more.
fn enter(shared: Arc<Shared>, user: UserId, own: schema::peer::OwnRoom, connections: Vec<ConnectionId>) {
    tokio::spawn(async move {
        shared.presence.entered(&shared.subscribers, user, own.room);
        for connection in connections {
            match shared.join(user, own.room, connection).await {
                Ok(Some(view)) => {
                    let state = crate::session::actor::room_state(user, &own, &view);
                    shared.subscribers.send(connection, ServerEvent::Room(state));
                }
                Ok(None) => {}
                // It comes with the next greeting.
                Err(error) => {
                    tracing::warn!(%error, room = %own.room, "a connection could not come into a room");
                    shared.subscribers.close(connection, schema::CloseCode::Busy);
                }
            }
        }
    });
}

fn exit(shared: &Arc<Shared>, user: UserId, room: RoomId, connections: Vec<ConnectionId>) {
    shared.presence.exited(&shared.subscribers, user, room);
    connections.into_iter().for_each(|connection| shared.subscribers.part(room, connection));
}

impl Shared {
    pub(crate) fn typing(self: &Arc<Self>, room: RoomId, user: UserId, on: bool) {
        self.if_member(room, user, move |shared| shared.relay.typing(room, user, on, now_ms()));
    }
    pub(crate) fn signal(self: &Arc<Self>, signal: schema::server::Signal, from: ConnectionId) {
        let (room, user) = (signal.room, signal.user);
        self.if_member(room, user, move |shared| shared.subscribers.tell(room, ServerEvent::Signal(signal), Some(from)));
    }
    fn if_member(self: &Arc<Self>, room: RoomId, user: UserId, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let shared = self.clone();
        tokio::spawn(async move {
            if matches!(shared.reader.role(room, user).await, Ok(Some(_))) {
                then(&shared);
            }
        });
    }

    /// What a room says of a user whose home is here.
    pub(crate) fn changed(&self, user: UserId, room: RoomId, seq: u64, change: Change) {
        let input = match change {
            Change::Joined { role } => Input::Joined { room, role, seq },
            Change::Left => Input::Left { room, seq },
            Change::Mentioned { by } => Input::Mentioned { room, seq, by },
        };
        self.tell_attached(user, input);
    }
}
