//! What nodes say to each other about rooms and people: words, which nobody answers, and questions.
//!
//! In MessagePack with names. Two releases talk to each other, so fields are only ever added, with a default; a reader passes
//! over fields that it does not know. Who said something is known from the link.

mod question;
mod word;

pub use question::{Answer, Question};
pub use word::{Act, Change, Forwarded, Outcome, Word};

use serde::{Deserialize, Serialize};

use crate::event::{Role, RoomKind, RoomSettings};
use crate::id::{RoomId, UserId};

/// A room as one looks at it from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomView {
    pub kind: RoomKind,
    /// The two of a direct room.
    #[serde(default)]
    pub pair: Option<(UserId, UserId)>,
    pub settings: RoomSettings,
    pub members: u32,
    pub head: u64,
    pub ordinal: u64,
    pub at: u64,
}

/// How far somebody has read a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub seq: u64,
    pub ordinal: u64,
    /// Everything up to here reached one of the user's devices.
    pub delivered: u64,
}

/// A room as the session of one of its members knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRoom {
    pub room: RoomId,
    pub role: Role,
    pub mark: Mark,
    #[serde(default)]
    pub unread_from: Option<u64>,
    #[serde(default)]
    pub mentions: Vec<u64>,
    #[serde(default)]
    pub draft: String,
}
