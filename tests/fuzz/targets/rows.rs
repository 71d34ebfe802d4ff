//! What the embedded store reads from its own disk: rows under their checksums, the log, a backup.

use std::path::Path;

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Table};
use store::embedded::decoders;
use store::{Append, Embedded, EmbeddedConfig, Error, Journal, Records, Write};
use uuid::Uuid;

use super::{Target, folder, is_a_sentence};
use crate::mutate::Form;

pub const STORE_ROW: Target = Target { name: "store_row", form: Form::Bytes, seeds: row_seeds, feed: row };
pub const STORE_LOG: Target = Target { name: "store_log", form: Form::Bytes, seeds: log_seeds, feed: log };
pub const BACKUP: Target = Target { name: "backup", form: Form::Bytes, seeds: backup_seeds, feed: backup };

/// A small data set, its log file by file, and its backup.
fn data() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let folder = folder();
    let config =
        EmbeddedConfig { cache_bytes: 8 << 20, memtable_bytes: 1 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() };
    let store = Embedded::open(folder.path().join("data"), config).expect("a data set");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let backup = folder.path().join("backup");
    runtime.block_on(async {
        store.fence(SlotId(1), 1 << 16).await.expect("fenced");
        for number in 1..=3u64 {
            let block = Bytes::from(vec![number as u8; 40]);
            let batch = Uuid::from_u128(number.into());
            store
                .append(Append { slot: SlotId(1), epoch: 1 << 16, head: number - 1, batch, block: block.clone() })
                .await
                .expect("appended");
            let key = Key::new(Table::Members, &[b"room"], &[&number.to_be_bytes()]);
            store.put_many(vec![Write { key, stamp: number, value: Some(block) }]).await.expect("put");
        }
        store.sync().await.expect("synced");
        store.backup(&backup).await.expect("a backup");
    });
    drop(store);
    let mut logs = Vec::new();
    collect(&folder.path().join("data"), &mut logs);
    let parts = ["journal", "records"].map(|name| std::fs::read(backup.join(name)).expect("a part of the backup"));
    (logs, parts.to_vec())
}

fn collect(folder: &Path, logs: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, logs);
        } else if path.extension().is_some_and(|extension| extension == "jnl") {
            let mut bytes = std::fs::read(path).expect("a log file");
            // It was made longer ahead of time.
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            bytes.truncate(end + 64);
            logs.push(bytes);
        }
    }
}

/// The length of the key, the key, the value behind its checksum.
fn row_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for part in data().1 {
        let mut rest = &part[..];
        while let Some((lengths, after)) = rest.split_at_checked(8) {
            let length = |at: usize| u32::from_be_bytes(lengths[at..at + 4].try_into().expect("four bytes")) as usize;
            let (key, value) = (length(0), length(4));
            let Some((row, more)) = after.split_at_checked(key.saturating_add(value)) else { break };
            seeds.push([&[key as u8], &row[..key], &row[key + 4..]].concat());
            rest = more;
        }
    }
    seeds
}

fn says_what(result: Result<(), Error>) {
    if let Err(error) = result {
        is_a_sentence(&error.to_string());
    }
}

/// As it is: no checksum fits. And sealed, as if the damage had been done before it was written.
fn row(input: &[u8]) {
    let Some((length, rest)) = input.split_first() else { return };
    let (key, value) = rest.split_at(usize::from(*length).min(rest.len()));
    says_what(decoders::row(key, value));
    says_what(decoders::row(key, &decoders::sealed(key, value)));
}

fn log_seeds() -> Vec<Vec<u8>> {
    data().0
}

/// First byte: how many groups were acknowledged. It is refused with a sentence, or what is left of it is taken again.
fn log(input: &[u8]) {
    let folder = folder();
    std::fs::write(folder.path().join("0.jnl"), input).expect("the log is written");
    for marked in [0, 2] {
        let looked = decoders::log(folder.path(), marked);
        if looked.is_ok() {
            assert_eq!(decoders::log(folder.path(), marked), Ok(()), "what was mended is whole");
        }
        says_what(looked);
    }
}

fn backup_seeds() -> Vec<Vec<u8>> {
    data().1
}

/// Only what was written whole is read to its end.
fn backup(input: &[u8]) {
    let folder = folder();
    let file = folder.path().join("records");
    std::fs::write(&file, input).expect("the part is written");
    match decoders::backup_part(&file) {
        Ok(rows) => assert!(rows * 8 <= input.len() as u64),
        Err(error) => {
            let text = error.to_string();
            is_a_sentence(&text);
            assert!(!text.contains("os error"), "{text}");
        }
    }
}
