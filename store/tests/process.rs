//! What a process leaves behind that dies: killed with -9 while it appends, or on a disk that fails under it. This binary
//! starts itself again as the process that dies, so it has a `main` of its own; names on the command line choose tests.
//! Power cuts, which want a disk of their own, are in `power_cut.py`: it uses the same process and the same check.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Seek as _, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Table, Watermark};
use store::{Append, Appended, Embedded, EmbeddedConfig, Fenced, Journal, Range, Records, RecordsExt, Write};
use uuid::Uuid;

/// Batches by slot and number.
type Acked = BTreeMap<(u16, u64), String>;

const SLOTS: u16 = 16;
/// Slots below keep their journals whole; the others trim what is projected, as a node does.
const WHOLE_SLOTS: u16 = 4;
const KILLS: usize = 6;
const ABORTED: i32 = 6;
/// Of 60,000 bytes: twice what the limited file can hold.
const FILL_BLOCKS_MAX: u128 = 5_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["child-append", folder] => return child_append(folder.as_ref()),
        ["child-fill", folder] => return child_fill(folder.as_ref()),
        ["check", folder, said] => return check_against(folder.as_ref(), said.as_ref()),
        _ => {}
    }
    let tests: [(&str, fn()); 2] = [
        ("what_was_acknowledged_is_there_after_every_kill", what_was_acknowledged_is_there_after_every_kill),
        (
            "a_failing_disk_stops_the_process_and_loses_nothing_acknowledged",
            a_failing_disk_stops_the_process_and_loses_nothing_acknowledged,
        ),
    ];
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut passed = 0;
    for (name, test) in tests {
        if names.is_empty() || names.iter().any(|part| name.contains(part.as_str())) {
            test();
            println!("test {name} ... ok");
            passed += 1;
        }
    }
    println!("\ntest result: ok. {passed} passed; 0 failed; 0 ignored; 0 measured; {} filtered out", tests.len() - passed);
}

fn config() -> EmbeddedConfig {
    EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts").block_on(future)
}

fn row_key(slot: SlotId, number: u64) -> Key {
    Key::new(Table::History, &[&slot.0.to_be_bytes()], &[&number.to_be_bytes()])
}

/// Prints `slot number batch` for every block that was acknowledged, and `slot number watermark` for every watermark.
fn say(slot: SlotId, number: u64, what: impl std::fmt::Display) {
    // Fails, and ends this process, when the parent is gone.
    writeln!(std::io::stdout().lock(), "{} {number} {what}", slot.0).expect("the parent listens");
}

fn child_append(folder: &Path) {
    let store = Arc::new(Embedded::open(folder, config()).expect("the store opens"));
    block_on(async {
        let owners: Vec<_> = (0..SLOTS).map(|slot| tokio::spawn(append_for_ever(store.clone(), SlotId(slot)))).collect();
        for owner in owners {
            owner.await.expect("an owner goes on until the process is killed");
        }
    });
}

async fn append_for_ever(store: Arc<Embedded>, slot: SlotId) {
    let epoch = store.grant() << 16;
    let Fenced::Ok { mut head } = store.fence(slot, epoch).await.expect("a fence is answered") else { panic!("the grant is stale") };
    let mut projected = watermark(&store, slot).await;
    loop {
        let batch = Uuid::from_u128(u128::from(epoch) << 64 | u128::from(head));
        let block = Bytes::from(format!("{batch} ").repeat(20));
        let append = Append { slot, epoch, head, batch, block };
        assert_eq!(store.append(append).await.expect("an append is answered"), Appended::Applied);
        head += 1;
        say(slot, head, batch);
        if head % 10 == 0 {
            let row = |number| Write { key: row_key(slot, number), stamp: number, value: Some(Bytes::from_static(b"row")) };
            store.put_many((projected + 1..=head).map(row).collect()).await.expect("rows are taken");
            store.sync().await.expect("a sync is answered");
            store.raise(&Watermark { slot, block: head }, head).await.expect("a watermark is taken");
            projected = head;
            if slot.0 >= WHOLE_SLOTS {
                store.trim(slot, projected).await.expect("a trim is answered");
            }
        }
    }
}

fn start(mode: &str, folder: &Path) -> Child {
    let this = std::env::current_exe().expect("this program has a path");
    Command::new(this).arg(mode).arg(folder).stdout(Stdio::piped()).spawn().expect("the child starts")
}

/// A line cut short by the end of its process says nothing.
fn hear(line: &str, acked: &mut Acked) {
    if let [slot, number, batch] = line.split(' ').collect::<Vec<_>>()[..]
        && batch.len() == 36
    {
        let at = (slot.parse().expect("a slot"), number.parse().expect("a number"));
        assert_eq!(acked.insert(at, batch.into()), None, "acknowledged twice: {line}");
    }
}

/// Whether a store holds all that lines in a file say was acknowledged.
fn check_against(folder: &Path, said: &Path) {
    let mut acked = Acked::new();
    std::fs::read_to_string(said).expect("the acknowledgements are read").lines().for_each(|line| hear(line, &mut acked));
    let store = Embedded::open(folder, config()).expect("the store opens after a power cut");
    block_on(check(&store, &acked));
    // Dropped here: the last writes of a store that ends are a part of what is checked.
    drop(store);
    println!("{} blocks were acknowledged, and none is missing", acked.len());
}

