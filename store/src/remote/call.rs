//! *Pure.* Between the traits' own words and the wire's: calls and their answers, and what a call counts for while it is
//! under way. What came over the wire is checked here: a backend may rely on its contract, a server may not.

use bytes::Bytes;
use schema::SlotId;
use schema::limits::BLOCK_BYTES_MAX;
use schema::record::{Key, Mode, Table};

use super::codec::FrameError;
use super::frame::{Answered, Call, Expected, Failure, FoundRow, NumberedBlock, RowKey, RowWrite};
use crate::op::{Done, Op, VALUE_BYTES_MAX, fits};
use crate::{Append, Appended, Error, Expect, Fenced, Put, Range, Row, StoredBlock, Write};

/// Of the rows or blocks of one answer; a longer one is asked for in pages.
pub const PAGE_BYTES: usize = 256 << 10;
/// Of one `PutMany`; more is sent as several.
pub const WRITES_BYTES: usize = 256 << 10;
/// Rows or blocks that are looked for at once, whatever was asked for.
pub const PAGE_ROWS: usize = 512;
/// What a read counts for: its answer's length is not known before.
const READ_BYTES: usize = 4 << 10;

/// A call as the server carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Write(Op),
    Read { slot: SlotId, from: u64, limit: usize },
    Get(Key),
    Scan(Range),
}

impl Call {
    pub fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Get { .. } | Self::Scan { .. })
    }
    /// See `Op::is_plain`.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::PutMany { .. } | Self::PutMax { .. } | Self::Trim { .. })
    }

    /// What it holds while it is under way, on either side.
    pub fn bytes(&self) -> usize {
        let row = |key: &RowKey, value: usize| key.partition.len() + key.sort.len() + value + 64;
        64 + match self {
            Self::Append { block, .. } => block.len(),
            Self::Put { key, value, .. } | Self::PutMax { key, value, .. } => row(key, value.len()),
            Self::PutMany { writes } => writes.iter().map(|write| row(&write.key, write.value.as_ref().map_or(0, Bytes::len))).sum(),
            Self::Delete { key } => row(key, 0),
            Self::Read { .. } | Self::Get { .. } | Self::Scan { .. } => READ_BYTES,
            Self::Fence { .. } | Self::Trim { .. } => 0,
        }
    }

    /// Errors: it breaks the contract that callers of the traits keep.
    pub fn work(self) -> Result<Work, FrameError> {
        let op = match self {
            Self::Read { slot, from, limit } => return Ok(Work::Read { slot, from, limit: (limit as usize).min(PAGE_ROWS) }),
            Self::Get { key } => return Ok(Work::Get(opened(key)?)),
            Self::Scan { partition, from, to, limit, newest_first } => {
                let limit = (limit as usize).min(PAGE_ROWS);
                return Ok(Work::Scan(Range { partition: opened(partition)?, from, to, limit, newest_first }));
            }
            Self::Fence { slot, epoch } => Op::Fence { slot, epoch },
            Self::Append { slot, epoch, head, batch, block } => Op::Append(Append { slot, epoch, head, batch, block }),
            Self::Trim { slot, upto } => Op::Trim { slot, upto },
            Self::Put { key, value, expect } => Op::Put { key: opened(key)?, value, expect: expect.into() },
            Self::PutMax { key, value, stamp } => Op::PutMax { key: opened(key)?, value, stamp },
            Self::Delete { key } => Op::Delete(opened(key)?),
            Self::PutMany { writes } => {
                let open = |RowWrite { key, stamp, value }| Ok(Write { key: opened(key)?, stamp, value });
                Op::PutMany(writes.into_iter().map(open).collect::<Result<_, FrameError>>()?)
            }
        };
        keeps_contract(&op)?;
        Ok(Work::Write(op))
    }
}

fn opened(key: RowKey) -> Result<Key, FrameError> {
    let table = Table::ALL.iter().find(|table| **table as u8 == key.table);
    let table = *table.ok_or(FrameError::Contract("a row of a table that is not known"))?;
    Ok(Key { table, partition: key.partition, sort: key.sort })
}

fn keeps_contract(op: &Op) -> Result<(), FrameError> {
    let row = |key: &Key, mode: Mode, value: usize| {
        if key.table.mode() != mode {
            return Err(FrameError::Contract("a row written in another way than its table is"));
        }
        if fits(key) && value <= VALUE_BYTES_MAX { Ok(()) } else { Err(FrameError::Contract("a row that is too large")) }
    };
    match op {
        Op::Fence { epoch: 0, .. } => Err(FrameError::Contract("a fence with nobody's epoch")),
        Op::Append(append) if append.block.len() > BLOCK_BYTES_MAX => Err(FrameError::Contract("a block that is too large")),
        Op::Put { key, value, .. } => row(key, Mode::Conditional, value.len()),
        Op::Delete(key) => row(key, Mode::Conditional, 0),
        Op::PutMax { key, value, .. } => row(key, Mode::Max, value.len()),
        Op::PutMany(writes) => {
            writes.iter().try_for_each(|write| row(&write.key, Mode::Stamped, write.value.as_ref().map_or(0, Bytes::len)))
        }
        Op::Fence { .. } | Op::Append(_) | Op::Trim { .. } | Op::Sync => Ok(()),
    }
}

