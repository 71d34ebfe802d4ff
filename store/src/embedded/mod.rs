//! The store of one machine, on fjall: one writer thread that commits whatever waits with one fsync, a few reader threads,
//! and guard rails (lock, free space, checksums, a mark of what was acknowledged). No fjall type leaves this folder.

mod backup;
mod config;
#[doc(hidden)]
pub mod decoders;
mod disk;
mod layout;
mod lock;
mod mark;
mod open;
mod queue;
mod read;
mod readers;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use schema::SlotId;
use schema::record::Key;
use tokio::sync::Semaphore;

pub use backup::{BackupSummary, restore};
pub use config::{EmbeddedConfig, OnFatal};
pub use disk::{FreeBytes, free_bytes};
pub use lock::Lock;

use crate::metrics::Metrics;
use crate::op::Op;
use crate::{Answer, Append, Appended, Error, Expect, Fenced, Journal, Put, Range, Records, Row, StoredBlock, Write};
use open::{Tables, make_folder, storage, unusable};

/// Dropping it writes out what waits and lets the data go; do that off an async worker.
pub struct Embedded {
    folder: PathBuf,
    grant: u64,
    queue: Arc<queue::Queue>,
    writer: Option<JoinHandle<()>>,
    readers: readers::Readers,
    tables: Tables,
    space: Arc<disk::Space>,
    /// One permit: one backup at a time.
    backups: Arc<Semaphore>,
    /// The one that runs, or ran last.
    backup: Mutex<Option<JoinHandle<()>>>,
    /// Last: the next process may come in when everything else has ended.
    _lock: lock::Lock,
}

impl Embedded {
    /// Makes the folder if it is not there. Blocks (for seconds after a crash); one process per folder.
    pub fn open(path: impl AsRef<Path>, mut config: EmbeddedConfig) -> Result<Self, Error> {
        let folder = path.as_ref().to_owned();
        make_folder(&folder)?;
        let lock = lock::Lock::take(&folder)?;
        backup::check_finished(&folder)?;
        let space = Arc::new(disk::Space::new(std::mem::replace(&mut config.free_bytes, Box::new(disk::free_bytes)), config.reserve_bytes));
        space.check_start(&folder)?;
        let opened = open::open(&folder, &config)?;
        let metrics = Metrics::new();
        let disk = disk::Disk::new(&folder, space.clone(), config.ballast_bytes, config.disk_interval, metrics.clone());
        let (grant, tables) = (opened.grant, opened.tables.clone());
        let no_thread = |error: std::io::Error| unusable(format!("a thread cannot be started: {error}"));
        let readers = readers::Readers::start(config.readers, &tables, &metrics).map_err(no_thread)?;
        let queue = Arc::new(queue::Queue::new(config.queue_bytes));
        let writer = writer::Writer::new(opened, disk, metrics, config.group_bytes);
        let (work, on_fatal) = (queue.clone(), config.on_fatal);
        let writer =
            std::thread::Builder::new().name("store-write".into()).spawn(move || writer.run(&work, on_fatal)).map_err(no_thread)?;
        Ok(Self {
            folder,
            grant,
            queue,
            writer: Some(writer),
            readers,
            tables,
            space,
            backups: Arc::new(Semaphore::new(1)),
            backup: Mutex::default(),
            _lock: lock,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The disk is nearly full: appends and conditional writes are refused until there is space again.
    pub fn is_read_only(&self) -> bool {
        self.space.is_read_only.load(Ordering::Relaxed)
    }

    /// Takes no more writes, and gives up a backup; what was taken is still written and answered.
    pub fn close(&self) {
        self.queue.close();
        self.space.is_closing.store(true, Ordering::Relaxed);
    }

    /// Writes one moment of the data into `to`, a folder that is absent or empty, while everything goes on. One at a time;
    /// closing the store gives it up.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<BackupSummary, Error> {
        let running = self.backups.clone().try_acquire_owned();
        let running = running.map_err(|_| unusable("a backup is running; wait for its end".into()))?;
        let (to, tables, space) = (to.into(), self.tables.clone(), self.space.clone());
        let (reply, answer) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("store-backup".into()).spawn(move || {
            let written = backup::backup(&tables, &to, &space);
            drop((tables, running));
            // Whoever asked may have gone; the backup is there or it is not.
            let _ = reply.send(written);
        });
        *self.backup.lock() = Some(thread.map_err(|error| unusable(format!("a thread cannot be started: {error}")))?);
        answer.await.unwrap_or_else(|_| Err(unusable("the backup met a bug and is not finished".into())))
    }

    /// What the data takes on the disk, the ballast apart.
    pub fn disk_bytes(&self) -> Result<u64, Error> {
        self.tables.db.disk_space().map_err(|error| storage("measuring the data", error))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
        for thread in self.writer.take().into_iter().chain(self.backup.get_mut().take()) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

impl Journal for Embedded {
    fn fence(&self, slot: SlotId, epoch: u64) -> Answer<'_, Result<Fenced, Error>> {
        Box::pin(async move { Ok(self.queue.submit(Op::Fence { slot, epoch }).await?.fenced()) })
    }
    fn append(&self, append: Append) -> Answer<'_, Result<Appended, Error>> {
        Box::pin(async move { Ok(self.queue.submit(Op::Append(append)).await?.appended()) })
    }
    fn read(&self, slot: SlotId, from: u64, limit: usize) -> Answer<'_, Result<Vec<StoredBlock>, Error>> {
        Box::pin(self.readers.read(move |tables| read::blocks(tables, slot, from, limit)))
    }
    fn trim(&self, slot: SlotId, upto: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.queue.submit(Op::Trim { slot, upto }).await.map(drop) })
    }
    fn grant(&self) -> u64 {
        self.grant
    }
}

impl Records for Embedded {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        Box::pin(self.readers.read(move |tables| read::get(tables, key)))
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        Box::pin(self.readers.read(move |tables| read::scan(tables, &range)))
    }
    fn scan_all(&self, ranges: Vec<Range>) -> Answer<'_, Result<Vec<Vec<Row>>, Error>> {
        Box::pin(self.readers.read(move |tables| ranges.iter().map(|range| read::scan(tables, range)).collect()))
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        Box::pin(async move { Ok(self.queue.submit(Op::Put { key, value, expect }).await?.put()) })
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.queue.submit(Op::PutMany(writes)).await.map(drop) })
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.queue.submit(Op::PutMax { key, value, stamp }).await.map(drop) })
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.queue.submit(Op::Delete(key)).await.map(drop) })
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.queue.submit(Op::Sync).await.map(drop) })
    }
}
