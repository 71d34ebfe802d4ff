//! What a node says to a client: `{"event": {…}}`. Clients ignore fields and events that they do not know.

use serde::{Deserialize, Serialize};

use crate::client::Status;
use crate::code::ErrorCode;
use crate::event::{Event, Role, RoomKind, RoomSettings};
use crate::id::{DeviceId, InstallationId, LoginId, RoomId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServerEvent {
    Ready(Ready),
    Ok(Done),
    Error(Refusal),
    /// Something happened in a room of yours.
    Event(Event),
    Events(Events),
    /// A room that is new to you, or your role in it or its settings changed while you were away from it.
    Room(RoomState),
    Gap(Gap),
    Behind(Behind),
    Typing(Typing),
    Read(Read),
    Presence(Presence),
    Online(Online),
    Draft(Draft),
    Notify(Notify),
    History(History),
    StateHash(StateHash),
    Signal(Signal),
    /// The node goes away soon: finish what you are at; `reconnect` follows.
    Draining {},
    Reconnect(Reconnect),
    Pong(Pong),
}

macro_rules! said {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
            pub struct $name { $($(#[$attribute])* pub $field: $type,)* }
        )*
    };
}

said! {
    /// The answer to `hello`. What was missed in the resumed rooms follows as `event`s or a `gap`, before anything new.
    Ready {
        level: u16,
        user: UserId,
        login: LoginId,
        device: DeviceId,
        installation: InstallationId,
        /// The node's clock: milliseconds since 1970.
        now: u64,
        /// Say something (`ping`) at least this often.
        heartbeat_ms: u32,
        limits: ClientLimits,
        rooms: Vec<RoomState>,
        /// Where the installation can be reached, as origins (`https://chat.example.org`): any will do when this node goes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        nodes: Vec<String>,
    }
    /// What a client has to keep to.
    ClientLimits {
        message_bytes_max: u32,
        text_bytes_max: u32,
        requests_in_flight_max: u16,
        resume_events_max: u32,
        watch_max: u16,
        page_max: u16,
    }
    /// A room as one member sees it. Unread messages = `ordinal` − `read_ordinal`, unless `unread_from` is set.
    RoomState {
        room: RoomId,
        kind: RoomKind,
        settings: RoomSettings,
        role: Role,
        head: u64,
        ordinal: u64,
        /// Of the head: milliseconds since 1970.
        at: u64,
        read_seq: u64,
        read_ordinal: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread_from: Option<u64>,
        /// Seqs above `read_seq` that mention this user by name; at most 100, the oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<u64>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        draft: String,
        /// The other one in a direct room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<UserId>,
        members: u32,
    }
    /// Done. An ordered request is in the room at `seq`, for good.
    Done {
        id: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordinal: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
    }
    /// The request was not done.
    Refusal {
        /// The request; 0 when it could not be read far enough to know.
        id: u32,
        code: ErrorCode,
        /// One sentence for the person who wrote the client.
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u32>,
    }
    /// Several events of a room at once, contiguous and in order: the same as one `event` after the other. From level 2 on.
    Events { room: RoomId, events: Vec<Event> }
    /// The events of the room from `from` up to and including `to` were too many to send: page them by `history`.
    Gap { room: RoomId, from: u64, to: u64 }
    /// This connection reads too slowly to be sent the room's events: catch up to `head` by `history`; after that page
    /// events flow again.
    Behind { room: RoomId, head: u64 }
    /// Who types now: up to three, and how many in all. Sent again while it lasts, empty when it ends.
    Typing { room: RoomId, users: Vec<UserId>, count: u32 }
    /// Markers that rose. One's own come with `ordinal` and `unread_from`.
    Read { room: RoomId, marks: Vec<ReadMark> }
    ReadMark {
        user: UserId,
        /// 0: says nothing of what was read.
        #[serde(default)]
        seq: u64,
        #[serde(default)]
        delivered: u64,
        #[serde(default)]
        ordinal: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread_from: Option<u64>,
    }
    /// How the people are that this connection watches.
    Presence { users: Vec<UserStatus> }
    UserStatus {
        user: UserId,
        status: Status,
        /// When they were last here: milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_seen: Option<u64>,
    }
    /// How many members of the room are here now.
    Online { room: RoomId, count: u32 }
    /// A draft that another of my devices left.
    Draft { room: RoomId, text: String }
    /// Somebody mentions you.
    Notify { room: RoomId, seq: u64, user: UserId }
    /// A page. `events` are contiguous from `from` to `to`; `marks` are later edits, deletions, reactions and pins of
    /// messages in the page (the last of each kind), so that applying both gives the page as it is at `head`.
    History {
        id: u32,
        room: RoomId,
        from: u64,
        to: u64,
        head: u64,
        ordinal: u64,
        events: Vec<Event>,
        marks: Vec<Event>,
    }
    /// SHA-256 as lower-case hex.
    StateHash { id: u32, room: RoomId, from: u64, to: u64, hash: String }
    /// What another member signalled; kept nowhere.
    Signal { room: RoomId, user: UserId, kind: String, data: String }
    /// Close and connect again after this delay.
    Reconnect { delay_ms: u32 }
    /// The answer to `ping`.
    Pong { id: u32 }
}

impl Refusal {
    pub fn new(id: u32, code: ErrorCode) -> Self {
        Self { id, code, message: code.sentence().to_owned(), retry_after_ms: None }
    }
}
