//! Pure. The rules of one slot's journal: which epoch may append, what the next block is, where segments begin, what may
//! be trimmed. Every backend that decides by itself (embedded, sim) decides here. Holds no block and touches no disk.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use schema::limits::{SEGMENT_BLOCKS_MAX, SEGMENT_MS_MAX};
use uuid::Uuid;

use crate::{Append, Appended, Fenced};

/// Invariant: `segments` are in order and without a gap; the last one ends at `head`. Epoch 0: nobody fenced the slot yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    epoch: u64,
    head: u64,
    last_batch: Option<Uuid>,
    segments: VecDeque<Segment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number of its first block.
    pub first: u64,
    /// Milliseconds since 1970, of the clock of whoever appended its first block.
    pub opened_at: u64,
}

/// An append that was taken: the block's number, and whether a new segment begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    pub opens: Option<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trimmed {
    pub blocks: RangeInclusive<u64>,
    /// First blocks of the dropped segments.
    pub segments: Vec<u64>,
}

impl Ledger {
    /// As read back from a disk.
    pub fn load(epoch: u64, head: u64, last_batch: Option<Uuid>, segments: VecDeque<Segment>) -> Self {
        Self { epoch, head, last_batch, segments }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }
    pub fn head(&self) -> u64 {
        self.head
    }
    pub fn last_batch(&self) -> Option<Uuid> {
        self.last_batch
    }
    /// The first block that was not trimmed; `head + 1` if there is none.
    pub fn kept(&self) -> u64 {
        self.segments.front().map_or(self.head + 1, |segment| segment.first)
    }

    /// Panics: epoch 0, which means "nobody".
    pub fn fence(&mut self, epoch: u64) -> Fenced {
        assert_ne!(epoch, 0, "epochs start at 1");
        if epoch < self.epoch {
            return Fenced::Stale { epoch: self.epoch };
        }
        self.epoch = epoch;
        Fenced::Ok { head: self.head }
    }

    /// `Err` is the refusal to answer with.
    pub fn append(&mut self, append: &Append, now_ms: u64) -> Result<Entry, Appended> {
        let owner = self.epoch != 0 && append.epoch == self.epoch;
        let expected = append.head == self.head && self.last_batch != Some(append.batch);
        if !(owner && expected) {
            return Err(Appended::Moved { epoch: self.epoch, head: self.head, last_batch: self.last_batch });
        }
        let number = self.head + 1;
        let opens = match self.segments.back() {
            Some(last) if !self.is_sealed(last, now_ms) => None,
            _ => Some(Segment { first: number, opened_at: now_ms }),
        };
        self.segments.extend(opens);
        self.head = number;
        self.last_batch = Some(append.batch);
        Ok(Entry { number, opens })
    }

    /// Drops the whole sealed segments all of whose blocks are ≤ `upto`.
    pub fn trim(&mut self, upto: u64, now_ms: u64) -> Option<Trimmed> {
        let first = self.kept();
        let mut segments = Vec::new();
        while let Some(front) = self.segments.front() {
            let (end, sealed) = match self.segments.get(1) {
                Some(next) => (next.first - 1, true),
                None => (self.head, self.is_sealed(front, now_ms)),
            };
            if !sealed || end > upto {
                break;
            }
            segments.extend(self.segments.pop_front().map(|segment| segment.first));
        }
        (!segments.is_empty()).then(|| Trimmed { blocks: first..=self.kept() - 1, segments })
    }

    /// Asked of the last segment: full, or too old (a clock that went back keeps it open).
    fn is_sealed(&self, last: &Segment, now_ms: u64) -> bool {
        self.head + 1 - last.first >= SEGMENT_BLOCKS_MAX || now_ms.saturating_sub(last.opened_at) >= SEGMENT_MS_MAX
    }
}
