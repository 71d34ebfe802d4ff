//! Bodies of the REST API (`/v1`, JSON). What a socket says, REST says with the same types.

use serde::{Deserialize, Serialize};

use crate::client::Status;
use crate::event::{Event, Role, RoomKind, RoomSettings};
use crate::id::{Cmid, DeviceId, InviteId, LoginId, RoomId, UserId};
use crate::server::RoomState;

macro_rules! asked {
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
macro_rules! told {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
            pub struct $name { $($(#[$attribute])* pub $field: $type,)* }
        )*
    };
}

fn once() -> u32 {
    1
}
fn week() -> u32 {
    7
}

asked! {
    /// `POST /v1/auth/signup`
    SignUp {
        name: String,
        #[serde(default)]
        display: String,
        password: String,
        device: DeviceId,
        #[serde(default)]
        label: String,
        /// The code of an invitation, where sign-up is by invitation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<String>,
    }
    /// `POST /v1/auth/login`
    LogIn {
        name: String,
        password: String,
        device: DeviceId,
        #[serde(default)]
        label: String,
    }
    /// `POST /v1/auth/refresh`: a browser sends nothing, its cookie has the token.
    Refresh {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<String>,
        /// The one that signed in. With it a refresh whose answer was lost may be sent again, for 30 s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<DeviceId>,
    }
    /// `POST /v1/invites`
    MakeInvite {
        /// How many people may sign up with it, 1 to 1000.
        #[serde(default = "once")]
        uses: u32,
        /// For how long it is good, 1 to 365.
        #[serde(default = "week")]
        days: u32,
        /// What it is for; for the list alone.
        #[serde(default)]
        note: String,
    }
    /// `PUT /v1/auth/password`: signs out all other devices.
    ChangePassword { old: String, new: String }
    /// `PATCH /v1/me`
    ChangeProfile { display: String }
    /// `POST /v1/rooms`
    CreateRoom {
        /// A UUIDv7 of the client's; needed for all but direct rooms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
        kind: RoomKind,
        #[serde(default)]
        settings: RoomSettings,
        #[serde(default)]
        members: Vec<UserId>,
    }
    /// `POST /v1/rooms/{room}/messages`; the `Idempotency-Key` header is the cmid.
    PostMessage {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<u64>,
        /// The head the caller knew; without it the key is remembered for 24 h.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    }
    /// `PATCH /v1/rooms/{room}/messages/{seq}`
    EditMessage { text: String }
    /// `PUT /v1/rooms/{room}/members/{user}`: invites, or changes the role.
    PutMember {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    }
    /// `PUT /v1/rooms/{room}/read`
    PutRead { seq: u64, ordinal: u64 }
}

told! {
    /// The answer to sign-up, log-in and refresh. A browser gets `refresh` as a cookie and not here.
    Tokens {
        user: UserId,
        login: LoginId,
        access: String,
        expires_in_s: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh: Option<String>,
    }
    /// `POST /v1/auth/ticket`: good for one `hello`, for 30 s.
    Ticket { ticket: String, expires_in_s: u32 }
    Profile {
        id: UserId,
        name: String,
        display: String,
        #[serde(default)]
        admin: bool,
        status: Status,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_seen: Option<u64>,
    }
    /// A signed-in device.
    Device {
        login: LoginId,
        device: DeviceId,
        label: String,
        address: String,
        created_at: u64,
        last_used: u64,
        /// The one that asks.
        current: bool,
    }
    Devices { devices: Vec<Device> }
    /// An invitation, without its code.
    InviteEntry {
        id: InviteId,
        note: String,
        created_at: u64,
        expires_at: u64,
        uses: u32,
        uses_max: u32,
    }
    /// The answer to `POST /v1/invites`: `code` is shown this once.
    MadeInvite { code: String, invite: InviteEntry }
    /// `GET /v1/invites`: those that can still be used.
    Invites { invites: Vec<InviteEntry> }
    Profiles { users: Vec<Profile> }
    Rooms { rooms: Vec<RoomState> }
    MemberEntry { user: UserId, role: Role }
    /// Paged by `cursor`, in the order of user ids.
    Members {
        members: Vec<MemberEntry>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    ChannelEntry { room: RoomId, settings: RoomSettings, joined: bool }
    /// `GET /v1/workspaces/{room}/channels`: what the asker may see.
    Channels {
        channels: Vec<ChannelEntry>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    /// `GET /v1/rooms/{room}/messages`: as `history` on a socket.
    Page {
        room: RoomId,
        from: u64,
        to: u64,
        head: u64,
        ordinal: u64,
        events: Vec<Event>,
        marks: Vec<Event>,
    }
    /// `GET /v1/rooms/{room}/pins`: the pinned messages, and what was said about them later; to be applied as those of a page.
    Pins {
        events: Vec<Event>,
        marks: Vec<Event>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    /// Where an ordered request landed.
    Landed { room: RoomId, cmid: Cmid, seq: u64, ordinal: u64, at: u64 }
    ReceiptEntry { user: UserId, seq: u64, delivered: u64 }
    /// `GET /v1/rooms/{room}/receipts`: how far the members are.
    Receipts {
        receipts: Vec<ReceiptEntry>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    }
    /// RFC 9457, with the code of the one table.
    Problem {
        r#type: String,
        title: String,
        status: u16,
        code: String,
        number: u16,
        detail: String,
        temporary: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    }
}
