//! What is stored, besides the journal: typed records, each with a table, a partition and a sort key.
//!
//! A new kind of thing is a struct here, a CQL file and a golden example. Values are named MessagePack: fields are only
//! added, with a default; readers ignore what they do not know.

mod account;
mod history;
mod member;
mod node;
mod session;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

pub use account::{Credential, Disabled, Invite, Login, Previous, Revocation, SigningKey, User, Username};
pub use history::{Annotation, HistoryRow, RequestKey};
pub use member::{Channel, ChannelName, MemberRow, RoomHead, RoomListEntry, RoomRow, RoomSize, SettingsRow};
pub use node::{ImportCursor, Installation, LastGrant, Watermark};
pub use session::{Chosen, DraftRow, Marker, MentionRow, Receipt};

/// How a table's rows are written. One table, one mode: plain and conditional writes never mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `put` and `delete` with a stamp; the higher stamp wins, a delete wins a tie.
    Stamped,
    /// `put` under `Expect::{Absent, Version}`; a row counts its versions from 1.
    Conditional,
    /// `put_max`: kept only if its stamp is above the stored one.
    Max,
}

macro_rules! tables {
    ($($name:ident = $number:literal, $mode:ident, $what:literal;)*) => {
        /// Every table, with its number in the embedded store (never used again for another).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Table { $(#[doc = $what] $name = $number,)* }
        impl Table {
            pub const ALL: &[Table] = &[$(Table::$name,)*];
            pub fn mode(self) -> Mode { match self { $(Self::$name => Mode::$mode,)* } }
            pub fn name(self) -> &'static str { match self { $(Self::$name => stringify!($name),)* } }
        }
    };
}

tables! {
    History = 1, Stamped, "a room's events as rows";
    Annotations = 2, Stamped, "the last edit, deletion, reaction, pin of each message";
    Members = 3, Stamped, "who is in a room";
    Rooms = 4, Stamped, "what a room is";
    RoomHeads = 5, Stamped, "head, ordinal and time of a slot's rooms";
    RoomList = 6, Stamped, "the rooms of a user";
    Channels = 7, Stamped, "the channels of a workspace";
    Mentions = 8, Stamped, "where a user was named";
    Watermarks = 9, Max, "how far a slot's journal is in the projections";
    Markers = 10, Max, "how far a user has read a room";
    Receipts = 11, Max, "how far a room's members have read";
    Drafts = 12, Stamped, "unsent texts";
    Users = 13, Conditional, "people";
    Usernames = 14, Conditional, "whose a name is";
    Credentials = 15, Conditional, "password hashes";
    Logins = 16, Conditional, "signed-in devices and their refresh tokens";
    SigningKeys = 17, Conditional, "keys of access tokens";
    ChannelNames = 18, Conditional, "which channel of a workspace has a name";
    RequestKeys = 19, Stamped, "what a REST Idempotency-Key became";
    Installations = 20, Conditional, "the identity of the data set";
    ImportCursors = 21, Conditional, "how far an import came";
    RoomSizes = 22, Stamped, "how many members a room has";
    Revocations = 23, Conditional, "logins whose access tokens are refused until they expire";
    RoomSettings = 24, Stamped, "a room's name, topic and so on";
    Invites = 25, Conditional, "invitations to sign up";
    DisabledUsers = 26, Conditional, "accounts that nobody may sign in to";
    Grants = 27, Conditional, "the last grant that a process took where no group gives them";
    Statuses = 28, Stamped, "what people want to be seen as";
}

/// Where a record lies. Parts are order-preserving bytes: ids as they are, numbers big-endian.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub table: Table,
    pub partition: Bytes,
    /// Empty: the partition's only row.
    pub sort: Bytes,
}

impl Key {
    pub fn new(table: Table, partition: &[&[u8]], sort: &[&[u8]]) -> Self {
        Self { table, partition: Bytes::from(partition.concat()), sort: Bytes::from(sort.concat()) }
    }
}

/// A typed row.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    const TABLE: Table;
    fn key(&self) -> Key;
}

/// Erasures win over every late replay of the event they erase: their stamps lie above all seqs.
pub const ERASURE_STAMP: u64 = 1 << 40;
