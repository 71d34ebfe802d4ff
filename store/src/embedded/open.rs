//! Opening a data set: the lock, the database, a start counted, every slot's ledger, and a look at all blocks above the
//! watermarks, so that damage is named before anybody is served. Repairs nothing by guessing.

use std::collections::{BTreeMap, VecDeque};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use schema::SlotId;
use schema::record::{LastGrant, Watermark};
use schema::wire::from_msgpack;

use super::layout;
use super::{EmbeddedConfig, mark, wal};
use crate::Error;
use crate::ledger::{Ledger, Segment};

/// Rises when bytes written by this code cannot be read by older code.
const FORMAT: u64 = 1;

#[derive(Clone)]
pub struct Tables {
    pub db: Database,
    pub journal: Keyspace,
    pub records: Keyspace,
}

pub struct Opened {
    pub tables: Tables,
    pub ledgers: BTreeMap<SlotId, Ledger>,
    pub grant: u64,
    /// Number of the last group that was committed with an fsync.
    pub group: u64,
    pub mark: mark::Mark,
}

pub fn unusable(text: String) -> Error {
    Error::Unusable(text)
}

/// An error of the database while it read or wrote `what`.
pub fn storage(what: &str, error: fjall::Error) -> Error {
    let text = format!("{what}: {}", plainly(&error));
    match error {
        fjall::Error::Storage(error) if !matches!(error, fjall::LsmError::Io(_)) => Error::Corrupt(text),
        _ => Error::Unusable(text),
    }
}

/// The database's errors are for its authors; a person wants to know what happened to the files.
fn plainly(error: &fjall::Error) -> String {
    use fjall::LsmError as Lsm;
    match error {
        fjall::Error::Io(error) | fjall::Error::Storage(Lsm::Io(error)) => error.to_string(),
        fjall::Error::Storage(Lsm::ChecksumMismatch { .. }) | fjall::Error::JournalRecovery(_) => "a checksum does not match".into(),
        fjall::Error::Storage(Lsm::Unrecoverable) | fjall::Error::Unrecoverable => "a file is cut or missing".into(),
        fjall::Error::Storage(_) | fjall::Error::InvalidVersion(_) | fjall::Error::InvalidTag(_) | fjall::Error::InvalidTrailer => {
            "a file's bytes make no sense".into()
        }
        fjall::Error::Poisoned => "an earlier write failed; start again when the disk is well".into(),
        error => format!("{error:?}"),
    }
}

/// For its owner alone: keys and password hashes lie in it. A folder that is there stays as it is.
pub fn make_folder(folder: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unusable(format!("the folder {} cannot be made: {error}", folder.display())))
}

pub fn database_folder(folder: &Path) -> PathBuf {
    folder.join("db")
}

impl Tables {
    /// Panics of the database on a damaged file end here, as an error.
    pub fn open(folder: &Path, config: &EmbeddedConfig) -> Result<Self, Error> {
        let path = database_folder(folder);
        // By a thread of its own, which gives way: the database's workers, who flush and compact, inherit that from it.
        let EmbeddedConfig { cache_bytes, memtable_bytes, workers, .. } = *config;
        let opened = std::thread::scope(|scope| {
            let open = || {
                give_way();
                Self::open_database(&path, cache_bytes, memtable_bytes, workers)
            };
            scope.spawn(open).join()
        });
        let damaged =
            |why: String| Error::Corrupt(format!("the database in {} cannot be read ({why}); restore the last backup", path.display()));
        match opened {
            Ok(Ok(tables)) => Ok(tables),
            Ok(Err(error)) => Err(damaged(plainly(&error))),
            Err(_) => Err(damaged("a file's bytes make no sense".into())),
        }
    }

    fn open_database(path: &Path, cache_bytes: u64, memtable_bytes: u64, workers: usize) -> fjall::Result<Self> {
        let db = Database::builder(path)
            .cache_size(cache_bytes)
            .worker_threads(workers)
            .max_journaling_size(256 << 20)
            // Blocks are compressed when they reach the tables; on the way in the processor is dearer than the disk.
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(memtable_bytes);
        let (journal, records) = (db.keyspace("journal", options)?, db.keyspace("records", options)?);
        Ok(Self { db, journal, records })
    }

    pub fn counter(&self, name: &str) -> Result<u64, Error> {
        let key = layout::counter_key(name);
        let value = self.journal.get(&key).map_err(|error| storage("reading a counter", error))?;
        value.map_or(Ok(0), |value| layout::decode_number(&key, &value))
    }
}

/// Threads that this one makes, and itself, get a third of what others get of a busy processor: nobody waits for them until
/// they are far behind.
fn give_way() {
    const NICE: i32 = 5;
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::warn!(%error, "background work of the store cannot be told to give way");
    }
}

