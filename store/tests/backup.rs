//! Backup of a store that is being written to, and what restore makes of it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use schema::record::{Installation, Key, Table, Watermark};
use schema::{InstallationId, SlotId};
use store::{Append, Appended, Embedded, EmbeddedConfig, Error, Expect, Fenced, Journal, Range, Records, RecordsExt, Write};
use uuid::Uuid;

const SLOT: SlotId = SlotId(4);
const EPOCH: u64 = 1 << 16;

fn open(folder: &Path) -> Result<Embedded, Error> {
    Embedded::open(folder, EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() })
}

fn row(number: u64) -> Key {
    Key::new(Table::History, &[b"room"], &[&number.to_be_bytes()])
}

/// A block, its row, and the watermark above it.
async fn write(store: &Embedded, number: u64) {
    let block = Bytes::from(format!("block {number}"));
    let append = Append { slot: SLOT, epoch: EPOCH, head: number - 1, batch: Uuid::from_u128(u128::from(number)), block };
    assert_eq!(store.append(append).await.unwrap(), Appended::Applied);
    store.put_many(vec![Write { key: row(number), stamp: number, value: Some(Bytes::from_static(b"row")) }]).await.unwrap();
    store.sync().await.unwrap();
    store.raise(&Watermark { slot: SLOT, block: number }, number).await.unwrap();
}

async fn fill(store: &Embedded, blocks: u64) {
    assert_eq!(store.fence(SLOT, EPOCH).await.unwrap(), Fenced::Ok { head: 0 });
    for number in 1..=blocks {
        write(store, number).await;
    }
}

/// How many blocks there are, after a look at whether they and what follows from them fit together.
async fn check(store: &Embedded) -> u64 {
    let blocks = store.read(SLOT, 1, 500).await.unwrap();
    assert!(blocks.iter().zip(1..).all(|(block, number)| block.number == number && block.block == format!("block {number}")));
    let (watermark, _) = store.fetch::<Watermark>(Watermark::key_of(SLOT)).await.unwrap().expect("there is a watermark");
    let rows = store.scan(Range::all(row(0), 500)).await.unwrap().len() as u64;
    let head = blocks.len() as u64;
    assert!(watermark.block <= rows && rows <= head, "watermark {}, {rows} rows, {head} blocks", watermark.block);
    head
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_during_writes_is_one_moment_of_the_data() {
    let (data, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Arc::new(open(data.path()).unwrap());
    fill(&store, 50).await;
    let (writing, until) = (store.clone(), Arc::new(tokio::sync::Notify::new()));
    let done = until.clone();
    let writer = tokio::spawn(async move {
        let mut number = 51;
        let mut done = std::pin::pin!(done.notified());
        while std::future::poll_fn(|context| std::task::Poll::Ready(done.as_mut().poll(context).is_pending())).await {
            write(&writing, number).await;
            number += 1;
        }
    });
    for copy in ["1", "2", "3"] {
        store.backup(copies.path().join(copy)).await.unwrap();
    }
    until.notify_one();
    writer.await.unwrap();
    for copy in ["1", "2", "3"] {
        let restored = copies.path().join(format!("restored {copy}"));
        store::restore(copies.path().join(copy), &restored).unwrap();
        assert!(check(&open(&restored).unwrap()).await >= 50);
    }
}

#[tokio::test]
async fn a_restored_data_set_is_another_installation_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let [data, copy, restored] = ["data", "copy", "restored"].map(|name| folder.path().join(name));
    let store = open(&data).unwrap();
    let first = Installation { id: InstallationId(Uuid::from_u128(1)), created_at: 1 };
    store.store(&first, Expect::Absent).await.unwrap();
    fill(&store, 5).await;
    let summary = store.backup(&copy).await.unwrap();
    for folder in [&data, &copy] {
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "keys lie in it");
    }
    assert!(summary.rows > 10 && summary.bytes > 500, "{summary:?}");
    write(&store, 6).await;
    let id = store::restore(&copy, &restored).unwrap();
    let other = open(&restored).unwrap();
    let (installation, version) = other.fetch::<Installation>(Installation::key_of()).await.unwrap().unwrap();
    assert_eq!((installation.id, version), (id, 2));
    assert_ne!(installation.id, first.id);
    assert_eq!(check(&other).await, 5);
    assert!(other.grant() << 16 > EPOCH);
    assert_eq!(other.fence(SLOT, other.grant() << 16).await.unwrap(), Fenced::Ok { head: 5 });
    assert_eq!(check(&store).await, 6);
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_what_it_left_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let store = open(&folder.path().join("data")).unwrap();
    fill(&store, 20).await;
    store.backup(&copy).await.unwrap();
    let whole = std::fs::read(copy.join("journal")).unwrap();
    for (number, at) in [2, whole.len() / 2, whole.len() - 6].into_iter().enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(copy.join("journal"), bytes).unwrap();
        let target = folder.path().join(number.to_string());
        assert!(matches!(store::restore(&copy, &target), Err(Error::Corrupt(_))), "byte {at}");
        let Err(Error::Unusable(sentence)) = open(&target) else { panic!("half a restore was opened") };
        assert!(sentence.contains("did not finish; delete what is in there"), "{sentence}");
    }
    std::fs::write(copy.join("journal"), &whole[..whole.len() - 1]).unwrap();
    assert!(matches!(store::restore(&copy, folder.path().join("cut")), Err(Error::Corrupt(_))));
}

