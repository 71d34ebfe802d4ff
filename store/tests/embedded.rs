//! The embedded store's own promises, those that the conformance suite cannot ask of every backend: what it says about
//! damage, a second process and a full disk. Kills and failing disks are in `process.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Record, Table, Watermark};
use store::{Append, Appended, Embedded, EmbeddedConfig, Error, Expect, Fenced, Journal, Records, RecordsExt, Write};
use uuid::Uuid;

const SLOT: SlotId = SlotId(9);
const EPOCH: u64 = 1 << 16;

fn config() -> EmbeddedConfig {
    EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() }
}

fn open(folder: &Path) -> Result<Embedded, Error> {
    Embedded::open(folder, config())
}

fn block(number: u64) -> Bytes {
    Bytes::from(format!("block {number} ").repeat(100))
}

fn append(head: u64) -> Append {
    Append { slot: SLOT, epoch: EPOCH, head, batch: Uuid::from_u128(u128::from(head) + 1), block: block(head + 1) }
}

async fn fill(store: &Embedded, blocks: u64) {
    assert_eq!(store.fence(SLOT, EPOCH).await.unwrap(), Fenced::Ok { head: 0 });
    for head in 0..blocks {
        assert_eq!(store.append(append(head)).await.unwrap(), Appended::Applied);
    }
}

fn user() -> Key {
    Key::new(Table::Usernames, &[b"ad"], &[b"ada"])
}

/// The database without the store around it, to do to it what a bad disk does.
fn tamper(folder: &Path, keyspace: &str, change: impl FnOnce(&fjall::Keyspace)) {
    let db = fjall::Database::builder(folder.join("db")).open().unwrap();
    let keyspace = db.keyspace(keyspace, fjall::KeyspaceCreateOptions::default).unwrap();
    change(&keyspace);
    db.persist(fjall::PersistMode::SyncAll).unwrap();
}

fn flip_last_byte(keyspace: &fjall::Keyspace, key: &[u8]) {
    let mut value = keyspace.get(key).unwrap().expect("the row is there").to_vec();
    *value.last_mut().unwrap() ^= 1;
    keyspace.insert(key, value).unwrap();
}

fn block_key(number: u64) -> Vec<u8> {
    [&[3][..], &SLOT.0.to_be_bytes(), &number.to_be_bytes()].concat()
}

#[test]
fn a_second_process_on_the_same_data_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path()).unwrap();
    let Err(Error::Unusable(sentence)) = open(folder.path()) else { panic!("it was opened twice") };
    assert!(sentence.contains(&format!("in use by process {}; stop it first", std::process::id())), "{sentence}");
}

#[tokio::test]
async fn the_grant_rises_above_every_epoch_that_was_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.fence(SLOT, 900 << 16 | 3).await.unwrap();
    drop(store);
    assert_eq!(open(folder.path()).unwrap().grant(), 901);
}

#[tokio::test]
async fn a_corrupted_block_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 5).await;
    drop(store);
    tamper(folder.path(), "journal", |journal| flip_last_byte(journal, &block_key(3)));
    let Err(error) = open(folder.path()) else { panic!("it was opened") };
    assert_eq!(error, Error::Corrupt("block 3 of slot 9's journal does not match its checksum".into()));
}

#[tokio::test]
async fn a_missing_block_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 5).await;
    drop(store);
    tamper(folder.path(), "journal", |journal| journal.remove(block_key(2)).unwrap());
    let Err(error) = open(folder.path()) else { panic!("it was opened") };
    assert_eq!(error, Error::MissingBlock { slot: 9, block: 2 });
}

