//! The one thread that writes. It takes whatever waits, decides each call in order, puts all of it into one batch with one
//! fsync, and answers: what arrives meanwhile is the next group. Plain writes come along in small shares, so that nobody's
//! message waits for a flood of projections. A commit that fails is never tried again: nobody knows
//! what reached the disk, so the process stops and the next start reads what is there.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use fjall::{OwnedWriteBatch, PersistMode, Slice};
use schema::SlotId;
use schema::record::Key;
use tokio::sync::oneshot;

use super::OnFatal;
use super::disk::{Disk, Room};
use super::layout::{self, StoredHead};
use super::mark::Mark;
use super::open::{Opened, Tables, storage};
use super::queue::{Job, Queue};
use crate::cell::{self, Cell};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::op::{Done, Op};
use crate::{Append, Appended, Error, Expect, Fenced, Put, Write};

pub struct Writer {
    tables: Tables,
    ledgers: BTreeMap<SlotId, Ledger>,
    group: u64,
    mark: Mark,
    disk: Disk,
    metrics: Metrics,
    group_bytes_max: usize,
    /// Rows were committed without an fsync since the last one.
    is_dirty: bool,
    /// Taken from the queue; people wait for the urgent ones.
    urgent: VecDeque<Job>,
    plain: VecDeque<Job>,
    /// Of the group that is being written.
    answers: Vec<Answer>,
}

/// Plain writes that come along with urgent ones, or make a group of their own: what comes meanwhile waits for it.
const PLAIN_SHARE_BYTES: usize = 64 << 10;
/// With much that is urgent comes more: an event's rows take more than the event, and the projections must keep pace.
const PLAIN_PER_URGENT: usize = 2;

type Answer = (oneshot::Sender<Result<Done, Error>>, Result<Done, Error>);

/// What becomes one commit.
struct Group {
    batch: OwnedWriteBatch,
    /// Rows of this group, which the tables do not show yet.
    rows: HashMap<Slice, Option<Cell>>,
    bytes: usize,
    rows_written: u64,
    needs_sync: bool,
    room: Room,
    now_ms: u64,
}

impl Writer {
    pub fn new(opened: Opened, disk: Disk, metrics: Metrics, group_bytes_max: usize) -> Self {
        let Opened { tables, ledgers, group, mark, .. } = opened;
        let (urgent, plain, answers) = (VecDeque::new(), VecDeque::new(), Vec::new());
        Self { tables, ledgers, group, mark, disk, metrics, group_bytes_max, is_dirty: false, urgent, plain, answers }
    }

