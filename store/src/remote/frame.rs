//! *Pure.* What stands on the wire between a node and the store process. Named fields, and a field that is not known is
//! passed over: a node of this release talks to a store process of the next.

use bytes::Bytes;
use schema::SlotId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The wire's own versions that a build speaks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaks {
    pub oldest: u16,
    pub newest: u16,
}

impl Speaks {
    pub const OURS: Self = Self { oldest: 1, newest: 1 };

    /// The newest that both speak; `None`: they are too far apart.
    pub fn agree(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The first, of the node.
    Hello {
        speaks: Speaks,
        nonce: Bytes,
    },
    /// The store process shows that it has the secret, and asks for the same.
    Challenge {
        version: u16,
        nonce: Bytes,
        proof: Bytes,
    },
    Proof {
        proof: Bytes,
    },
    Welcome(Welcome),
    /// Instead of a challenge or a welcome; the connection closes.
    Refused {
        why: Refusal,
    },
    /// Wants an answer within `within_ms` of its arrival; afterwards nobody waits for it.
    Ask {
        id: u64,
        within_ms: u32,
        call: Call,
    },
    /// In any order; one for each that was asked.
    Answer {
        id: u64,
        answered: Answered,
    },
    Ping {},
    Pong {},
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Every grant of the data that the process serves is at most this, but for those in `LastGrant`.
    pub grant: u64,
    /// Without an answer at a time; the same again of plain calls.
    pub calls_max: u32,
    pub bytes_max: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No version that both speak.
    Version,
    /// The secret is another one.
    Secret,
    /// As many are connected as may be.
    Full,
}

/// The two traits' calls. `sync` is none of them: what is answered here is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Fence { slot: SlotId, epoch: u64 },
    Append { slot: SlotId, epoch: u64, head: u64, batch: Uuid, block: Bytes },
    Read { slot: SlotId, from: u64, limit: u32 },
    Trim { slot: SlotId, upto: u64 },
    Get { key: RowKey },
    Scan { partition: RowKey, from: Bytes, to: Bytes, limit: u32, newest_first: bool },
    Put { key: RowKey, value: Bytes, expect: Expected },
    PutMany { writes: Vec<RowWrite> },
    PutMax { key: RowKey, value: Bytes, stamp: u64 },
    Delete { key: RowKey },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowKey {
    pub table: u8,
    pub partition: Bytes,
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub sort: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowWrite {
    pub key: RowKey,
    pub stamp: u64,
    /// Absent: deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    Any,
    Absent,
    Version(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    Fenced {
        head: u64,
    },
    Stale {
        epoch: u64,
    },
    Applied {},
    Moved {
        epoch: u64,
        head: u64,
        last_batch: Option<Uuid>,
    },
    /// As many as fit; none: there is none.
    Blocks {
        blocks: Vec<NumberedBlock>,
    },
    Row {
        row: Option<FoundRow>,
    },
    /// `more`: there may be others behind the last.
    Rows {
        rows: Vec<FoundRow>,
        more: bool,
    },
    Put {
        version: u64,
    },
    Conflict {
        version: u64,
    },
    Written {},
    Failed(Failure),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedBlock {
    pub number: u64,
    pub block: Bytes,
}

/// Table and partition are those that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRow {
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    pub sort: Bytes,
    pub value: Bytes,
    pub stamp: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It may have happened or not.
    Unknown {
        why: String,
    },
    ReadOnly {
        why: String,
    },
    Corrupt {
        why: String,
    },
    MissingBlock {
        slot: u16,
        block: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_speak_the_newest_that_both_know_and_strangers_in_time_do_not_speak() {
        let speaks = |oldest, newest| Speaks { oldest, newest };
        assert_eq!(speaks(1, 2).agree(speaks(2, 3)), Some(2));
        assert_eq!(speaks(1, 2).agree(speaks(3, 4)), None);
    }
}
