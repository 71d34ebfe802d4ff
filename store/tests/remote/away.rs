//! A store process that is not there, comes back, or is another one than before.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use schema::record::{Key, Table, Watermark};
use store::{Appended, Error, Fenced, Journal, Records, RecordsExt, Remote, RemoteConfig, SimStore, Write};

use super::{Process, SLOT, append, secret};

fn impatient(process: &Process) -> RemoteConfig {
    let short = Duration::from_millis(200);
    RemoteConfig { within: short, plain_within: short, ..RemoteConfig::new(process.server.address().to_string(), secret()) }
}

fn row() -> Key {
    Key::new(Table::Members, &[b"room"], &[b"ann"])
}

#[tokio::test]
async fn a_store_process_that_is_away_is_named_at_the_start() {
    let process = Process::start().await;
    let config = RemoteConfig { open_within: Duration::from_millis(200), ..impatient(&process) };
    process.server.stop().await;
    let Err(Error::Unusable(sentence)) = Remote::open(config).await else { panic!("it was opened") };
    assert!(
        sentence.contains("does not answer") && sentence.ends_with("start it with `hubbub store serve`, or set store.address"),
        "{sentence}"
    );
}

#[tokio::test]
async fn while_the_store_process_is_away_every_call_is_unknown_in_time_and_none_after_it_is_back() {
    let process = Process::start().await;
    let (store, address, node) = (process.store.clone(), process.server.address(), Remote::open(impatient(&process)).await.unwrap());
    assert_eq!(process.node().await.fence(SLOT, 5).await, Ok(Fenced::Ok { head: 0 }));
    process.server.stop().await;
    assert!(matches!(node.append(append(5, 0, 1)).await, Err(Error::Unknown(_))));
    assert!(matches!(node.read(SLOT, 1, 1).await, Err(Error::Unknown(_))));
    assert!(matches!(node.get(row()).await, Err(Error::Unknown(_))));
    assert!(matches!(node.put_many(vec![Write::delete(row(), 1)]).await, Err(Error::Unknown(_))));
    assert!(node.check().unwrap_err().starts_with("the store process is away"));

    let _process = Process::over(store, address).await;
    let mut again = node.append(append(5, 0, 1)).await;
    while matches!(again, Err(Error::Unknown(_))) {
        again = node.append(append(5, 0, 1)).await;
    }
    // On a busy machine an answer of those may have come too late.
    let landed = Appended::Moved { epoch: 5, head: 1, last_batch: Some(append(5, 0, 1).batch) };
    assert!([Ok(Appended::Applied), Ok(landed)].contains(&again), "{again:?}");
    assert_eq!(node.check(), Ok(()));
}

/// The machine of the store process loses its power; the nodes go on.
async fn cut_the_power(process: Process) -> Process {
    let (store, address) = (process.store.clone(), process.server.address());
    process.server.stop().await;
    store.with(|core| core.crash(|_| false));
    Process::over(store, address).await
}

#[tokio::test]
async fn rows_that_the_store_process_answered_survive_its_power_cut_without_a_sync() {
    let process = Process::start().await;
    let node = process.node().await;
    node.put_many(vec![Write { key: row(), stamp: 1, value: Some(Bytes::new()) }]).await.unwrap();
    let _process = cut_the_power(process).await;
    node.sync().await.unwrap();
    assert!(node.get(row()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_watermark_that_the_store_process_answered_survives_its_power_cut_without_a_sync() {
    let process = Process::start().await;
    let node = process.node().await;
    node.raise(&Watermark { slot: SLOT, block: 9 }, 9).await.unwrap();
    let _process = cut_the_power(process).await;
    node.sync().await.unwrap();
    assert_eq!(node.fetch::<Watermark>(Watermark::key_of(SLOT)).await.unwrap().map(|(_, stamp)| stamp), Some(9));
}

#[tokio::test]
async fn a_store_that_is_too_slow_is_unknown_in_time_and_its_nodes_go_on() {
    let process = Process::start().await;
    let node = Remote::open(impatient(&process)).await.unwrap();
    process.store.stall_reads(true);
    assert!(matches!(node.get(row()).await, Err(Error::Unknown(_))));
    process.store.stall_reads(false);
    let mut answer = node.get(row()).await;
    while matches!(answer, Err(Error::Unknown(_))) {
        answer = node.get(row()).await;
    }
    assert_eq!(answer, Ok(None));
}

#[tokio::test]
async fn a_read_only_store_is_so_for_its_nodes() {
    let store = Arc::new(SimStore::new(|_| store::sim::Fault::None));
    let process = Process::over(store.clone(), "127.0.0.1:0".parse().unwrap()).await;
    let node = process.node().await;
    node.fence(SLOT, 5).await.unwrap();
    store.set_faults(|_| store::sim::Fault::ReadOnly);
    assert!(matches!(node.append(append(5, 0, 1)).await, Err(Error::ReadOnly(_))));
}
