//! How many events a second the embedded store makes durable, and what an append costs: 256 slots, each with one append in
//! flight, blocks of 1, 32 and 128 events of 200 bytes; alone, and with a row written for every event, as projections do.
//! The same over a socket, both ends of it in this process.
//! Prints numbers and asserts none.
//!
//! `cargo bench -p hubbub-store [seconds]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Table};
use store::remote::{Secret, Server, ServerConfig};
use store::{Append, Appended, Embedded, EmbeddedConfig, Journal, Records, Remote, RemoteConfig, Write};
use tokio::net::TcpListener;
use uuid::Uuid;

const SLOTS: u16 = 256;
const EVENT_BYTES: usize = 200;

#[derive(Clone, Copy)]
struct Load {
    events: usize,
    has_rows: bool,
    is_remote: bool,
    time: Duration,
}

fn main() {
    let seconds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    println!(
        "{:>8} {:>6} {:>5} {:>10} {:>10} {:>8} {:>9} {:>9} {:>14}",
        "store", "block", "rows", "appends/s", "events/s", "MB/s", "p50 ms", "p99 ms", "CPU µs/append"
    );
    for has_rows in [false, true] {
        for events in [1, 32, 128] {
            for is_remote in [false, true] {
                let load = Load { events, has_rows, is_remote, time: Duration::from_secs(seconds) };
                runtime.block_on(async {
                    let folder = tempfile::tempdir().expect("a folder is made");
                    let store = Arc::new(Embedded::open(folder.path(), EmbeddedConfig::default()).expect("the store opens"));
                    if is_remote {
                        let (server, remote) = over_a_socket(store).await;
                        measure(Arc::new(remote), load).await;
                        server.stop().await;
                    } else {
                        measure(store, load).await;
                    }
                });
            }
        }
    }
}

async fn over_a_socket(store: Arc<Embedded>) -> (Server, Remote) {
    let secret = Secret::new(&[7; 32]).expect("it is long enough");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server::start(listener, store, ServerConfig::new(secret.clone())).expect("it serves");
    let remote = Remote::open(RemoteConfig::new(server.address().to_string(), secret)).await.expect("it is let in");
    (server, remote)
}

async fn measure(store: Arc<impl Journal + Records>, load: Load) {
    let block = Bytes::from((0..load.events * EVENT_BYTES).map(|at| (at * 31 % 251) as u8).collect::<Vec<_>>());
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let slots: Vec<_> = (0..SLOTS).map(|slot| tokio::spawn(append_for(store.clone(), SlotId(slot), block.clone(), load))).collect();
    let mut times = Vec::new();
    for slot in slots {
        times.extend(slot.await.expect("a slot ends"));
    }
    let (wall, cpu, appends) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu, times.len() as f64);
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    let (rate, bytes) = (appends / wall, block.len() as f64);
    println!(
        "{:>8} {:>6} {:>5} {rate:>10.0} {:>10.0} {:>8.1} {:>9.2} {:>9.2} {:>14.1}",
        if load.is_remote { "remote" } else { "embedded" },
        load.events,
        if load.has_rows { "yes" } else { "no" },
        rate * load.events as f64,
        rate * bytes / 1e6,
        at(0.5),
        at(0.99),
        cpu * 1e6 / appends
    );
}

/// How long each append took. Rows are written beside the next appends, one batch of them at a time.
async fn append_for(store: Arc<impl Journal + Records>, slot: SlotId, block: Bytes, load: Load) -> Vec<Duration> {
    store.fence(slot, 1 << 16).await.expect("a fence is answered");
    let (started, mut times, mut rows) = (Instant::now(), Vec::new(), None::<tokio::task::JoinHandle<()>>);
    while started.elapsed() < load.time {
        let head = times.len() as u64;
        let append = Append { slot, epoch: 1 << 16, head, batch: Uuid::from_u128(u128::from(head) + 1), block: block.clone() };
        let asked = Instant::now();
        assert_eq!(store.append(append).await.expect("an append is answered"), Appended::Applied);
        times.push(asked.elapsed());
        if load.has_rows {
            if let Some(rows) = rows.take() {
                rows.await.expect("rows are written");
            }
            rows = Some(tokio::spawn(project(store.clone(), slot, head * load.events as u64, load.events, block.slice(..EVENT_BYTES))));
        }
    }
    if let Some(rows) = rows {
        rows.await.expect("rows are written");
    }
    times
}

async fn project(store: Arc<impl Records>, slot: SlotId, from: u64, events: usize, event: Bytes) {
    let row = |seq: u64| Write {
        key: Key::new(Table::History, &[&[7; 16], &slot.0.to_be_bytes()], &[&seq.to_be_bytes()]),
        stamp: seq,
        value: Some(event.clone()),
    };
    store.put_many((from..from + events as u64).map(row).collect()).await.expect("rows are taken");
}

/// Of this process, all threads, user and system.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
