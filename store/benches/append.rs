//! How many events a second the embedded store makes durable, and what an append costs: 256 slots, each with one append in
//! flight, blocks of 1, 32 and 128 events of 200 bytes. Prints numbers and asserts none.
//!
//! `cargo bench -p hubbub-store [seconds]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use schema::SlotId;
use store::{Append, Appended, Embedded, EmbeddedConfig, Journal};
use uuid::Uuid;

const SLOTS: u16 = 256;
const EVENT_BYTES: usize = 200;

fn main() {
    let seconds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    println!("{:>7} {:>10} {:>10} {:>12} {:>14}", "block", "appends/s", "events/s", "MB/s", "CPU µs/append");
    for events in [1, 32, 128] {
        runtime.block_on(measure(events, Duration::from_secs(seconds)));
    }
}

async fn measure(events: usize, time: Duration) {
    let folder = tempfile::tempdir().expect("a folder is made");
    let store = Arc::new(Embedded::open(folder.path(), EmbeddedConfig::default()).expect("the store opens"));
    let block = Bytes::from((0..events * EVENT_BYTES).map(|at| (at * 31 % 251) as u8).collect::<Vec<_>>());
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let slots: Vec<_> = (0..SLOTS).map(|slot| tokio::spawn(append_for(store.clone(), SlotId(slot), block.clone(), time))).collect();
    let mut appends = 0;
    for slot in slots {
        appends += slot.await.expect("a slot ends");
    }
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let rate = appends as f64 / wall;
    let megabytes = rate * block.len() as f64 / 1e6;
    println!("{events:>7} {rate:>10.0} {:>10.0} {megabytes:>12.1} {:>14.1}", rate * events as f64, cpu * 1e6 / appends as f64);
}

async fn append_for(store: Arc<Embedded>, slot: SlotId, block: Bytes, time: Duration) -> u64 {
    store.fence(slot, 1 << 16).await.expect("a fence is answered");
    let (started, mut head) = (Instant::now(), 0);
    while started.elapsed() < time {
        let append = Append { slot, epoch: 1 << 16, head, batch: Uuid::from_u128(u128::from(head) + 1), block: block.clone() };
        assert_eq!(store.append(append).await.expect("an append is answered"), Appended::Applied);
        head += 1;
    }
    head
}

/// Of this process, all threads, user and system.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
    fields.iter().sum::<f64>() / 100.0
}