#[tokio::test]
async fn an_unfinished_backup_and_a_used_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let store = open(&data).unwrap();
    fill(&store, 1).await;
    store.backup(&copy).await.unwrap();
    let Err(Error::Unusable(sentence)) = store.backup(&copy).await else { panic!("it was written over") };
    assert!(sentence.contains("is not empty; back up into a new folder"), "{sentence}");
    let Err(Error::Unusable(sentence)) = store::restore(&copy, &data) else { panic!("it was written over") };
    assert!(sentence.contains("is not empty; restore into a new folder"), "{sentence}");
    std::fs::remove_file(copy.join("manifest")).unwrap();
    let Err(Error::Unusable(sentence)) = store::restore(&copy, folder.path().join("new")) else { panic!("it was restored") };
    assert!(sentence.contains("holds no finished backup"), "{sentence}");
}

/// The backup is caught between two rows, by the look at its disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_the_store_gives_up_a_backup_and_a_second_one_has_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let (looked, looks) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let (target, may_go_on) = (copy.clone(), std::sync::Mutex::new(may_go_on));
    let free_bytes = Box::new(move |path: &Path| {
        if path == target {
            looked.send(()).unwrap();
            may_go_on.lock().unwrap().recv().expect_err("the test lets go of its end");
        }
        Ok(1 << 40)
    });
    let config = EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 1, ballast_bytes: 0, free_bytes, ..EmbeddedConfig::default() };
    let store = Arc::new(Embedded::open(&data, config).unwrap());
    fill(&store, 5).await;
    let (backing_up, to) = (store.clone(), copy.clone());
    let backup = tokio::spawn(async move { backing_up.backup(to).await });
    looks.recv().unwrap();
    let second = store.backup(folder.path().join("other")).await;
    assert_eq!(second, Err(Error::Unusable("a backup is running; wait for its end".into())));
    store.close();
    drop(go_on);
    assert_eq!(backup.await.unwrap(), Err(Error::Unusable("the store was closed before the backup was whole".into())));
    assert_eq!(std::fs::read_dir(&copy).unwrap().count(), 0, "an unfinished backup was left");
    assert!(matches!(store.sync().await, Err(Error::Unusable(_))));
    drop(store);
    assert_eq!(open(&data).unwrap().read(SLOT, 1, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_backup_does_not_fill_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let target = copy.clone();
    let free_bytes = Box::new(move |path: &Path| Ok(if path == target { 0 } else { 1 << 40 }));
    let config = EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 1 << 20, ballast_bytes: 0, free_bytes, ..EmbeddedConfig::default() };
    let store = Embedded::open(&data, config).unwrap();
    fill(&store, 1).await;
    assert!(matches!(store.backup(&copy).await, Err(Error::ReadOnly(_))));
    assert_eq!(std::fs::read_dir(&copy).unwrap().count(), 0);
}
