//! The one answer that every ordered request gets, and the places that it holds while it has none.

use std::sync::Arc;

use cluster::NodeId;
use schema::peer;
use schema::server::{Done, Refusal};
use schema::{Cmid, ConnectionId, ErrorCode, RoomId, ServerEvent, rest};
use tokio::sync::oneshot;

use crate::admission::Permit;
use crate::error::Refused;
use crate::room::Outcome;
use crate::subscribers::{Answered, Subscribers};

/// Where the answer goes.
#[derive(Debug)]
pub enum Reply {
    Connection {
        connection: ConnectionId,
        id: u32,
    },
    Once(oneshot::Sender<Result<rest::Landed, Refusal>>),
    /// Another node passes it on, who knows it by this.
    Node {
        node: NodeId,
        token: u64,
    },
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
    /// Whether nobody else knows what was asked.
    pub fn is_kept_here(&self) -> bool {
        matches!(self.reply, Some(Reply::Connection { .. } | Reply::Once(_)))
    }
    /// Whether its answer goes the way that events go, and before them.
    pub fn goes_with_events(&self) -> bool {
        matches!(self.reply, Some(Reply::Connection { .. } | Reply::Node { .. }))
    }
    /// What a connection or a node is to be told; whoever waits elsewhere is told at once.
    pub fn word(mut self, outcome: Outcome) -> Option<Answered> {
        self.say(outcome, None)
    }
    pub fn refuse(mut self, why: impl Into<Refused>, retry_after_ms: Option<u32>) {
        self.send(Outcome::Refused(why.into()), retry_after_ms);
    }

    /// The answer of the node that decided it.
    pub fn pass_on(mut self, outcome: peer::Outcome) -> Option<Answered> {
        let (room, cmid) = (self.room, self.cmid);
        self.permit = None;
        match (self.reply.take()?, outcome) {
            (Reply::Connection { connection, id }, peer::Outcome::Landed(rest::Landed { room, seq, ordinal, at, .. })) => {
                let done = Done { id, room: Some(room), seq: Some(seq), ordinal: Some(ordinal), at: Some(at) };
                Some(Answered::Connection(connection, ServerEvent::Ok(done)))
            }
            (Reply::Connection { connection, id }, peer::Outcome::Refused(refusal)) => {
                Some(Answered::Connection(connection, ServerEvent::Error(Refusal { id, ..refusal })))
            }
            (Reply::Once(once), peer::Outcome::Landed(landed)) => {
                debug_assert_eq!((landed.room, landed.cmid), (room, cmid));
                let _ = once.send(Ok(landed));
                None
            }
            (Reply::Once(once), peer::Outcome::Refused(refusal)) => {
                let _ = once.send(Err(refusal));
                None
            }
            (reply, outcome) => {
                self.reply = Some(reply);
                debug_assert!(outcome == peer::Outcome::Moved, "a node passes on what people here wait for");
                None
            }
        }
    }

    /// The room is not here any more, and what became of this one its next owner finds out. `Some`: whoever waits for it is here.
    pub fn moved(mut self) -> Option<Self> {
        match self.reply.take() {
            Some(Reply::Node { node, token }) => {
                self.subscribers.answer(vec![Answered::Node(node, token, peer::Outcome::Moved)]);
                None
            }
            reply => {
                self.reply = reply;
                Some(self)
            }
        }
    }

    fn send(&mut self, outcome: Outcome, retry_after_ms: Option<u32>) {
        let answered = self.say(outcome, retry_after_ms);
        self.subscribers.answer(answered.into_iter().collect());
    }

    fn say(&mut self, outcome: Outcome, retry_after_ms: Option<u32>) -> Option<Answered> {
        let (room, cmid) = (self.room, self.cmid);
        // Free before anybody hears of it: who asks again at once finds the place.
        self.permit = None;
        match (self.reply.take()?, outcome) {
            (Reply::Connection { connection, id }, Outcome::Landed { seq, ordinal, at }) => {
                let done = Done { id, room: Some(room), seq: Some(seq), ordinal: Some(ordinal), at: Some(at) };
                return Some(Answered::Connection(connection, ServerEvent::Ok(done)));
            }
            (Reply::Connection { connection, id }, Outcome::Refused(refused)) => {
                return Some(Answered::Connection(connection, ServerEvent::Error(Refusal { retry_after_ms, ..refused.refusal(id) })));
            }
            (Reply::Node { node, token }, Outcome::Landed { seq, ordinal, at }) => {
                return Some(Answered::Node(node, token, peer::Outcome::Landed(rest::Landed { room, cmid, seq, ordinal, at })));
            }
            // Its node keeps it, and says it again.
            (Reply::Node { node, token }, Outcome::Refused(refused)) if refused.code == ErrorCode::Unavailable => {
                return Some(Answered::Node(node, token, peer::Outcome::Moved));
            }
            (Reply::Node { node, token }, Outcome::Refused(refused)) => {
                let refusal = Refusal { retry_after_ms, ..refused.refusal(0) };
                return Some(Answered::Node(node, token, peer::Outcome::Refused(refusal)));
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