pub fn open(folder: &Path, config: &EmbeddedConfig) -> Result<Opened, Error> {
    let (mark, marked) = mark::Mark::open(folder)?;
    wal::check(&database_folder(folder), marked)?;
    let tables = Tables::open(folder, config)?;
    let format = tables.counter("format")?;
    if format > FORMAT {
        return Err(unusable(format!(
            "the data in {} was written by a newer version (format {format}, this one reads {FORMAT}); start that version",
            folder.display()
        )));
    }
    let group = tables.counter("group")?;
    if marked > group {
        return Err(Error::Corrupt(format!(
            "the data in {} ends at write {group}, but {marked} were acknowledged: a file was cut or replaced; restore the last \
             backup, or delete the file \"{}\" there to go on without what is missing",
            folder.display(),
            mark::FILE
        )));
    }
    let ledgers = load_ledgers(&tables)?;
    for (slot, ledger) in &ledgers {
        verify(&tables, *slot, ledger)?;
    }
    let seen = ledgers.values().map(|ledger| ledger.epoch() >> 16).max().unwrap_or(0);
    let grant = tables.counter("starts")?.max(seen).max(last_taken(&tables)?) + 1;
    let mut batch = tables.db.batch().durability(Some(PersistMode::SyncAll));
    for (name, number) in [("format", FORMAT), ("starts", grant), ("group", group + 1)] {
        let key = layout::counter_key(name);
        let value = layout::encode_number(&key, number);
        batch.insert(&tables.journal, key, value);
    }
    batch.commit().map_err(|error| storage("counting this start", error))?;
    Ok(Opened { tables, ledgers, grant, group: group + 1, mark })
}

/// The last grant that a node took for itself while this data was a store process's.
fn last_taken(tables: &Tables) -> Result<u64, Error> {
    let key = layout::record_key(&LastGrant::key_of());
    let row = tables.records.get(&key).map_err(|error| storage("reading the last grant", error))?;
    let value = row.map(|row| layout::decode_cell(&key, &row)).transpose()?.and_then(|cell| cell.value);
    let damaged = |error| Error::Corrupt(format!("{} cannot be read: {error}", layout::record_name(&key)));
    value.map_or(Ok(0), |value| from_msgpack::<LastGrant>(&value).map(|last| last.grant).map_err(damaged))
}

fn load_ledgers(tables: &Tables) -> Result<BTreeMap<SlotId, Ledger>, Error> {
    let reading = |error| storage("reading the journals' heads", error);
    let mut ledgers = BTreeMap::new();
    for row in tables.journal.prefix(layout::slots_prefix()) {
        let (key, value) = row.into_inner().map_err(reading)?;
        let slot = layout::slot_of(&key).ok_or_else(|| Error::Corrupt("a journal has no slot".into()))?;
        ledgers.insert(slot, load_ledger(tables, slot, layout::decode_head(slot, &key, &value)?)?);
    }
    Ok(ledgers)
}

/// The head is where the blocks end, or where it was when they were trimmed.
fn load_ledger(tables: &Tables, slot: SlotId, stored: layout::StoredHead) -> Result<Ledger, Error> {
    let reading = |error| storage(&format!("reading slot {}'s journal", slot.0), error);
    let mut segments = VecDeque::new();
    for row in tables.journal.prefix(layout::segments_prefix(slot)) {
        let (key, value) = row.into_inner().map_err(reading)?;
        let first = layout::number_of(&key).ok_or_else(|| Error::Corrupt(format!("a segment of slot {} has no number", slot.0)))?;
        segments.push_back(Segment { first, opened_at: layout::decode_number(&key, &value)? });
    }
    let (mut head, mut last_batch) = (stored.head, stored.last_batch);
    if let Some(row) = tables.journal.prefix(layout::blocks_prefix(slot)).next_back() {
        let (key, value) = row.into_inner().map_err(reading)?;
        let number = layout::number_of(&key).unwrap_or(0);
        let (epoch, batch, _) = layout::decode_block(&key, &value)?;
        if epoch > stored.epoch {
            return Err(Error::Corrupt(format!("{} is of epoch {epoch}, which was never fenced", layout::block_name(&key))));
        }
        if number >= head {
            (head, last_batch) = (number, Some(batch));
        }
    }
    Ok(Ledger::load(stored.epoch, head, last_batch, segments))
}

/// Every block above the watermark is there and is what was written; below it the projections have it.
fn verify(tables: &Tables, slot: SlotId, ledger: &Ledger) -> Result<(), Error> {
    let key = layout::record_key(&Watermark::key_of(slot));
    let row = tables.records.get(&key).map_err(|error| storage("reading a watermark", error))?;
    let watermark = row.map_or(Ok(0), |row| layout::decode_cell(&key, &row).map(|cell| cell.stamp))?;
    let mut expected = ledger.kept().max(watermark + 1);
    let rows = tables.journal.range(layout::block_key(slot, expected)..=layout::block_key(slot, ledger.head()));
    for row in (expected <= ledger.head()).then_some(rows).into_iter().flatten() {
        let (key, value) = row.into_inner().map_err(|error| storage(&format!("reading block {expected} of slot {}", slot.0), error))?;
        if layout::number_of(&key) != Some(expected) {
            break;
        }
        layout::decode_block(&key, &value)?;
        expected += 1;
    }
    if expected <= ledger.head() {
        return Err(Error::MissingBlock { slot: slot.0, block: expected });
    }
    Ok(())
}
