//! The log as openraft asks for it. All of it is in memory, since compaction keeps it short; the disk is read once, at the start.
//! Entries can be read when `append` returns and are durable when its callback is called. How far they are committed is not kept: after a
//! restart the group says so again.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogId, RaftLogReader, StorageIOError};
use parking_lot::Mutex;

use super::disk::{Write, encode};
use super::{Entry, Group, LogId, StorageError, Stored, Vote, Writer};

/// Bytes of entries in one answer to a reader, so that a message of them fits a frame. One entry at least.
const READ_BYTES_MAX: usize = 512 << 10;

/// Cheap to clone: readers are clones.
#[derive(Clone)]
pub struct LogStore {
    kept: Arc<Mutex<Kept>>,
    writer: Writer,
}

struct Kept {
    vote: Option<Vote>,
    purged: Option<LogId>,
    /// Invariant: without a hole. With each entry how many bytes it takes.
    entries: BTreeMap<u64, (Entry, usize)>,
}

impl LogStore {
    pub fn new(stored: &mut Stored, writer: Writer) -> Self {
        let entries = std::mem::take(&mut stored.entries);
        let kept = Kept { vote: stored.vote, purged: stored.purged, entries };
        Self { kept: Arc::new(Mutex::new(kept)), writer }
    }
}

impl RaftLogReader<Group> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, StorageError>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        Ok(self.kept.lock().entries.range(range).map(|(_, (entry, _))| entry.clone()).collect())
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        let kept = self.kept.lock();
        let mut bytes_left = READ_BYTES_MAX;
        let mut entries = Vec::new();
        for (entry, bytes) in kept.entries.range(start..end).map(|(_, row)| row) {
            if !entries.is_empty() && *bytes > bytes_left {
                break;
            }
            bytes_left = bytes_left.saturating_sub(*bytes);
            entries.push(entry.clone());
        }
        Ok(entries)
    }
}

impl RaftLogStorage<Group> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Group>, StorageError> {
        let kept = self.kept.lock();
        let last = kept.entries.last_key_value().map(|(_, (entry, _))| *entry.get_log_id());
        Ok(LogState { last_purged_log_id: kept.purged, last_log_id: last.or(kept.purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.writer.write(Write::Vote(*vote)).await.map_err(|error| StorageIOError::write_vote(&error))?;
        self.kept.lock().vote = Some(*vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.kept.lock().vote)
    }

    async fn append<I>(&mut self, entries: I, flushed: LogFlushed<Group>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut rows = Vec::new();
        {
            let mut kept = self.kept.lock();
            for entry in entries {
                let (index, bytes) = (entry.log_id.index, encode(&entry));
                kept.entries.insert(index, (entry, bytes.len()));
                rows.push((index, bytes));
            }
        }
        Ok(self.writer.append(rows, flushed).await.map_err(|error| StorageIOError::write_logs(&error))?)
    }

    async fn truncate(&mut self, from: LogId) -> Result<(), StorageError> {
        drop(self.kept.lock().entries.split_off(&from.index));
        self.behind(Write::Truncate(from.index)).await
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        {
            let mut kept = self.kept.lock();
            kept.entries = kept.entries.split_off(&(upto.index + 1));
            kept.purged = Some(upto);
        }
        self.behind(Write::Purge(upto)).await
    }
}

impl LogStore {
    async fn behind(&self, write: Write) -> Result<(), StorageError> {
        let written: io::Result<()> = self.writer.write_behind(write).await;
        Ok(written.map_err(|error| StorageIOError::write_logs(&error))?)
    }
}
