//! The one answer that every ordered request gets, and the places that it holds while it has none.

use std::sync::Arc;

use schema::server::{Done, Refusal};
use schema::{Cmid, ConnectionId, ErrorCode, RoomId, ServerEvent, rest};
use tokio::sync::oneshot;

use crate::admission::Permit;
use crate::error::Refused;
use crate::room::Outcome;
use crate::subscribers::{Subscribers, Word};

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
    permit: Option<Permit>,
}

impl Answering {
    pub fn new(reply: Reply, room: RoomId, cmid: Cmid, subscribers: Arc<Subscribers>) -> Self {
        Self { reply: Some(reply), room, cmid, subscribers, permit: None }
    }
    pub fn hold(&mut self, permit: Permit) {
        self.permit = Some(permit);
    }
    pub fn is_of_connection(&self) -> bool {
        matches!(self.reply, Some(Reply::Connection { .. }))
    }
    /// What the connection is to be told; whoever waits elsewhere is told at once.
    pub fn word(mut self, outcome: Outcome) -> Option<Word> {
        self.say(outcome, None)
    }
    pub fn refuse(mut self, why: impl Into<Refused>, retry_after_ms: Option<u32>) {
        self.send(Outcome::Refused(why.into()), retry_after_ms);
    }

    fn send(&mut self, outcome: Outcome, retry_after_ms: Option<u32>) {
        if let Some((connection, event)) = self.say(outcome, retry_after_ms) {
            self.subscribers.send(connection, event);
        }
    }

    fn say(&mut self, outcome: Outcome, retry_after_ms: Option<u32>) -> Option<Word> {
        let (room, cmid) = (self.room, self.cmid);
        // Free before anybody hears of it: who asks again at once finds the place.
        self.permit = None;
        match (self.reply.take()?, outcome) {
            (Reply::Connection { connection, id }, Outcome::Landed { seq, ordinal, at }) => {
                let done = Done { id, room: Some(room), seq: Some(seq), ordinal: Some(ordinal), at: Some(at) };
                return Some((connection, ServerEvent::Ok(done)));
            }
            (Reply::Connection { connection, id }, Outcome::Refused(refused)) => {
                return Some((connection, ServerEvent::Error(Refusal { retry_after_ms, ..refused.refusal(id) })));
            }
            // Nobody may wait any more; then nobody is told.
            (Reply::Once(once), Outcome::Landed { seq, ordinal, at }) => {
                let _ = once.send(Ok(rest::Landed { room, cmid, seq, ordinal, at }));
            }
            (Reply::Once(once), Outcome::Refused(refused)) => {
                let _ = once.send(Err(Refusal { retry_after_ms, ..refused.refusal(0) }));
            }
        }
        None
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.send(Outcome::Refused(ErrorCode::Unavailable.into()), Some(RETRY_MS));
    }
}

/// When somebody who was refused for now may try again.
pub const RETRY_MS: u32 = 250;
/// The same where the whole node is short of something.
pub const RETRY_NODE_MS: u32 = 1_000;
