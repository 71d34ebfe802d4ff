//! Every writing call of the two traits as a value: what a queue, a log of faults or a simulated network carries.

use bytes::Bytes;
use schema::SlotId;
use schema::limits::BLOCK_BYTES_MAX;
use schema::record::{Key, Mode};

use crate::{Append, Appended, Error, Expect, Fenced, Put, Write};

/// Partition and sort key together. No name that people choose comes near it.
pub const KEY_BYTES_MAX: usize = 32 * 1024;
/// Of one row.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// Whether a row can lie under this key; under another there is none.
pub fn fits(key: &Key) -> bool {
    key.partition.len() + key.sort.len() <= KEY_BYTES_MAX
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Fence { slot: SlotId, epoch: u64 },
    Append(Append),
    Trim { slot: SlotId, upto: u64 },
    Put { key: Key, value: Bytes, expect: Expect },
    PutMany(Vec<Write>),
    PutMax { key: Key, value: Bytes, stamp: u64 },
    Delete(Key),
    Sync,
}

/// What an op answers when it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Fenced(Fenced),
    Appended(Appended),
    Put(Put),
    Written,
}

impl Op {
    /// Bytes that the op holds while it waits, its own struct included.
    pub fn bytes(&self) -> usize {
        let row = |key: &Key, value: usize| key.partition.len() + key.sort.len() + value + 64;
        64 + match self {
            Self::Append(append) => append.block.len(),
            Self::Put { key, value, .. } | Self::PutMax { key, value, .. } => row(key, value.len()),
            Self::PutMany(writes) => writes.iter().map(|write| row(&write.key, write.value.as_ref().map_or(0, Bytes::len))).sum(),
            Self::Delete(key) => row(key, 0),
            Self::Fence { .. } | Self::Trim { .. } | Self::Sync => 0,
        }
    }

    /// Work behind the scenes, which nobody's message waits for.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::PutMany(_) | Self::PutMax { .. } | Self::Trim { .. })
    }

    /// Refuses what is too large to be stored. Panics where the caller broke the contract: a block over its bound, a write in
    /// another mode than its table's.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Append(append) => {
                assert!(append.block.len() <= BLOCK_BYTES_MAX, "a block of {} bytes", append.block.len());
                Ok(())
            }
            Self::Put { key, value, .. } => check_row(key, Mode::Conditional, value.len()),
            Self::Delete(key) => check_row(key, Mode::Conditional, 0),
            Self::PutMany(writes) => {
                writes.iter().try_for_each(|write| check_row(&write.key, Mode::Stamped, write.value.as_ref().map_or(0, Bytes::len)))
            }
            Self::PutMax { key, value, .. } => check_row(key, Mode::Max, value.len()),
            Self::Fence { .. } | Self::Trim { .. } | Self::Sync => Ok(()),
        }
    }
}

fn check_row(key: &Key, mode: Mode, value_bytes: usize) -> Result<(), Error> {
    let table = key.table.name();
    assert_eq!(key.table.mode(), mode, "{table} is not written this way");
    if fits(key) && value_bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    let key_bytes = key.partition.len() + key.sort.len();
    Err(Error::Unusable(format!("a row of {table} with {key_bytes} bytes of key and {value_bytes} of value is too large")))
}

impl Done {
    pub fn fenced(self) -> Fenced {
        let Self::Fenced(fenced) = self else { unreachable!("a fence answered {self:?}") };
        fenced
    }
    pub fn appended(self) -> Appended {
        let Self::Appended(appended) = self else { unreachable!("an append answered {self:?}") };
        appended
    }
    pub fn put(self) -> Put {
        let Self::Put(put) = self else { unreachable!("a put answered {self:?}") };
        put
    }
}