#[tokio::test]
async fn a_damaged_block_below_the_watermark_is_named_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 5).await;
    store.raise(&Watermark { slot: SLOT, block: 4 }, 4).await.unwrap();
    store.sync().await.unwrap();
    drop(store);
    tamper(folder.path(), "journal", |journal| {
        flip_last_byte(journal, &block_key(3));
        journal.remove(block_key(1)).unwrap();
    });
    let store = open(folder.path()).unwrap();
    assert!(matches!(store.read(SLOT, 2, 5).await, Err(Error::Corrupt(_))));
    assert_eq!(store.read(SLOT, 1, 1).await, Err(Error::MissingBlock { slot: 9, block: 1 }));
    assert_eq!(store.read(SLOT, 4, 5).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_corrupted_row_is_named_when_it_is_read_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put(user(), Bytes::from_static(b"whose"), Expect::Absent).await.unwrap();
    drop(store);
    let key = [&[Table::Usernames as u8, 0, 2][..], b"ad", b"ada"].concat();
    tamper(folder.path(), "records", |records| flip_last_byte(records, &key));
    let store = open(folder.path()).unwrap();
    let named = Error::Corrupt("the row of Usernames at 6164/616461 does not match its checksum".into());
    assert_eq!(store.get(user()).await, Err(named.clone()));
    assert_eq!(store.put(user(), Bytes::new(), Expect::Any).await, Err(named));
}

fn log_file(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder.join("db")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "jnl")).max().expect("there is a log")
}

/// Where the bytes of a block lie in the log.
fn position(log: &[u8], number: u64) -> usize {
    let text = block(number);
    log.windows(text.len()).position(|window| window == text).expect("the block is in the log")
}

#[tokio::test]
async fn a_log_that_was_cut_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 5).await;
    drop(store);
    let log = std::fs::read(log_file(folder.path())).unwrap();
    // The last one leaves nothing that says how much is missing: what is cut off there is kept beside.
    for (end, left) in [(position(&log, 4), None), (position(&log, 3) + 10, None), (20, Some(0))] {
        std::fs::write(log_file(folder.path()), &log[..end]).unwrap();
        let Err(Error::Corrupt(sentence)) = open(folder.path()) else { panic!("a log cut at {end} was opened") };
        assert!(sentence.contains("restore the last backup"), "{sentence}");
        assert_eq!(std::fs::metadata(log_file(folder.path())).unwrap().len(), left.unwrap_or(end as u64));
    }
    assert_eq!(std::fs::read(log_file(folder.path()).with_extension("cut")).unwrap(), &log[..20]);
    std::fs::write(log_file(folder.path()), &log).unwrap();
    assert_eq!(open(folder.path()).unwrap().read(SLOT, 1, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_log_damaged_in_the_middle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 5).await;
    drop(store);
    let mut log = std::fs::read(log_file(folder.path())).unwrap();
    let at = position(&log, 2);
    log[at + 7] ^= 1;
    std::fs::write(log_file(folder.path()), &log).unwrap();
    let Err(Error::Corrupt(sentence)) = open(folder.path()) else { panic!("it was opened") };
    assert!(sentence.contains("writes were acknowledged; restore the last backup"), "{sentence}");
}

/// What a power cut in the middle of a write leaves: pages reach the disk in any order.
#[tokio::test]
async fn a_torn_end_that_was_never_acknowledged_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    fill(&store, 3).await;
    let marked = std::fs::read(folder.path().join("mark")).unwrap();
    store.append(append(3)).await.unwrap();
    drop(store);
    std::fs::write(folder.path().join("mark"), marked).unwrap();
    let mut log = std::fs::read(log_file(folder.path())).unwrap();
    let at = position(&log, 4);
    log[at..at + 200].fill(0);
    std::fs::write(log_file(folder.path()), &log).unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(store.read(SLOT, 1, 10).await.unwrap().len(), 3);
    assert_eq!(store.append(append(3)).await.unwrap(), Appended::Applied);
    drop(store);
    assert_eq!(open(folder.path()).unwrap().read(SLOT, 1, 10).await.unwrap().len(), 4);
}

#[tokio::test]
async fn data_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    tamper(folder.path(), "journal", |journal| {
        let key = [&[0][..], b"format"].concat();
        let number = 99u64.to_be_bytes();
        let crc = crc32c::crc32c_append(crc32c::crc32c(&key), &number).to_be_bytes();
        journal.insert(&key, [&crc[..], &number].concat()).unwrap();
    });
    let Err(Error::Unusable(sentence)) = open(folder.path()) else { panic!("it was opened") };
    assert!(sentence.contains("written by a newer version (format 99"), "{sentence}");
}

