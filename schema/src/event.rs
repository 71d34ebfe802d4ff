//! What a room journals: everything that has an order in it. The same type goes to the journal, to history and to clients.
//!
//! Fields are only ever added, with a default. An event is written once and never changed; an erasure replaces its body.

use serde::{Deserialize, Serialize};

use crate::id::{Cmid, RoomId, UserId};

/// One thing that happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
pub struct Event {
    pub room: RoomId,
    /// Number in the room, from 1, no gaps.
    pub seq: u64,
    /// Messages up to and including this event (so a message's own number, when it is one).
    pub ordinal: u64,
    /// When people see it as said: milliseconds since 1970, strictly rising in a room.
    pub at: u64,
    /// Who did it.
    pub user: UserId,
    /// The request that asked for it; kept by erasure, so that a late resend does not bring it back.
    pub cmid: Cmid,
    pub body: EventBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EventBody {
    /// Always seq 1: the room as it was made, and who is in it from the start. The author is its owner.
    Created { kind: RoomKind, settings: RoomSettings, members: Vec<Member> },
    /// Somebody said something.
    Message(Message),
    /// The message at `target` reads `text` from here on.
    Edit { target: u64, text: String },
    /// The message at `target` is gone; `reason` when a moderator did it.
    Delete {
        target: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// `on`: the author's reaction stands; off: it was taken back.
    React { target: u64, emoji: String, on: bool },
    /// The message at `target` is pinned from here on, or no longer.
    Pin { target: u64, on: bool },
    /// `user` has `role` from here on; without one: is no member any more. By another user: invited, kicked or promoted.
    Member {
        user: UserId,
        role: Option<Role>,
        /// How many members there are from here on.
        members: u32,
    },
    /// The room's settings from here on, whole.
    Settings(RoomSettings),
    /// What stood here was erased for good.
    Erased,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
pub struct Message {
    /// Markdown; a mention is `<@user-id>`.
    pub text: String,
    /// The seq of the message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<u64>,
    /// Where it came from, for imported messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What an import knows about a message besides its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// When it was first said: milliseconds since 1970.
    pub at: u64,
    /// The conversation it belonged to there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
pub struct Member {
    pub user: UserId,
    pub role: Role,
}

/// Rising power: each may do what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Guest,
    Member,
    Moderator,
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Two people; the id follows from them, membership never changes.
    Direct,
    Group,
    /// Belongs to a workspace; public ones can be browsed and joined by its members.
    Channel,
    /// Holds channels; its journal orders members and roles, never messages.
    Workspace,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RoomSettings {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// The workspace of a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<RoomId>,
    /// A channel that every member of its workspace may find, read after joining, and join.
    #[serde(default, skip_serializing_if = "is_false")]
    pub public: bool,
    /// Nothing but un-archiving is possible any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl EventBody {
    pub fn is_message(&self) -> bool {
        matches!(self, Self::Message(_))
    }
    /// The seq of the message that this event says something about.
    pub fn target(&self) -> Option<u64> {
        match self {
            Self::Edit { target, .. } | Self::Delete { target, .. } | Self::React { target, .. } | Self::Pin { target, .. } => {
                Some(*target)
            }
            _ => None,
        }
    }
    /// Who may not see anything after this event.
    pub fn removed(&self) -> Option<UserId> {
        match self {
            Self::Member { user, role: None, .. } => Some(*user),
            _ => None,
        }
    }
}
