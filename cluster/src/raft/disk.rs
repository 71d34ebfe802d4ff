//! The file: one redb database with the log, the vote, the last snapshot and who this node is. Every commit is one transaction that is
//! on disk when it returns, in two phases, so that a power cut leaves the one before or this one. Blocks; the writer calls it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Entry, Error, LogId, SnapshotMeta, Vote};
use crate::ring::NodeId;

const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");
const FACTS: TableDefinition<&str, &[u8]> = TableDefinition::new("facts");
/// The whole file is smaller than this in any sane cluster; redb's own default would be a gigabyte.
const CACHE_BYTES: usize = 4 << 20;

/// Who this node is, in which cluster: written before it says its first word as that node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub node: NodeId,
    pub cluster: u128,
}

/// What the file held when it was opened.
#[derive(Debug, Default)]
pub struct Stored {
    pub identity: Option<Identity>,
    pub vote: Option<Vote>,
    pub purged: Option<LogId>,
    /// With each entry how many bytes it takes.
    pub entries: BTreeMap<u64, (Entry, usize)>,
    pub snapshot: Option<(SnapshotMeta, Vec<u8>)>,
}

#[derive(Debug)]
pub enum Write {
    Identity(Identity),
    Vote(Vote),
    /// By index, encoded.
    Append(Vec<(u64, Vec<u8>)>),
    /// From this index on.
    Truncate(u64),
    /// Up to this entry.
    Purge(LogId),
    Snapshot(SnapshotMeta, Vec<u8>),
}

#[derive(Debug)]
pub struct Disk {
    database: Database,
}

impl Disk {
    /// Makes the file if there is none. A second process is refused.
    pub fn open(path: &Path) -> Result<(Self, Stored), Error> {
        let fault = |why: String| Error::Open { path: path.display().to_string(), why };
        if !path.exists() {
            Self::make(path).map_err(fault)?;
        }
        Self::load(Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(|error| fault(error.to_string()))?)
    }

    /// Under another name until it is whole: a file that was half made when the power went could never be opened again.
    fn make(path: &Path) -> Result<(), String> {
        let (unfinished, folder) = (path.with_extension("new"), path.parent().unwrap_or(Path::new(".")));
        let placed = || {
            fs::rename(&unfinished, path)?;
            fs::File::open(folder)?.sync_all()
        };
        let made = match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.to_string()),
            _ => Database::builder().set_cache_size(CACHE_BYTES).create(&unfinished),
        };
        Self::load(made.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        placed().map_err(|error: io::Error| error.to_string())
    }

    #[cfg(test)]
    pub fn open_on(backend: impl redb::StorageBackend) -> Result<(Self, Stored), Error> {
        let opened = Database::builder().create_with_backend(backend);
        Self::load(opened.map_err(|error| Error::Open { path: "in memory".into(), why: error.to_string() })?)
    }

    fn load(database: Database) -> Result<(Self, Stored), Error> {
        let disk = Self { database };
        // Makes the tables, and shows at once whether the file can be written.
        disk.commit(&[]).map_err(|error| Error::Write(error.to_string()))?;
        let stored = disk.read().map_err(|error| Error::Damaged(error.to_string()))??;
        Ok((disk, stored))
    }

    fn read(&self) -> Result<Result<Stored, Error>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let facts = transaction.open_table(FACTS)?;
        let mut entries = BTreeMap::new();
        for row in transaction.open_table(ENTRIES)?.range(0u64..)? {
            let (index, bytes) = row?;
            match decode::<Entry>(bytes.value()) {
                Ok(entry) => drop(entries.insert(index.value(), (entry, bytes.value().len()))),
                Err(error) => return Ok(Err(error)),
            }
        }
        let fact = |name: &str| facts.get(name).map(|found| found.map(|bytes| bytes.value().to_vec()));
        let (identity, vote, purged) = (fact("identity")?, fact("vote")?, fact("purged")?);
        let (meta, snapshot) = (fact("snapshot_meta")?, fact("snapshot")?);
        let decoded = || {
            Ok(Stored {
                identity: option(identity)?,
                vote: option(vote)?,
                purged: option(purged)?,
                entries,
                snapshot: option(meta)?.zip(snapshot),
            })
        };
        Ok(decoded())
    }

    /// All of it or nothing, on disk when this returns.
    pub fn commit(&self, writes: &[Write]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate).expect("there are no savepoints");
        transaction.set_two_phase_commit(true);
        {
            let mut entries = transaction.open_table(ENTRIES)?;
            let mut facts = transaction.open_table(FACTS)?;
            for write in writes {
                match write {
                    Write::Identity(identity) => drop(facts.insert("identity", encode(identity).as_slice())?),
                    Write::Vote(vote) => drop(facts.insert("vote", encode(vote).as_slice())?),
                    Write::Append(rows) => {
                        for (index, bytes) in rows {
                            entries.insert(index, bytes.as_slice())?;
                        }
                    }
                    Write::Truncate(from) => entries.retain_in(*from.., |_, _| false)?,
                    Write::Purge(upto) => {
                        facts.insert("purged", encode(upto).as_slice())?;
                        entries.retain_in(..=upto.index, |_, _| false)?;
                    }
                    Write::Snapshot(meta, bytes) => {
                        facts.insert("snapshot_meta", encode(meta).as_slice())?;
                        facts.insert("snapshot", bytes.as_slice())?;
                    }
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

fn option<T: DeserializeOwned>(bytes: Option<Vec<u8>>) -> Result<Option<T>, Error> {
    bytes.map(|bytes| decode(&bytes)).transpose()
}

pub fn encode(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("what the group keeps can be encoded")
}

/// The whole of `bytes` and nothing else.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = rmp_serde::Deserializer::new(Cursor::new(bytes));
    reader.set_max_depth(32);
    let value = T::deserialize(&mut reader).map_err(|error| Error::Damaged(error.to_string()))?;
    if reader.position() != bytes.len() as u64 {
        return Err(Error::Damaged("bytes are left over".into()));
    }
    Ok(value)
}