const MIB: u64 = 1 << 20;

/// A store on a disk whose free space the test sets.
fn open_on_disk(folder: &Path) -> (Embedded, Arc<AtomicU64>) {
    let free = Arc::new(AtomicU64::new(1000 * MIB));
    let told = free.clone();
    let config = EmbeddedConfig {
        reserve_bytes: 100 * MIB,
        ballast_bytes: MIB,
        disk_interval: Duration::ZERO,
        free_bytes: Box::new(move |_| Ok(told.load(Ordering::Relaxed))),
        ..config()
    };
    (Embedded::open(folder, config).unwrap(), free)
}

fn member(stamp: u64) -> Vec<Write> {
    vec![Write { key: Key::new(Table::Members, &[b"room"], &[b"user"]), stamp, value: Some(Bytes::from_static(b"row")) }]
}

#[tokio::test]
async fn a_nearly_full_disk_takes_nothing_new_but_finishes_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let (store, free) = open_on_disk(folder.path());
    fill(&store, 2).await;
    assert!(folder.path().join("ballast").exists());
    free.store(99 * MIB, Ordering::Relaxed);
    let Err(Error::ReadOnly(sentence)) = store.append(append(2)).await else { panic!("it was taken") };
    assert!(sentence.contains("has 99 MiB left and 100 MiB are kept free; free some space"), "{sentence}");
    assert!(!folder.path().join("ballast").exists() && store.is_read_only());
    assert!(matches!(store.put(user(), Bytes::new(), Expect::Any).await, Err(Error::ReadOnly(_))));
    store.put_many(member(1)).await.unwrap();
    store.raise(&Watermark { slot: SLOT, block: 2 }, 2).await.unwrap();
    store.sync().await.unwrap();
    store.trim(SLOT, 2).await.unwrap();
    assert_eq!(store.fence(SLOT, EPOCH + 1).await.unwrap(), Fenced::Ok { head: 2 });
    assert_eq!(store.read(SLOT, 1, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_disk_is_only_read() {
    let folder = tempfile::tempdir().unwrap();
    let (store, free) = open_on_disk(folder.path());
    fill(&store, 2).await;
    free.store(49 * MIB, Ordering::Relaxed);
    assert!(matches!(store.append(append(2)).await, Err(Error::ReadOnly(_))));
    assert!(matches!(store.put_many(member(1)).await, Err(Error::ReadOnly(_))));
    assert!(matches!(store.fence(SLOT, EPOCH + 1).await, Err(Error::ReadOnly(_))));
    store.sync().await.unwrap();
    assert_eq!(store.read(SLOT, 1, 10).await.unwrap().len(), 2);
    assert_eq!(store.get(member(1).remove(0).key).await.unwrap(), None);
}

#[tokio::test]
async fn writing_goes_on_when_there_is_space_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, free) = open_on_disk(folder.path());
    fill(&store, 2).await;
    free.store(10 * MIB, Ordering::Relaxed);
    assert!(matches!(store.append(append(2)).await, Err(Error::ReadOnly(_))));
    free.store(105 * MIB, Ordering::Relaxed);
    assert!(matches!(store.append(append(2)).await, Err(Error::ReadOnly(_))), "it flaps at its bound");
    free.store(200 * MIB, Ordering::Relaxed);
    assert_eq!(store.append(append(2)).await.unwrap(), Appended::Applied);
    assert!(folder.path().join("ballast").exists());
}

#[test]
fn a_full_disk_is_said_before_the_database_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let with_free = |free: u64| EmbeddedConfig { reserve_bytes: 100 * MIB, free_bytes: Box::new(move |_| Ok(free)), ..config() };
    let Err(Error::Unusable(sentence)) = Embedded::open(folder.path(), with_free(MIB)) else { panic!("it was opened") };
    assert!(sentence.ends_with("has 1024 KiB left; free some space and start again"), "{sentence}");
    assert!(!folder.path().join("db").exists());
    Embedded::open(folder.path(), with_free(20 * MIB)).unwrap();
}

