//! What a client says. One JSON object or MessagePack map with one key, the event's name: `{"post": {"id": 1, …}}`.
//!
//! Unknown events and unknown fields are refused by name: a node speaks the level that it said in `ready`.

use serde::{Deserialize, Serialize};

use crate::event::{Origin, Role, RoomKind, RoomSettings};
use crate::id::{Cmid, DeviceId, RoomId, UserId};

/// What makes an ordered request exactly-once: resent verbatim, to any node, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The client's number of this request on this connection; the answer carries it.
    pub id: u32,
    pub room: RoomId,
    pub cmid: Cmid,
    /// The room's head as the client knew it when it first sent this.
    pub after: u64,
    /// The cmid of this device's preceding request in the room that is not answered yet.
    pub prev: Option<Cmid>,
}

/// What an ordered request wants done; becomes at most one event of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Post { text: String, reply: Option<u64>, origin: Option<Origin> },
    Edit { target: u64, text: String },
    Delete { target: u64, reason: Option<String> },
    React { target: u64, emoji: String, on: bool },
    Pin { target: u64, on: bool },
    Join,
    Leave,
    Invite { user: UserId },
    Kick { user: UserId },
    Role { user: UserId, role: Role },
    Create { kind: RoomKind, settings: RoomSettings, members: Vec<UserId> },
    Settings { settings: RoomSettings },
}

macro_rules! ordered {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? } => $act:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                pub id: u32,
                pub room: RoomId,
                pub cmid: Cmid,
                #[serde(default)]
                pub after: u64,
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub prev: Option<Cmid>,
                $($(#[$attribute])* pub $field: $type,)*
            }
            impl $name {
                pub fn into_parts(self) -> (Order, Act) {
                    let Self { id, room, cmid, after, prev, $($field),* } = self;
                    (Order { id, room, cmid, after, prev }, $act)
                }
            }
        )*
    };
}

ordered! {
    /// Say something.
    Post {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
    } => Act::Post { text, reply, origin: None };
    /// Change the text of one's own message.
    Edit { target: u64, text: String } => Act::Edit { target, text };
    /// Take back one's own message; a moderator any, with a reason.
    Delete {
        target: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    } => Act::Delete { target, reason };
    /// Put one's own reaction on a message, or take it back.
    React { target: u64, emoji: String, on: bool } => Act::React { target, emoji, on };
    /// Pin a message, or unpin it.
    Pin { target: u64, on: bool } => Act::Pin { target, on };
    /// Become a member of a public channel.
    Join {} => Act::Join;
    /// Be a member no more.
    Leave {} => Act::Leave;
    /// Make somebody a member.
    Invite { user: UserId } => Act::Invite { user };
    /// Remove somebody: they see nothing after this event.
    Kick { user: UserId } => Act::Kick { user };
    /// Change a member's role.
    SetRole { user: UserId, role: Role } => Act::Role { user, role };
    /// Make a room. The client makes the id (UUIDv7) of all but a direct room, whose id follows from the two people: there
    /// `room` may be the nil UUID and the node fills it in.
    Create {
        kind: RoomKind,
        #[serde(default)]
        settings: RoomSettings,
        #[serde(default)]
        members: Vec<UserId>,
    } => Act::Create { kind, settings, members };
    /// Replace the room's settings, whole.
    Settings { settings: RoomSettings } => Act::Settings { settings };
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[$attribute])* pub $field: $type,)* }
        )*
    };
}

plain! {
    /// The first message of a connection: an access token or a one-time ticket, and where the client stands.
    Hello {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<String>,
        device: DeviceId,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        resume: Vec<Resume>,
    }
    /// "I have everything of this room up to `seq`."
    Resume { room: RoomId, seq: u64 }
    /// "I have read up to here." `seq` and `ordinal` are those of one event; the marker only rises.
    Read { id: u32, room: RoomId, seq: u64, ordinal: u64 }
    /// Show the room as unread from this message on, on my devices only; without `from`: take that back.
    Unread {
        id: u32,
        room: RoomId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<u64>,
    }
    /// "This device has everything up to here." Not answered.
    Delivered { room: RoomId, seq: u64 }
    /// The unsent text of a room, for my other devices; empty: none.
    Draft { id: u32, room: RoomId, text: String }
    /// Sent at most every 3 s while somebody types. Not answered.
    Typing { room: RoomId, on: bool }
    /// What I want to be seen as.
    Presence { id: u32, status: Status }
    /// The people whose presence this connection shows now, whole; at most 200.
    Watch { id: u32, users: Vec<UserId> }
    /// A page of a room: exactly one of `before`, `after`, `around` (a seq) and `at` (milliseconds since 1970), or none
    /// for the newest.
    History {
        id: u32,
        room: RoomId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        around: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u16>,
    }
    /// Ask for the hash of what the events from `from` up to and including `to` fold to.
    StateHash { id: u32, room: RoomId, from: u64, to: u64 }
    /// Something for the other members that is never stored; at most 4 KiB. Not answered.
    Signal { room: RoomId, kind: String, data: String }
    /// "I am here": when there was nothing else to say for a heartbeat.
    Ping { id: u32 }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Online,
    Idle,
    Busy,
    Away,
    Invisible,
    Offline,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientEvent {
    Hello(Hello),
    Post(Post),
    Edit(Edit),
    Delete(Delete),
    React(React),
    Pin(Pin),
    Join(Join),
    Leave(Leave),
    Invite(Invite),
    Kick(Kick),
    Role(SetRole),
    Create(Create),
    Settings(Settings),
    Read(Read),
    Unread(Unread),
    Delivered(Delivered),
    Draft(Draft),
    Typing(Typing),
    Presence(Presence),
    Watch(Watch),
    History(History),
    StateHash(StateHash),
    Signal(Signal),
    Ping(Ping),
}