/// `None`: of a sync, which is not sent.
pub fn call(op: Op) -> Option<Call> {
    Some(match op {
        Op::Fence { slot, epoch } => Call::Fence { slot, epoch },
        Op::Append(Append { slot, epoch, head, batch, block }) => Call::Append { slot, epoch, head, batch, block },
        Op::Trim { slot, upto } => Call::Trim { slot, upto },
        Op::Put { key, value, expect } => Call::Put { key: key.into(), value, expect: expect.into() },
        Op::PutMax { key, value, stamp } => Call::PutMax { key: key.into(), value, stamp },
        Op::Delete(key) => Call::Delete { key: key.into() },
        Op::PutMany(writes) => Call::PutMany {
            writes: writes.into_iter().map(|Write { key, stamp, value }| RowWrite { key: key.into(), stamp, value }).collect(),
        },
        Op::Sync => return None,
    })
}

/// Parts that fit a frame each, in their order: a part of a batch may be repeated, so it may go alone too.
pub fn in_parts(writes: Vec<Write>) -> Vec<Vec<Write>> {
    let (mut parts, mut bytes): (Vec<Vec<Write>>, usize) = (Vec::new(), 0);
    for write in writes {
        let more = write.key.partition.len() + write.key.sort.len() + write.value.as_ref().map_or(0, Bytes::len) + 64;
        match parts.last_mut() {
            Some(part) if bytes + more <= WRITES_BYTES => part.push(write),
            _ => {
                parts.push(vec![write]);
                bytes = 0;
            }
        }
        bytes += more;
    }
    parts
}

/// The longest beginning that fits an answer, at least one.
pub fn page<T>(items: Vec<T>, bytes: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let (count, mut total) = (items.len(), 0);
    let mut items: Vec<T> = items
        .into_iter()
        .enumerate()
        .take_while(|(at, item)| {
            total += bytes(item) + 64;
            *at == 0 || total <= PAGE_BYTES
        })
        .map(|(_, item)| item)
        .collect();
    items.shrink_to_fit();
    let is_cut = items.len() < count;
    (items, is_cut)
}

impl Answered {
    pub fn of_blocks(blocks: Vec<StoredBlock>) -> Self {
        let (blocks, _) = page(blocks, |block| block.block.len());
        Self::Blocks { blocks: blocks.into_iter().map(|StoredBlock { number, block }| NumberedBlock { number, block }).collect() }
    }
    pub fn of_row(row: Option<Row>) -> Self {
        Self::Row { row: row.map(found) }
    }
    /// `limit`: of the scan that found them.
    pub fn of_rows(rows: Vec<Row>, limit: usize) -> Self {
        let is_full = rows.len() == limit;
        let (rows, is_cut) = page(rows, |row| row.key.sort.len() + row.value.len());
        Self::Rows { rows: rows.into_iter().map(found).collect(), more: is_full || is_cut }
    }

    /// What a write was answered. `None`: with something else.
    pub fn done(&self) -> Option<Done> {
        Some(match *self {
            Self::Fenced { head } => Done::Fenced(Fenced::Ok { head }),
            Self::Stale { epoch } => Done::Fenced(Fenced::Stale { epoch }),
            Self::Applied {} => Done::Appended(Appended::Applied),
            Self::Moved { epoch, head, last_batch } => Done::Appended(Appended::Moved { epoch, head, last_batch }),
            Self::Put { version } => Done::Put(Put::Done { version }),
            Self::Conflict { version } => Done::Put(Put::Conflict { version }),
            Self::Written {} => Done::Written,
            Self::Blocks { .. } | Self::Row { .. } | Self::Rows { .. } | Self::Failed(_) => return None,
        })
    }
}

fn found(Row { key, value, stamp }: Row) -> FoundRow {
    FoundRow { sort: key.sort, value, stamp }
}

impl FoundRow {
    pub fn of(self, partition: &Key) -> Row {
        Row { key: Key { sort: self.sort, ..partition.clone() }, value: self.value, stamp: self.stamp }
    }
}

impl From<Done> for Answered {
    fn from(done: Done) -> Self {
        match done {
            Done::Fenced(Fenced::Ok { head }) => Self::Fenced { head },
            Done::Fenced(Fenced::Stale { epoch }) => Self::Stale { epoch },
            Done::Appended(Appended::Applied) => Self::Applied {},
            Done::Appended(Appended::Moved { epoch, head, last_batch }) => Self::Moved { epoch, head, last_batch },
            Done::Put(Put::Done { version }) => Self::Put { version },
            Done::Put(Put::Conflict { version }) => Self::Conflict { version },
            Done::Written => Self::Written {},
        }
    }
}

impl From<Key> for RowKey {
    fn from(Key { table, partition, sort }: Key) -> Self {
        Self { table: table as u8, partition, sort }
    }
}

impl From<Expect> for Expected {
    fn from(expect: Expect) -> Self {
        match expect {
            Expect::Any => Self::Any,
            Expect::Absent => Self::Absent,
            Expect::Version(version) => Self::Version(version),
        }
    }
}

impl From<Expected> for Expect {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Any => Self::Any,
            Expected::Absent => Self::Absent,
            Expected::Version(version) => Self::Version(version),
        }
    }
}

/// A store process that cannot be used as it is may be so in a moment: it is being stopped, or started.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown(why) | Error::Unusable(why) => Self::Unknown { why },
            Error::ReadOnly(why) => Self::ReadOnly { why },
            Error::Corrupt(why) => Self::Corrupt { why },
            Error::MissingBlock { slot, block } => Self::MissingBlock { slot, block },
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown { why } => Self::Unknown(why),
            Failure::ReadOnly { why } => Self::ReadOnly(why),
            Failure::Corrupt { why } => Self::Corrupt(why),
            Failure::MissingBlock { slot, block } => Self::MissingBlock { slot, block },
        }
    }
}
