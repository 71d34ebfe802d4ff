//! Words: heard in the order in which they were said, as long as the link lives. Whoever said one says it again in the next session
//! if it still matters.

use serde::{Deserialize, Serialize};

use super::{OwnRoom, RoomView};
use crate::client::{ClientEvent, Order, Status};
use crate::event::{Event, Role};
use crate::id::{ConnectionId, LoginId, RoomId, UserId};
use crate::rest::Landed;
use crate::server::{Refusal, ServerEvent};

pub use crate::client::Act;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The first of a session: what was said to you before may not have been heard.
    Begin {},
    /// To a room's owner: what people here want of it, in their order.
    Requests {
        room: RoomId,
        requests: Vec<Forwarded>,
    },
    /// The answers to some of them, behind everything that was shown before.
    Answered {
        outcomes: Vec<(u64, Outcome)>,
    },

    /// To a room's owner: show me what happens in it. `known`: up to here we have it. `ask`: which `following` answers it; 0 of one who
    /// does not tell them apart.
    Follow {
        room: RoomId,
        #[serde(default)]
        known: Option<u64>,
        #[serde(default, skip_serializing_if = "is_zero")]
        ask: u64,
    },
    Unfollow {
        room: RoomId,
    },
    /// To a follower: the room as it is now. What was missing between what was known and that is shown before, unless it is too
    /// much; what happens from now on is shown.
    Following {
        room: RoomId,
        view: RoomView,
        #[serde(default, skip_serializing_if = "is_zero")]
        ask: u64,
    },
    /// To one who wants to follow a room that is not there.
    NoRoom {
        room: RoomId,
    },
    /// To a follower: applied events, in order.
    Shown {
        room: RoomId,
        events: Vec<Event>,
    },
    /// To a follower: something that is not kept, for all who have the room there.
    Told {
        room: RoomId,
        event: ServerEvent,
        #[serde(default)]
        except: Option<ConnectionId>,
    },

    /// To a room's owner: what is kept nowhere.
    Typing {
        room: RoomId,
        user: UserId,
        on: bool,
    },
    Signal {
        room: RoomId,
        user: UserId,
        kind: String,
        data: String,
        connection: ConnectionId,
    },
    Receipt {
        room: RoomId,
        user: UserId,
        seq: u64,
        delivered: u64,
    },
    /// So many members are here whose home is with us.
    Online {
        room: RoomId,
        count: u32,
    },

    /// To a user's home: what a room says of them.
    Changed {
        user: UserId,
        room: RoomId,
        seq: u64,
        change: Change,
    },
    /// To a user's home: what one of their connections here says. `beyond`: of a marker, that it is beyond the room's head.
    Said {
        user: UserId,
        connection: ConnectionId,
        event: ClientEvent,
        #[serde(default)]
        beyond: bool,
    },
    /// The same over REST.
    Marked {
        user: UserId,
        room: RoomId,
        seq: u64,
        ordinal: u64,
    },
    Detached {
        user: UserId,
        connection: ConnectionId,
    },
    /// To the homes of these: tell me how they are, from now on.
    Watch {
        users: Vec<UserId>,
    },
    Unwatch {
        users: Vec<UserId>,
    },
    /// To a node that watches: how somebody is, and who may know (who shares one of these rooms).
    Seen {
        user: UserId,
        status: Status,
        #[serde(default)]
        last_seen: Option<u64>,
        rooms: Vec<RoomId>,
    },

    /// From a user's home, for their connections.
    Send {
        connection: ConnectionId,
        event: ServerEvent,
    },
    Enter {
        user: UserId,
        room: OwnRoom,
        connections: Vec<ConnectionId>,
    },
    Exit {
        user: UserId,
        room: RoomId,
        connections: Vec<ConnectionId>,
    },

    /// To everybody: this login is revoked.
    Revoked {
        user: UserId,
        login: LoginId,
    },
}

/// An ordered request on its way to the room's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// Names it in the answer.
    pub token: u64,
    pub user: UserId,
    pub order: Order,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Landed(Landed),
    Refused(Refusal),
    /// Not done by this node: somebody else has the room, or had it while it was under way. To be said to the owner, verbatim.
    Moved,
}

/// What a room says of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Joined { role: Role },
    Left,
    Mentioned { by: UserId },
}

fn is_zero(ask: &u64) -> bool {
    *ask == 0
}
