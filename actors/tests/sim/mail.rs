//! What passes between people, nodes, slots and rooms: requests and answers, and what waits in a slot's inbox.

use std::sync::Arc;

use actors::room::Outcome;
use actors::slot::core::Input;
use cluster::NodeId;
use schema::client::{Act, Order};
use schema::{Cmid, ErrorCode, Event, RoomId, UserId};

use crate::tasks::Work;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    Client(usize),
    /// It passes the answer on, and knows by this number to whom.
    Node(NodeId, u64),
}

/// A request as it came, and whose it is.
#[derive(Clone, Debug)]
pub struct Request {
    pub asker: Asker,
    pub user: UserId,
    pub order: Order,
    pub act: Act,
}

#[derive(Debug)]
pub struct Answer {
    pub asker: Asker,
    pub room: RoomId,
    pub cmid: Cmid,
    pub outcome: Outcome,
}

impl Answer {
    pub fn refusal(request: &Request, code: ErrorCode) -> Self {
        let Request { asker, order, .. } = request;
        Self { asker: *asker, room: order.room, cmid: order.cmid, outcome: Outcome::Refused(code.into()) }
    }
}

/// What a step of a node leaves for the world to do.
#[derive(Default)]
pub struct Out {
    pub works: Vec<Work>,
    pub answers: Vec<Answer>,
    /// What people of this node asked of rooms that are somebody else's by now.
    pub again: Vec<Request>,
}

impl Out {
    /// The room is not here any more. Whoever passes the answer on says it to its next owner.
    pub fn moved(&mut self, request: &Request) {
        match request.asker {
            Asker::Client(_) => self.again.push(request.clone()),
            Asker::Node(..) => self.answers.push(Answer::refusal(request, ErrorCode::Unavailable)),
        }
    }
}

pub enum Mail {
    Step {
        activation: u16,
        input: Input,
    },
    Submit {
        activation: u16,
        incarnation: u64,
        event: Arc<Event>,
    },
    Projected(u64),
    Restart,
    /// Somebody asks something of a room that sleeps.
    Wake(RoomId),
    /// The table has another owner or grant for the slot.
    Placed,
    /// A room's actor failed.
    Lost {
        room: RoomId,
        incarnation: u64,
    },
}
