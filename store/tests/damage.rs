//! Whatever file of the data set is damaged or cut, wherever: the store says so in an error, or it was not hurt. It never
//! answers with something else than was written, and never panics at whoever asks.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Table};
use store::{Append, Appended, Embedded, EmbeddedConfig, Error, Fenced, Journal, Records, Write};
use uuid::Uuid;

const SLOT: SlotId = SlotId(1);
const BLOCKS: u64 = 60;

fn open(folder: &Path) -> Result<Embedded, Error> {
    // Small memtables: a part of the data is in tables, a part in the log.
    let config =
        EmbeddedConfig { cache_bytes: 8 << 20, memtable_bytes: 1 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() };
    Embedded::open(folder, config)
}

fn block(number: u64) -> Bytes {
    Bytes::from((0..40_000).map(|at: u64| (at * number % 251) as u8).collect::<Vec<_>>())
}

fn row(number: u64) -> Key {
    Key::new(Table::Members, &[b"room"], &[&number.to_be_bytes()])
}

async fn fill(folder: &Path) {
    let store = open(folder).unwrap();
    assert_eq!(store.fence(SLOT, 1 << 16).await.unwrap(), Fenced::Ok { head: 0 });
    for number in 1..=BLOCKS {
        let append = Append { slot: SLOT, epoch: 1 << 16, head: number - 1, batch: Uuid::from_u128(number.into()), block: block(number) };
        assert_eq!(store.append(append).await.unwrap(), Appended::Applied);
        store.put_many(vec![Write { key: row(number), stamp: number, value: Some(block(number)) }]).await.unwrap();
    }
    store.sync().await.unwrap();
}

/// An error that names what is wrong, or everything as it was written.
async fn read_all(folder: &Path) -> Result<(), Error> {
    let store = open(folder)?;
    let blocks = store.read(SLOT, 1, 500).await?;
    assert_eq!(blocks.len() as u64, BLOCKS);
    for (number, found) in (1..).zip(blocks) {
        assert!(found.number == number && found.block == block(number), "block {number} is not what was written");
        let found = store.get(row(number)).await?.expect("the row is there");
        assert!(found.value == block(number), "row {number} is not what was written");
    }
    Ok(())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::write(target, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn damage_anywhere_is_an_error_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    fill(&whole).await;
    read_all(&whole).await.unwrap();
    let mut paths = Vec::new();
    files(&whole, &mut paths);
    paths.sort();
    let mut named = 0;
    for path in &paths {
        for part in 0..=4 {
            let hurt = folder.path().join("hurt");
            copy(&whole, &hurt);
            damage(&hurt.join(path.strip_prefix(&whole).unwrap()), part);
            named += usize::from(read_all(&hurt).await.is_err());
            std::fs::remove_dir_all(&hurt).unwrap();
        }
    }
    assert!(named > paths.len(), "{named} of {} files' damages were met", paths.len());
}

/// At quarters of what is used of a file: a byte flipped, or the rest cut off.
fn damage(path: &Path, quarter: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let at = (used * quarter / 4).min(used.saturating_sub(1));
    match bytes.get_mut(at) {
        Some(byte) if quarter.is_multiple_of(2) => *byte ^= 0x55,
        _ => bytes.truncate(at),
    }
    std::fs::write(path, bytes).unwrap();
}
