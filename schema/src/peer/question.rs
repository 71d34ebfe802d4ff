//! Questions: answered once, or not at all. They change nothing that asking again would not.

use serde::{Deserialize, Serialize};

use super::OwnRoom;
use crate::event::{Event, Role};
use crate::id::{ConnectionId, LoginId, RoomId, UserId};
use crate::server::UserStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// To a room's owner: its events above the slot's watermark, those above `after`. What history has besides, everybody can read.
    Tail { room: RoomId, after: u64 },
    /// To everybody: what your slots' tails say about the rooms of this user.
    Memberships { user: UserId },
    /// To a user's home: this connection is theirs, here; the answer are their rooms.
    Attach { user: UserId, connection: ConnectionId, login: LoginId },
    /// To a user's home: their rooms.
    Rooms { user: UserId },
    /// To the home of `users`: how they are, for somebody who is in these rooms.
    Presence { user: UserId, rooms: Vec<RoomId>, users: Vec<UserId> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// `more`: it went on, and did not fit.
    Tail {
        events: Vec<Event>,
        more: bool,
    },
    /// Room, role (none: left), and the seq that said so.
    Memberships {
        changes: Vec<(RoomId, Option<Role>, u64)>,
    },
    Rooms {
        rooms: Vec<OwnRoom>,
    },
    Presence {
        users: Vec<UserStatus>,
    },
    /// Somebody else has it, by the newer table that the link carries.
    Elsewhere,
    /// Not now.
    Unavailable,
}
