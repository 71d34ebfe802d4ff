//! What a user's devices share: markers, drafts, mentions.

use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::client::Status;
use crate::id::{RoomId, UserId};

/// How far a user has read a room; `put_max` with stamp = `seq`, so it only rises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub user: UserId,
    pub room: RoomId,
    pub seq: u64,
    pub ordinal: u64,
}

impl Marker {
    pub fn key_of(user: UserId, room: RoomId) -> Key {
        Key::new(Table::Markers, &[user.as_bytes()], &[room.as_bytes()])
    }
}

impl Record for Marker {
    const TABLE: Table = Table::Markers;
    fn key(&self) -> Key {
        Self::key_of(self.user, self.room)
    }
}

/// The same seen from the room; a hint that may lag behind the marker. Stamp = `seq + delivered`: both only rise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub room: RoomId,
    pub user: UserId,
    pub seq: u64,
    pub delivered: u64,
}

impl Receipt {
    pub fn key_of(room: RoomId, user: UserId) -> Key {
        Key::new(Table::Receipts, &[room.as_bytes()], &[user.as_bytes()])
    }
}

impl Record for Receipt {
    const TABLE: Table = Table::Receipts;
    fn key(&self) -> Key {
        Self::key_of(self.room, self.user)
    }
}

/// What a user left behind in a room besides the marker: an unsent text, and from where they want it shown as unread.
/// Stamp = the clock of the node that took it, in milliseconds: the last writer wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRow {
    pub user: UserId,
    pub room: RoomId,
    #[serde(default)]
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_from: Option<u64>,
}

impl DraftRow {
    pub fn key_of(user: UserId, room: RoomId) -> Key {
        Key::new(Table::Drafts, &[user.as_bytes()], &[room.as_bytes()])
    }
}

impl Record for DraftRow {
    const TABLE: Table = Table::Drafts;
    fn key(&self) -> Key {
        Self::key_of(self.user, self.room)
    }
}

/// What a user wants to be seen as, if it is not `online`. Stamp = the clock of the node that took it, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub user: UserId,
    pub status: Status,
}

impl Chosen {
    pub fn key_of(user: UserId) -> Key {
        Key::new(Table::Statuses, &[user.as_bytes()], &[])
    }
}

impl Record for Chosen {
    const TABLE: Table = Table::Statuses;
    fn key(&self) -> Key {
        Self::key_of(self.user)
    }
}

/// A message that names a user; stamp = seq.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionRow {
    pub user: UserId,
    pub room: RoomId,
    pub seq: u64,
}

impl MentionRow {
    pub fn key_of(user: UserId, room: RoomId, seq: u64) -> Key {
        Key::new(Table::Mentions, &[user.as_bytes()], &[room.as_bytes(), &seq.to_be_bytes()])
    }
}

impl Record for MentionRow {
    const TABLE: Table = Table::Mentions;
    fn key(&self) -> Key {
        Self::key_of(self.user, self.room, self.seq)
    }
}
