//! Backup of a running store into a folder, and restore of one into a new data set. A backup is one moment of the data: a
//! snapshot is read while writing goes on, every row's checksum is looked at on the way, and the manifest comes last, so
//! that an unfinished backup is none. Increments, encryption and far places are for the tools that copy folders.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use fjall::{Keyspace, PersistMode, Readable, Snapshot};
use schema::InstallationId;
use schema::record::Installation;
use uuid::Uuid;

use super::EmbeddedConfig;
use super::disk::Space;
use super::layout;
use super::lock::Lock;
use super::open::{Tables, make_folder, storage, unusable};
use crate::Error;

const FORMAT: u64 = 1;
const MANIFEST: &str = "manifest";
const PARTS: [&str; 2] = ["journal", "records"];
/// In a data set that is being restored; it goes last, and until then the data is not opened.
const UNFINISHED: &str = "restoring";
const BATCH_BYTES: usize = 4 << 20;
/// How much is written between two looks at the target's free space.
const LOOK_BYTES: u64 = 16 << 20;
/// Instead of a key's length: the end of the file, followed by the number of rows and a checksum of everything before it.
const END: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupSummary {
    pub rows: u64,
    pub bytes: u64,
}

/// `to` is absent or empty. What was begun is removed when it cannot be finished.
pub fn backup(tables: &Tables, to: &Path, space: &Space) -> Result<BackupSummary, Error> {
    empty_folder(to, "back up")?;
    let written = write_backup(tables, to, space);
    if written.is_err() {
        for name in PARTS.iter().chain([&MANIFEST]) {
            // It may not have been made yet.
            let _ = std::fs::remove_file(to.join(name));
        }
    }
    written
}

fn write_backup(tables: &Tables, to: &Path, space: &Space) -> Result<BackupSummary, Error> {
    let view = tables.db.snapshot();
    let mut summary = BackupSummary::default();
    for (name, keyspace) in PARTS.iter().zip([&tables.journal, &tables.records]) {
        let rows = write_part(&view, keyspace, &to.join(name), space)?;
        summary.rows += rows.count;
        summary.bytes += rows.bytes;
    }
    let manifest = format!("hubbub backup\nformat {FORMAT}\ncreated_at {}\nrows {}\nbytes {}\n", now_ms(), summary.rows, summary.bytes);
    write_last(&to.join(MANIFEST), manifest.as_bytes())?;
    Ok(summary)
}

fn write_part(view: &Snapshot, keyspace: &Keyspace, path: &Path, space: &Space) -> Result<Part<BufWriter<File>>, Error> {
    let file = File::create_new(path).map_err(|error| cannot_write(path, &error))?;
    let mut part = Part { file: BufWriter::with_capacity(1 << 20, file), crc: 0, count: 0, bytes: 0 };
    let mut looked_at = 0;
    for row in view.iter(keyspace) {
        let (key, value) = row.into_inner().map_err(|error| storage("reading for the backup", error))?;
        check_row(keyspace, &key, &value)?;
        if space.is_closing.load(Ordering::Relaxed) {
            return Err(unusable("the store was closed before the backup was whole".into()));
        }
        if part.count == 0 || part.bytes - looked_at > LOOK_BYTES {
            looked_at = part.bytes;
            check_space(path, space)?;
        }
        part.write_row(&key, &value).map_err(|error| cannot_write(path, &error))?;
    }
    part.write_end().map_err(|error| cannot_write(path, &error))?;
    Ok(part)
}

fn check_row(keyspace: &Keyspace, key: &[u8], value: &[u8]) -> Result<(), Error> {
    check_bytes(&**keyspace.name() == PARTS[1], key, value)
}

pub fn check_bytes(is_record: bool, key: &[u8], value: &[u8]) -> Result<(), Error> {
    match key.first() {
        _ if is_record => layout::decode_cell(key, value).map(drop),
        Some(3) => layout::decode_block(key, value).map(drop),
        Some(1) => layout::decode_head(layout::slot_of(key).unwrap_or_default(), key, value).map(drop),
        _ => layout::decode_number(key, value).map(drop),
    }
}

fn check_space(path: &Path, space: &Space) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let free = (space.free_of)(folder).map_err(|error| cannot_write(path, &error))?;
    if free < space.reserve_bytes {
        return Err(Error::ReadOnly(format!("the disk under {} is nearly full; back up to another one", folder.display())));
    }
    Ok(())
}

/// A file of rows: `key length ‖ value length ‖ key ‖ value`, then the end.
pub struct Part<F> {
    file: F,
    crc: u32,
    count: u64,
    bytes: u64,
}

impl Part<BufWriter<File>> {
    fn write_row(&mut self, key: &[u8], value: &[u8]) -> std::io::Result<()> {
        self.put(&(key.len() as u32).to_be_bytes())?;
        self.put(&(value.len() as u32).to_be_bytes())?;
        self.put(key)?;
        self.put(value)?;
        self.count += 1;
        Ok(())
    }

    fn write_end(&mut self) -> std::io::Result<()> {
        self.put(&END.to_be_bytes())?;
        self.put(&self.count.to_be_bytes())?;
        let crc = self.crc.to_be_bytes();
        self.put(&crc)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes)
    }
}

type KeyValue = (Vec<u8>, Vec<u8>);