/// Reads acknowledgements until the child has said `lines`, then kills it, then reads what it had still said.
fn kill_after(mut child: Child, lines: usize, acked: &mut Acked) {
    let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut take = |line: Option<std::io::Result<String>>| {
        let Some(Ok(line)) = line else { return false };
        hear(&line, acked);
        true
    };
    for _ in 0..lines {
        assert!(take(said.next()), "the child ended by itself");
    }
    child.kill().expect("the child is killed");
    while take(said.next()) {}
    child.wait().expect("the child ends");
}

async fn journal(store: &Embedded, slot: SlotId) -> Vec<(u64, String)> {
    let mut blocks: Vec<(u64, String)> = Vec::new();
    loop {
        let from = blocks.last().map_or(1, |(number, _)| number + 1);
        let page = store.read(slot, from, 500).await.expect("the journal is read");
        if page.is_empty() {
            return blocks;
        }
        blocks.extend(page.iter().map(|block| (block.number, String::from_utf8_lossy(&block.block[..36]).into_owned())));
    }
}

fn what_was_acknowledged_is_there_after_every_kill() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let mut acked = Acked::new();
    for round in 0..KILLS {
        kill_after(start("child-append", folder.path()), 300 + round * 700, &mut acked);
        let store = Embedded::open(folder.path(), config()).expect("the store opens after a kill");
        block_on(check(&store, &acked));
    }
    assert!(acked.len() > KILLS * 300, "only {} blocks were acknowledged", acked.len());
}

async fn watermark(store: &Embedded, slot: SlotId) -> u64 {
    store.fetch::<Watermark>(Watermark::key_of(slot)).await.expect("a watermark is read").map_or(0, |(row, _)| row.block)
}

/// Every acknowledged block is at its number or was trimmed below the watermark, numbers have no gap, no batch is there twice;
/// every watermark has its rows.
async fn check(store: &Embedded, acked: &Acked) {
    for slot in (0..SLOTS).map(SlotId) {
        let (blocks, watermark) = (journal(store, slot).await, watermark(store, slot).await);
        let kept = blocks.first().map_or(watermark + 1, |(number, _)| *number);
        assert!(kept <= watermark + 1, "slot {slot:?} was trimmed up to block {kept}, above its watermark {watermark}");
        assert!(kept == 1 || slot.0 >= WHOLE_SLOTS, "slot {slot:?} was never to be trimmed");
        assert!(blocks.iter().zip(kept..).all(|((number, _), expected)| *number == expected), "slot {slot:?} has a gap");
        let by_number: BTreeMap<u64, &String> = blocks.iter().map(|(number, batch)| (*number, batch)).collect();
        for ((_, number), batch) in acked.range((slot.0, kept)..=(slot.0, u64::MAX)) {
            assert_eq!(by_number.get(number), Some(&batch), "slot {slot:?}, block {number}");
        }
        let batches: std::collections::BTreeSet<&String> = by_number.values().copied().collect();
        assert_eq!(batches.len(), by_number.len(), "a batch of slot {slot:?} is there twice");
        let rows = store.scan(Range::all(row_key(slot, 0), usize::MAX)).await.expect("rows are read");
        assert!(rows.len() as u64 >= watermark, "slot {slot:?}: {} rows under watermark {watermark}", rows.len());
    }
}

/// Writes until the disk refuses, or more than it could have taken. The memtable is larger than the file may get, so that it is the log that fails.
fn child_fill(folder: &Path) {
    let config = EmbeddedConfig { memtable_bytes: 1 << 30, ..config() };
    let store = Embedded::open(folder, config).expect("the store opens");
    block_on(async {
        let slot = SlotId(0);
        assert_eq!(store.fence(slot, 1 << 16).await.expect("a fence is answered"), Fenced::Ok { head: 0 });
        for head in 0..FILL_BLOCKS_MAX {
            let batch = Uuid::from_u128(head);
            let mut block = batch.to_string().into_bytes();
            block.resize(60_000, b'.');
            let append = Append { slot, epoch: 1 << 16, head: head as u64, batch, block: block.into() };
            assert_eq!(store.append(append).await.expect("an append is answered or the process ends"), Appended::Applied);
            say(slot, head as u64 + 1, batch);
        }
    });
}

fn read_again(mut file: std::fs::File) -> String {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("it is read");
    text
}

/// A limit on the size of a file stands in for the disk: the write fails, and nothing had warned of it.
fn a_failing_disk_stops_the_process_and_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let this = std::env::current_exe().expect("this program has a path");
    // The log's file is made 64 MiB long at once; the limit, in blocks of 512 or 1,024 bytes, is above.
    let limited = r#"trap "" XFSZ; ulimit -c 0; ulimit -f 140000; exec "$0" child-fill "$1""#;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(limited).arg(this).arg(folder.path());
    let why = tempfile::tempfile().expect("a file is made");
    shell.stderr(why.try_clone().expect("a file is shared"));
    let mut child = shell.stdout(Stdio::piped()).spawn().expect("the child starts");
    let said = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let acked: Vec<String> = said.filter_map(|line| Some(line.split(' ').nth(2)?.to_owned())).collect();
    let status = child.wait().expect("the child ends");
    assert_eq!(status.signal(), Some(ABORTED), "{status}");
    let why = read_again(why);
    assert!(why.starts_with("writing to the disk failed, so the process stops: "), "{why:?}");
    assert!(why.ends_with(" MiB left\n") && why.lines().count() == 1, "{why:?}");
    let store = Embedded::open(folder.path(), config()).expect("the store opens after the failure");
    let batches: Vec<String> = block_on(journal(&store, SlotId(0))).into_iter().map(|(_, batch)| batch).collect();
    assert!(!acked.is_empty() && batches.starts_with(&acked), "{} acknowledged, {} there", acked.len(), batches.len());
}
