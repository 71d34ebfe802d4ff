//! Projections of the journal about who is where. Stamp = the seq of the event that said so.

use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::event::{Role, RoomKind, RoomSettings};
use crate::id::{RoomId, SlotId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    pub room: RoomId,
    pub user: UserId,
    pub role: Role,
    /// The event that said so; also the row's stamp.
    pub seq: u64,
}

impl MemberRow {
    pub fn key_of(room: RoomId, user: UserId) -> Key {
        Key::new(Table::Members, &[room.as_bytes()], &[user.as_bytes()])
    }
}

impl Record for MemberRow {
    const TABLE: Table = Table::Members;
    fn key(&self) -> Key {
        Self::key_of(self.room, self.user)
    }
}

/// What a room is and stays, from its first event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRow {
    pub room: RoomId,
    pub kind: RoomKind,
    /// The two of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<(UserId, UserId)>,
}

impl RoomRow {
    pub fn key_of(room: RoomId) -> Key {
        Key::new(Table::Rooms, &[room.as_bytes()], &[])
    }
}

impl Record for RoomRow {
    const TABLE: Table = Table::Rooms;
    fn key(&self) -> Key {
        Self::key_of(self.room)
    }
}

/// The end of a sleeping room. One partition a slot, so that a take-over reads it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomHead {
    pub slot: SlotId,
    pub room: RoomId,
    /// Also the row's stamp.
    pub head: u64,
    pub ordinal: u64,
    pub at: u64,
}

impl RoomHead {
    pub fn key_of(slot: SlotId, room: RoomId) -> Key {
        Key::new(Table::RoomHeads, &[&slot.0.to_be_bytes()], &[room.as_bytes()])
    }
}

impl Record for RoomHead {
    const TABLE: Table = Table::RoomHeads;
    fn key(&self) -> Key {
        Self::key_of(self.slot, self.room)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomListEntry {
    pub user: UserId,
    pub room: RoomId,
    pub role: Role,
    /// The event that made the user a member with this role; also the row's stamp.
    pub seq: u64,
}

impl RoomListEntry {
    pub fn key_of(user: UserId, room: RoomId) -> Key {
        Key::new(Table::RoomList, &[user.as_bytes()], &[room.as_bytes()])
    }
}

impl Record for RoomListEntry {
    const TABLE: Table = Table::RoomList;
    fn key(&self) -> Key {
        Self::key_of(self.user, self.room)
    }
}

/// A channel as its workspace's members may browse it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub workspace: RoomId,
    pub room: RoomId,
    pub settings: RoomSettings,
    pub seq: u64,
}

impl Channel {
    pub fn key_of(workspace: RoomId, room: RoomId) -> Key {
        Key::new(Table::Channels, &[workspace.as_bytes()], &[room.as_bytes()])
    }
}

impl Record for Channel {
    const TABLE: Table = Table::Channels;
    fn key(&self) -> Key {
        Self::key_of(self.workspace, self.room)
    }
}

/// Which channel has a name in its workspace; put with `Absent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelName {
    pub workspace: RoomId,
    pub name: String,
    pub room: RoomId,
}

impl ChannelName {
    pub fn key_of(workspace: RoomId, name: &str) -> Key {
        Key::new(Table::ChannelNames, &[workspace.as_bytes()], &[name.to_lowercase().as_bytes()])
    }
}

impl Record for ChannelName {
    const TABLE: Table = Table::ChannelNames;
    fn key(&self) -> Key {
        Self::key_of(self.workspace, &self.name)
    }
}

/// How many members a room has; stamp = the seq of the event that said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSize {
    pub room: RoomId,
    pub members: u32,
}

impl RoomSize {
    pub fn key_of(room: RoomId) -> Key {
        Key::new(Table::RoomSizes, &[room.as_bytes()], &[])
    }
}

impl Record for RoomSize {
    const TABLE: Table = Table::RoomSizes;
    fn key(&self) -> Key {
        Self::key_of(self.room)
    }
}

/// A room's settings as they are; stamp = the seq of the event that said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRow {
    pub room: RoomId,
    pub settings: RoomSettings,
}

impl SettingsRow {
    pub fn key_of(room: RoomId) -> Key {
        Key::new(Table::RoomSettings, &[room.as_bytes()], &[])
    }
}

impl Record for SettingsRow {
    const TABLE: Table = Table::RoomSettings;
    fn key(&self) -> Key {
        Self::key_of(self.room)
    }
}