    /// Until the queue is closed and empty, or a commit fails.
    pub fn run(mut self, queue: &Arc<Queue>, on_fatal: OnFatal) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.write_all(queue)));
        let failed = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("writing to the disk failed, so the process stops: {error}; {}", self.disk.left()),
            Err(_) => "the store's writer met a bug, so the process stops".into(),
        };
        // First, so that the process ends before anybody is told anything.
        on_fatal(failed);
        queue.abandon();
    }

    fn write_all(&mut self, queue: &Arc<Queue>) -> Result<(), Error> {
        let mut jobs = Vec::new();
        while queue.take(&mut jobs, !(self.urgent.is_empty() && self.plain.is_empty())) {
            for job in jobs.drain(..) {
                if job.op.is_plain() { self.plain.push_back(job) } else { self.urgent.push_back(job) }
            }
            self.metrics.queue_ops.set((self.urgent.len() + self.plain.len()) as f64);
            self.metrics.queue_bytes.set(queue.bytes() as f64);
            self.write_group()?;
        }
        self.tables.db.persist(PersistMode::SyncAll).map_err(|error| storage("the last fsync", error))
    }

    fn write_group(&mut self) -> Result<(), Error> {
        let mut group = Group {
            batch: self.tables.db.batch(),
            rows: HashMap::new(),
            bytes: 0,
            rows_written: 0,
            needs_sync: false,
            room: self.disk.room(Instant::now()),
            now_ms: now_ms(),
        };
        while group.bytes < self.group_bytes_max
            && let Some(job) = self.urgent.pop_front()
        {
            self.admit(&mut group, job);
        }
        let urgent_bytes = group.bytes;
        let plain_bytes_max = PLAIN_SHARE_BYTES.max(urgent_bytes * PLAIN_PER_URGENT);
        while group.bytes - urgent_bytes < plain_bytes_max
            && let Some(job) = self.plain.pop_front()
        {
            self.admit(&mut group, job);
        }
        self.commit(group)?;
        for (reply, answer) in self.answers.drain(..) {
            // A caller that went away is told by the journal when it asks again.
            let _ = reply.send(answer);
        }
        Ok(())
    }

    fn admit(&mut self, group: &mut Group, job: Job) {
        group.bytes += job.op.bytes();
        let answer = self.decide(group, job.op);
        self.answers.push((job.reply, answer));
    }

    fn commit(&mut self, mut group: Group) -> Result<(), Error> {
        let sync = group.needs_sync && (self.is_dirty || !group.batch.is_empty());
        if group.batch.is_empty() && !sync {
            return Ok(());
        }
        if sync {
            self.group += 1;
            let key = layout::counter_key("group");
            let value = layout::encode_number(&key, self.group);
            group.batch.insert(&self.tables.journal, key, value);
        }
        let started = Instant::now();
        let mode = if sync { PersistMode::SyncData } else { PersistMode::Buffer };
        group.batch.durability(Some(mode)).commit().map_err(|error| storage("committing a group", error))?;
        if sync {
            self.metrics.fsync_seconds.record(started.elapsed());
            self.mark.set(self.group).map_err(|error| Error::Unusable(format!("marking a group: {error}")))?;
        }
        self.is_dirty = !sync;
        self.disk.wrote(group.bytes);
        self.metrics.rows.increment(group.rows_written);
        self.metrics.group_ops.record(self.answers.len() as f64);
        self.metrics.group_bytes.record(group.bytes as f64);
        Ok(())
    }

    fn decide(&mut self, group: &mut Group, op: Op) -> Result<Done, Error> {
        let needs = match op {
            Op::Append(_) | Op::Put { .. } => Room::Open,
            _ => Room::Finishing,
        };
        if group.room > needs && op != Op::Sync {
            return Err(self.disk.refusal());
        }
        match op {
            Op::Fence { slot, epoch } => Ok(Done::Fenced(self.fence(group, slot, epoch))),
            Op::Append(append) => Ok(Done::Appended(self.append(group, &append))),
            Op::Trim { slot, upto } => {
                self.trim(group, slot, upto);
                Ok(Done::Written)
            }
            Op::Put { key, value, expect } => self.put(group, &key, &value, expect).map(Done::Put),
            Op::PutMany(writes) => writes.iter().try_for_each(|write| self.put_stamped(group, write)).map(|()| Done::Written),
            Op::PutMax { key, value, stamp } => self.put_max(group, &key, &value, stamp).map(|()| Done::Written),
            Op::Delete(key) => self.delete(group, &key).map(|()| Done::Written),
            Op::Sync => {
                group.needs_sync = true;
                Ok(Done::Written)
            }
        }
    }

    fn fence(&mut self, group: &mut Group, slot: SlotId, epoch: u64) -> Fenced {
        let ledger = self.ledgers.entry(slot).or_default();
        let before = ledger.epoch();
        let fenced = ledger.fence(epoch);
        if ledger.epoch() != before {
            write_head(&self.tables, group, slot, ledger);
        }
        fenced
    }

    fn append(&mut self, group: &mut Group, append: &Append) -> Appended {
        let entry = match self.ledgers.entry(append.slot).or_default().append(append, group.now_ms) {
            Ok(entry) => entry,
            Err(moved) => {
                self.metrics.appends_refused.increment(1);
                return moved;
            }
        };
        let key = layout::block_key(append.slot, entry.number);
        let value = layout::encode_block(&key, append.epoch, append.batch, &append.block);
        group.batch.insert(&self.tables.journal, key, value);
        if let Some(segment) = entry.opens {
            let key = layout::segment_key(append.slot, segment.first);
            group.batch.insert(&self.tables.journal, key, layout::encode_number(&key, segment.opened_at));
        }
        group.needs_sync = true;
        self.metrics.appends.increment(1);
        Appended::Applied
    }

    fn trim(&mut self, group: &mut Group, slot: SlotId, upto: u64) {
        let Some(ledger) = self.ledgers.get_mut(&slot) else { return };
        let Some(trimmed) = ledger.trim(upto, group.now_ms) else { return };
        for first in trimmed.segments {
            group.batch.remove(&self.tables.journal, layout::segment_key(slot, first));
        }
        for number in trimmed.blocks {
            group.batch.remove(&self.tables.journal, layout::block_key(slot, number));
        }
        write_head(&self.tables, group, slot, ledger);
    }

    fn put(&self, group: &mut Group, key: &Key, value: &[u8], expect: Expect) -> Result<Put, Error> {
        let key = Slice::from(layout::record_key(key));
        let current = self.current(group, &key)?;
        let put = cell::conditional(current.as_ref(), expect);
        if let Put::Done { version } = put {
            self.store(group, key, version, Some(value));
            group.needs_sync = true;
        }
        Ok(put)
    }

    fn put_stamped(&self, group: &mut Group, write: &Write) -> Result<(), Error> {
        let key = Slice::from(layout::record_key(&write.key));
        let current = self.current(group, &key)?;
        if cell::stamped_wins(current.as_ref(), write.stamp, write.value.is_none()) {
            self.store(group, key, write.stamp, write.value.as_deref());
        }
        Ok(())
    }

    fn put_max(&self, group: &mut Group, key: &Key, value: &[u8], stamp: u64) -> Result<(), Error> {
        let key = Slice::from(layout::record_key(key));
        if cell::max_wins(self.current(group, &key)?.as_ref(), stamp) {
            self.store(group, key, stamp, Some(value));
        }
        Ok(())
    }

    fn delete(&self, group: &mut Group, key: &Key) -> Result<(), Error> {
        let key = Slice::from(layout::record_key(key));
        if self.current(group, &key)?.is_some() {
            group.batch.remove(&self.tables.records, key.clone());
            group.rows.insert(key, None);
            group.rows_written += 1;
            group.needs_sync = true;
        }
        Ok(())
    }

    fn current(&self, group: &Group, key: &[u8]) -> Result<Option<Cell>, Error> {
        if let Some(cell) = group.rows.get(key) {
            return Ok(cell.clone());
        }
        let value = self.tables.records.get(key).map_err(|error| storage(&layout::record_name(key), error))?;
        value.map(|value| layout::decode_cell(key, &value)).transpose()
    }

    fn store(&self, group: &mut Group, key: Slice, stamp: u64, value: Option<&[u8]>) {
        group.batch.insert(&self.tables.records, key.clone(), layout::encode_cell(&key, stamp, value));
        group.rows_written += 1;
        // The modes look at stamps and at whether there is a value; its bytes they never see.
        group.rows.insert(key, Some(Cell { stamp, value: value.map(|_| bytes::Bytes::new()) }));
    }
}

fn write_head(tables: &Tables, group: &mut Group, slot: SlotId, ledger: &Ledger) {
    let key = layout::slot_key(slot);
    let head = StoredHead { epoch: ledger.epoch(), head: ledger.head(), last_batch: ledger.last_batch() };
    group.batch.insert(&tables.journal, key, layout::encode_head(&key, &head));
    group.needs_sync = true;
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
