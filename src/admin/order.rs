//! The orders of the command line and their answers, as they go over the Unix socket. A node and a command of different
//! versions refuse what they do not know by name.

use std::path::PathBuf;

use schema::rest::{MadeInvite, MakeInvite, Page};
use schema::{DeviceId, ErrorCode, LoginId, RoomId, RoomKind, RoomSettings, UserId};
use serde::{Deserialize, Serialize};

use crate::cluster::order as cluster;
use crate::import::line::Written;
use crate::import::{Batch, Progress};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    AddUser {
        name: String,
        display: String,
        password: String,
        admin: bool,
    },
    /// Accounts without a password, at most `PEOPLE_MAX`: those that are there already stay as they are.
    EnsureUsers {
        people: Vec<NewPerson>,
        /// Sign each of them in too, on a device of this name.
        sign_in_as: Option<String>,
    },
    ListUsers {
        after: String,
        limit: usize,
    },
    SetPassword {
        name: String,
        password: String,
    },
    /// Nobody signs in to a disabled account, and all its devices are signed out.
    DisableUser {
        name: String,
        disabled: bool,
    },
    /// An invitation to sign up.
    Invite(MakeInvite),
    /// An access and a refresh token for a user, as if they had signed in.
    Token {
        name: String,
        label: String,
    },
    RotateKeys {},
    ListRooms {},
    Import(Batch),
    /// Events of a room from `after` on, as the store has them.
    Export {
        room: RoomId,
        after: u64,
    },
    /// The same as lines that can be imported.
    ExportSaid {
        room: RoomId,
        after: u64,
    },
    /// By user names.
    CreateRoom {
        owner: String,
        kind: RoomKind,
        settings: RoomSettings,
        members: Vec<String>,
    },
    /// Into a directory of the node's machine that does not exist yet.
    Backup {
        to: PathBuf,
    },
    SetLogLevel {
        level: String,
    },
    /// Of the node that runs.
    Cluster(cluster::Order),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Cluster(cluster::Answer),
    Done {},
    User(UserEntry),
    Users {
        users: Vec<UserEntry>,
    },
    /// In the order they were named.
    People {
        people: Vec<PersonEntry>,
    },
    Token {
        user: UserId,
        access: String,
        expires_in_s: u64,
        refresh: String,
    },
    Key {
        kid: String,
    },
    Invited(MadeInvite),
    Rooms {
        rooms: Vec<RoomEntry>,
    },
    Imported(Progress),
    Exported(Page),
    /// Up to and including the event `to`.
    Said {
        lines: Vec<Written>,
        to: u64,
        head: u64,
    },
    Room {
        room: RoomId,
    },
    Backup {
        to: PathBuf,
        rows: u64,
        bytes: u64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserEntry {
    pub id: UserId,
    pub name: String,
    pub display: String,
    pub admin: bool,
    /// Milliseconds since 1970.
    pub created_at: u64,
}

/// Of one `EnsureUsers`.
pub const PEOPLE_MAX: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    pub name: String,
    /// Empty: the name.
    #[serde(default)]
    pub display: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonEntry {
    pub id: UserId,
    pub name: String,
    /// False: the account was there.
    pub made: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<SignedInEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedInEntry {
    pub device: DeviceId,
    pub login: LoginId,
    pub access: String,
    pub expires_in_s: u64,
    pub refresh: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomEntry {
    pub room: RoomId,
    pub kind: RoomKind,
    pub name: String,
    pub messages: u64,
    pub members: u32,
    /// Of the last event: milliseconds since 1970.
    pub at: u64,
}

/// Why an order was not carried out, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
}

impl Refused {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<crate::auth::Error> for Refused {
    fn from(error: crate::auth::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        crate::auth::Error::from(error).into()
    }
}

impl From<crate::import::Error> for Refused {
    fn from(error: crate::import::Error) -> Self {
        use crate::import::Error;
        let code = match &error {
            Error::Refused { code, .. } => *code,
            Error::Store(_) | Error::Auth(_) => ErrorCode::Unavailable,
            Error::Place(_) => ErrorCode::BadRequest,
            Error::Beside => ErrorCode::Busy,
        };
        Self::new(code, error.to_string())
    }
}
