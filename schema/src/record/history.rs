//! Projections of the journal that hold what was said.

use serde::{Deserialize, Serialize};

use super::{Key, Record, Table};
use crate::event::{Event, EventBody};
use crate::id::{RoomId, UserId};
use crate::limits::HISTORY_BUCKET;

/// An event of a room; stamp = its seq, or `ERASURE_STAMP + seq of the deletion` once its body was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HistoryRow(pub Event);

impl HistoryRow {
    pub fn bucket(seq: u64) -> u64 {
        seq.saturating_sub(1) / HISTORY_BUCKET
    }
    pub fn key_of(room: RoomId, seq: u64) -> Key {
        Key::new(Table::History, &[room.as_bytes(), &Self::bucket(seq).to_be_bytes()], &[&seq.to_be_bytes()])
    }
}

impl Record for HistoryRow {
    const TABLE: Table = Table::History;
    fn key(&self) -> Key {
        Self::key_of(self.0.room, self.0.seq)
    }
}

/// The last edit, deletion, pin, or one person's use of one emoji on a message, as the event that did it; stamp = its seq.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Annotation(pub Event);

impl Annotation {
    /// All annotations of messages in one history bucket.
    pub fn partition(room: RoomId, target: u64) -> Key {
        Key::new(Table::Annotations, &[room.as_bytes(), &HistoryRow::bucket(target).to_be_bytes()], &[])
    }
    /// The pins that stand in a room, once more in one place, by the message's seq.
    pub fn pins(room: RoomId) -> Key {
        Key::new(Table::Annotations, &[room.as_bytes(), b"pins"], &[])
    }
    pub fn pin_key_of(room: RoomId, target: u64) -> Key {
        Key { sort: target.to_be_bytes().to_vec().into(), ..Self::pins(room) }
    }
    pub fn key_of(room: RoomId, target: u64, what: &[u8]) -> Key {
        Key { sort: [&target.to_be_bytes()[..], what].concat().into(), ..Self::partition(room, target) }
    }
}

impl Record for Annotation {
    const TABLE: Table = Table::Annotations;
    /// Panics: on an event without a target; only events about a message are annotations.
    fn key(&self) -> Key {
        let Event { room, user, body, .. } = &self.0;
        match body {
            EventBody::Edit { target, .. } => Self::key_of(*room, *target, b"e"),
            EventBody::Delete { target, .. } => Self::key_of(*room, *target, b"d"),
            EventBody::Pin { target, .. } => Self::key_of(*room, *target, b"p"),
            EventBody::React { target, emoji, .. } => {
                Self::key_of(*room, *target, &[b"r", user.as_bytes().as_slice(), emoji.as_bytes()].concat())
            }
            _ => unreachable!("{body:?} is about no message"),
        }
    }
}

/// What a REST caller's Idempotency-Key became, for 24 h.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    pub room: RoomId,
    pub user: UserId,
    pub cmid: crate::Cmid,
    pub seq: u64,
    pub at: u64,
}

impl RequestKey {
    pub fn key_of(room: RoomId, user: UserId, cmid: crate::Cmid) -> Key {
        Key::new(Table::RequestKeys, &[room.as_bytes(), user.as_bytes()], &[cmid.as_bytes()])
    }
}

impl Record for RequestKey {
    const TABLE: Table = Table::RequestKeys;
    fn key(&self) -> Key {
        Self::key_of(self.room, self.user, self.cmid)
    }
}