impl Part<BufReader<File>> {
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|error| unusable(format!("{} cannot be read: {error}", path.display())))?;
        Ok(Self { file: BufReader::with_capacity(1 << 20, file), crc: 0, count: 0, bytes: 0 })
    }

    /// `None`: the end, whole and in order.
    pub fn read_row(&mut self, path: &Path) -> Result<Option<KeyValue>, Error> {
        let key_length = u32::from_be_bytes(self.take(path, 4)?.try_into().expect("four bytes"));
        if key_length == END {
            let count = u64::from_be_bytes(self.take(path, 8)?.try_into().expect("eight bytes"));
            let crc = self.crc.to_be_bytes();
            let is_whole = count == self.count && self.take(path, 4)? == crc;
            return if is_whole { Ok(None) } else { Err(damaged(path)) };
        }
        let value_length = u32::from_be_bytes(self.take(path, 4)?.try_into().expect("four bytes"));
        let (key, value) = (self.take(path, key_length)?, self.take(path, value_length)?);
        self.count += 1;
        Ok(Some((key, value)))
    }

    fn take(&mut self, path: &Path, length: u32) -> Result<Vec<u8>, Error> {
        // A damaged length must not ask for more memory than the file has bytes.
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(u64::from(length)).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() != length as usize {
            return Err(damaged(path));
        }
        self.crc = crc32c::crc32c_append(self.crc, &bytes);
        Ok(bytes)
    }
}

/// Makes a data set of a backup. It gets an installation id of its own: clients drop what they keep of the other one, whose
/// heads may have been higher. `to` is absent or empty.
pub fn restore(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<InstallationId, Error> {
    let (from, to) = (from.as_ref(), to.as_ref());
    check_manifest(from)?;
    empty_folder(to, "restore")?;
    let _lock = Lock::take(to)?;
    write_last(&to.join(UNFINISHED), b"")?;
    let tables = Tables::open(to, &EmbeddedConfig::default())?;
    for (name, keyspace) in PARTS.iter().zip([&tables.journal, &tables.records]) {
        read_part(&tables, keyspace, &from.join(name))?;
    }
    let id = renew_installation(&tables)?;
    tables.db.persist(PersistMode::SyncAll).map_err(|error| storage("restoring", error))?;
    drop(tables);
    let done = std::fs::remove_file(to.join(UNFINISHED)).and_then(|()| File::open(to)?.sync_all());
    done.map_err(|error| cannot_write(to, &error))?;
    Ok(id)
}

/// Asked at every start.
pub fn check_finished(folder: &Path) -> Result<(), Error> {
    if !folder.join(UNFINISHED).exists() {
        return Ok(());
    }
    Err(unusable(format!("the restore into {} did not finish; delete what is in there and restore again", folder.display())))
}

fn read_part(tables: &Tables, keyspace: &Keyspace, path: &Path) -> Result<(), Error> {
    let mut part = Part::open(path)?;
    let restoring = |error| storage("restoring", error);
    let (mut batch, mut bytes) = (tables.db.batch(), 0);
    while let Some((key, value)) = part.read_row(path)? {
        check_row(keyspace, &key, &value)?;
        bytes += key.len() + value.len();
        batch.insert(keyspace, key, value);
        if bytes > BATCH_BYTES {
            std::mem::replace(&mut batch, tables.db.batch()).commit().map_err(restoring)?;
            bytes = 0;
        }
    }
    batch.commit().map_err(restoring)
}

fn renew_installation(tables: &Tables) -> Result<InstallationId, Error> {
    let key = layout::record_key(&Installation::key_of());
    let before = tables.records.get(&key).map_err(|error| storage("reading the installation", error))?;
    let version = before.map_or(Ok(0), |value| layout::decode_cell(&key, &value).map(|cell| cell.stamp))?;
    let installation = Installation { id: InstallationId(Uuid::now_v7()), created_at: now_ms() };
    let value = layout::encode_cell(&key, version + 1, Some(&schema::wire::to_msgpack(&installation)));
    tables.records.insert(key, value).map_err(|error| storage("writing the installation", error))?;
    Ok(installation.id)
}

fn check_manifest(from: &Path) -> Result<(), Error> {
    let text = std::fs::read_to_string(from.join(MANIFEST));
    let text = text.map_err(|_| unusable(format!("{} holds no finished backup: there is no \"{MANIFEST}\" in it", from.display())))?;
    let format = text.lines().find_map(|line| line.strip_prefix("format ")?.parse::<u64>().ok());
    match format {
        Some(FORMAT) => Ok(()),
        Some(newer) => Err(unusable(format!("the backup in {} has format {newer}, this version reads {FORMAT}", from.display()))),
        None => Err(unusable(format!("{} holds no backup of this program", from.display()))),
    }
}

fn empty_folder(folder: &Path, what: &str) -> Result<(), Error> {
    make_folder(folder)?;
    let mut entries = std::fs::read_dir(folder).map_err(|error| unusable(format!("{} cannot be read: {error}", folder.display())))?;
    if entries.next().is_some() {
        return Err(unusable(format!("{} is not empty; {what} into a new folder", folder.display())));
    }
    Ok(())
}

/// Appears whole or not at all, after everything else in its folder.
fn write_last(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let draft = path.with_extension("new");
    let written = File::create(&draft)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&draft, path))
        .and_then(|()| File::open(&folder)?.sync_all());
    written.map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    unusable(format!("{} cannot be written: {error}", path.display()))
}

fn damaged(path: &Path) -> Error {
    Error::Corrupt(format!("the backup file {} is damaged or cut; take another backup", path.display()))
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
