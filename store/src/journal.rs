//! The journal of a slot: an ordered, fenced log of blocks. It is the authority on what happened; see ARCHITECTURE.
//!
//! `head` counts the slot's blocks: the first append expects head 0 and writes block 1.

use bytes::Bytes;
use schema::SlotId;
use uuid::Uuid;

use crate::{Answer, Error};

/// Four calls. Each is atomic and durable when it answers `Ok`; `Err(Error::Unknown)` says that it may still happen later.
pub trait Journal: Send + Sync + 'static {
    /// Makes `epoch` the only one whose appends are taken, unless a higher one was fenced. Fencing the current epoch again is allowed.
    fn fence(&self, slot: SlotId, epoch: u64) -> Answer<'_, Result<Fenced, Error>>;

    /// Writes block `head + 1` if the slot's epoch is `epoch` and its head is `head`. A repeat of the identical call after
    /// it was applied answers `Moved` with `last_batch` = its own batch, as long as it is the last block.
    /// Errors: `Unknown`, `ReadOnly`. A block above `limits::BLOCK_BYTES_MAX` is a bug of the caller and panics.
    fn append(&self, append: Append) -> Answer<'_, Result<Appended, Error>>;

    /// Up to `limit` blocks from block number `from` on, in order, as of now (never stale). It may be fewer though more are
    /// there (a backend bounds a page); none means that there is none from `from` on.
    fn read(&self, slot: SlotId, from: u64, limit: usize) -> Answer<'_, Result<Vec<StoredBlock>, Error>>;

    /// Drops whole segments all of whose blocks are ≤ `upto`. Reading a trimmed block answers from the first kept one.
    /// Records written before this call are durable before a block is dropped: a watermark never falls below what was trimmed.
    fn trim(&self, slot: SlotId, upto: u64) -> Answer<'_, Result<(), Error>>;

    /// The grant from which epochs are made (`grant << 16 | activation`) while no Raft log gives one: it rises with every
    /// start of a process on this data. Where a group gives grants an owner takes its slot's from the table of owners, and the
    /// group's begin above this one; of `Fenced::Stale { epoch }` it is told, to grant above `epoch >> 16`.
    fn grant(&self) -> u64;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced {
    Ok {
        head: u64,
    },
    /// A higher epoch owns the slot.
    Stale {
        epoch: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub slot: SlotId,
    pub epoch: u64,
    /// The block before this one.
    pub head: u64,
    pub batch: Uuid,
    pub block: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    Applied,
    /// Refused. `last_batch` equal to one's own: an earlier try landed; look at this before the epoch.
    Moved {
        epoch: u64,
        head: u64,
        last_batch: Option<Uuid>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    pub number: u64,
    pub block: Bytes,
}
