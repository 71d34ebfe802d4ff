//! The one answer that every ordered request gets, and its place in the room's bounded queue while it has none.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use schema::server::{Done, Refusal};
use schema::{Cmid, ConnectionId, ErrorCode, RoomId, ServerEvent, rest};
use tokio::sync::oneshot;

use crate::room::Outcome;
use crate::subscribers::Subscribers;

/// Where the answer goes.
#[derive(Debug)]
pub enum Reply {
    Connection { connection: ConnectionId, id: u32 },
    Once(oneshot::Sender<Result<rest::Landed, Refusal>>),
}

/// A request's answer-to-be. Dropped unanswered it says `unavailable`: the outcome is not known, resend verbatim.
pub struct Answering {
    reply: Option<Reply>,
    room: RoomId,
    cmid: Cmid,
    subscribers: Arc<Subscribers>,
    _permit: Option<Permit>,
}

impl Answering {
    pub fn new(reply: Reply, room: RoomId, cmid: Cmid, subscribers: Arc<Subscribers>) -> Self {
        Self { reply: Some(reply), room, cmid, subscribers, _permit: None }
    }
    pub fn hold(&mut self, permit: Permit) {
        self._permit = Some(permit);
    }
    pub fn answer(mut self, outcome: Outcome) {
        self.send(outcome, None);
    }
    pub fn refuse(mut self, code: ErrorCode, retry_after_ms: Option<u32>) {
        self.send(Outcome::Refused(code.into()), retry_after_ms);
    }

    fn send(&mut self, outcome: Outcome, retry_after_ms: Option<u32>) {
        let (room, cmid) = (self.room, self.cmid);
        match (self.reply.take(), outcome) {
            (None, _) => {}
            (Some(Reply::Connection { connection, id }), Outcome::Landed { seq, ordinal, at }) => {
                let done = Done { id, room: Some(room), seq: Some(seq), ordinal: Some(ordinal), at: Some(at) };
                self.subscribers.send(connection, ServerEvent::Ok(done));
            }
            (Some(Reply::Connection { connection, id }), Outcome::Refused(refused)) => {
                self.subscribers.send(connection, ServerEvent::Error(Refusal { retry_after_ms, ..refused.refusal(id) }));
            }
            // Nobody may wait any more; then nobody is told.
            (Some(Reply::Once(once)), Outcome::Landed { seq, ordinal, at }) => {
                let _ = once.send(Ok(rest::Landed { room, cmid, seq, ordinal, at }));
            }
            (Some(Reply::Once(once)), Outcome::Refused(refused)) => {
                let _ = once.send(Err(Refusal { retry_after_ms, ..refused.refusal(0) }));
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.send(Outcome::Refused(ErrorCode::Unavailable.into()), Some(RETRY_MS));
    }
}

/// When somebody who was refused for now may try again.
pub const RETRY_MS: u32 = 250;

/// The bound on what waits for one room.
#[derive(Debug, Default)]
pub struct Gate {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A place in a room's queue; given back when the request was answered.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Gate {
    pub fn enter(self: &Arc<Self>, bytes: usize, requests_max: usize, bytes_max: usize) -> Option<Permit> {
        let requests = self.requests.fetch_add(1, Ordering::Relaxed);
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let permit = Permit { gate: self.clone(), bytes };
        (requests < requests_max && waiting + bytes <= bytes_max).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.requests.fetch_sub(1, Ordering::Relaxed);
        self.gate.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The gates of the rooms that have something waiting.
#[derive(Debug)]
pub struct Gates(Vec<Mutex<HashMap<RoomId, Weak<Gate>>>>);

impl Default for Gates {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

const SHARDS: usize = 64;

impl Gates {
    pub fn of(&self, room: RoomId) -> Arc<Gate> {
        let id = room.as_bytes();
        let mut shard = self.0[(usize::from(id[15]) ^ usize::from(id[7])) % SHARDS].lock();
        if let Some(gate) = shard.get(&room).and_then(Weak::upgrade) {
            return gate;
        }
        if shard.len() >= shard.capacity() {
            shard.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = Arc::new(Gate::default());
        shard.insert(room, Arc::downgrade(&gate));
        gate
    }
}
