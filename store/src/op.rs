//! Every writing call of the two traits as a value: what a queue, a log of faults or a simulated network carries.

use bytes::Bytes;
use schema::SlotId;
use schema::limits::BLOCK_BYTES_MAX;
use schema::record::{Key, Mode};

use crate::{Append, Appended, Expect, Fenced, Put, Write};

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

    /// Panics where the caller broke the contract: a block over its bound, a write in another mode than its table's.
    pub fn check(&self) {
        let mode = |key: &Key, mode: Mode| assert_eq!(key.table.mode(), mode, "{} is not written this way", key.table.name());
        match self {
            Self::Append(append) => assert!(append.block.len() <= BLOCK_BYTES_MAX, "a block of {} bytes", append.block.len()),
            Self::Put { key, .. } | Self::Delete(key) => mode(key, Mode::Conditional),
            Self::PutMany(writes) => writes.iter().for_each(|write| mode(&write.key, Mode::Stamped)),
            Self::PutMax { key, .. } => mode(key, Mode::Max),
            Self::Fence { .. } | Self::Trim { .. } | Self::Sync => {}
        }
    }
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