/// A store whose writer looks at the disk once a group, and waits there until the test lets it pass.
struct Held {
    /// First, so that it is dropped first: then everything passes.
    pass: std::sync::mpsc::Sender<()>,
    store: Embedded,
    holds: Arc<AtomicBool>,
    /// Groups that were begun while it held.
    begun: Arc<AtomicU64>,
}

impl Held {
    fn open(folder: &Path) -> Self {
        let (pass, may_pass) = std::sync::mpsc::channel::<()>();
        let (may_pass, holds) = (std::sync::Mutex::new(may_pass), Arc::new(AtomicBool::new(false)));
        let begun = Arc::new(AtomicU64::new(0));
        let (held, begins) = (holds.clone(), begun.clone());
        let free_bytes = Box::new(move |_: &Path| {
            if held.load(Ordering::SeqCst) {
                begins.fetch_add(1, Ordering::SeqCst);
                // An error: the test is over, everything passes.
                let _ = may_pass.lock().unwrap().recv();
            }
            Ok(1 << 40)
        });
        let store = Embedded::open(folder, EmbeddedConfig { disk_interval: Duration::ZERO, free_bytes, ..config() }).unwrap();
        Self { pass, store, holds, begun }
    }

    /// A flood of rows, then these appends, and two groups: the writer may have taken the first rows alone, the appends are in
    /// its next group then. How many rows were written by then.
    async fn rows_written_with(&self, flood: u64, appends: Vec<Append>) -> usize {
        self.holds.store(true, Ordering::SeqCst);
        let row = |number: u64| Key::new(Table::History, &[b"room"], &[&number.to_be_bytes()]);
        let write = |number| self.store.put_many(vec![Write { key: row(number), stamp: 1, value: Some(vec![0; 60_000].into()) }]);
        let mut plain: Vec<_> = (0..flood).map(write).collect();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(plain.iter_mut().all(|call| call.as_mut().poll(&mut context).is_pending()));
        let mut appends: Vec<_> = appends.into_iter().map(|append| self.store.append(append)).collect();
        assert!(appends.iter_mut().all(|append| append.as_mut().poll(&mut context).is_pending()));
        self.pass.send(()).unwrap();
        self.pass.send(()).unwrap();
        for append in appends {
            assert_eq!(append.await.unwrap(), Appended::Applied);
        }
        // The third has begun: everything in the first two is answered.
        while self.begun.load(Ordering::SeqCst) < 3 {
            std::thread::yield_now();
        }
        let mut is_written =
            |call: &mut store::Answer<'_, Result<(), Error>>| matches!(call.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(())));
        plain.iter_mut().map(|call| usize::from(is_written(call))).sum()
    }
}

#[tokio::test]
async fn an_append_does_not_wait_for_a_flood_of_projections() {
    let folder = tempfile::tempdir().unwrap();
    let held = Held::open(folder.path());
    fill(&held.store, 1).await;
    let written = held.rows_written_with(100, vec![append(1)]).await;
    assert!(written < 10, "{written} of 100 rows were written before the append");
}

/// The rows of what is appended take more bytes than that: a flood of appends must not leave them behind.
#[tokio::test]
async fn with_large_appends_projections_get_twice_as_many_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let held = Held::open(folder.path());
    fill(&held.store, 1).await;
    let large = |head| Append { block: vec![0; 60_000].into(), ..append(head) };
    let written = held.rows_written_with(100, (1..=5).map(large).collect()).await;
    assert!((10..20).contains(&written), "{written} of 100 rows were written with 5 blocks of the same size");
}

#[tokio::test]
async fn a_typed_row_survives_the_way_to_the_disk_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let watermark = Watermark { slot: SLOT, block: 77 };
    store.raise(&watermark, 77).await.unwrap();
    assert_eq!(store.fetch::<Watermark>(watermark.key()).await.unwrap(), Some((watermark, 77)));
}
