//! The embedded store's own promises: those that the conformance suite cannot ask of every backend.

use bytes::Bytes;
use schema::SlotId;
use store::{Append, Appended, Embedded, EmbeddedConfig, Error, Fenced, Journal};
use uuid::Uuid;

const SLOT: SlotId = SlotId(9);

fn config() -> EmbeddedConfig {
    EmbeddedConfig { cache_bytes: 8 << 20, reserve_bytes: 0, ballast_bytes: 0, ..EmbeddedConfig::default() }
}

fn append(epoch: u64, head: u64) -> Append {
    let block = Bytes::from(format!("block {}", head + 1));
    Append { slot: SLOT, epoch, head, batch: Uuid::from_u128(u128::from(head) + 1), block }
}

#[tokio::test]
async fn every_start_has_a_higher_grant_and_finds_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), config()).unwrap();
    let first = store.grant();
    assert_eq!(store.fence(SLOT, first << 16).await.unwrap(), Fenced::Ok { head: 0 });
    assert_eq!(store.append(append(first << 16, 0)).await.unwrap(), Appended::Applied);
    drop(store);
    let store = Embedded::open(folder.path(), config()).unwrap();
    assert!(store.grant() > first);
    assert_eq!(store.read(SLOT, 1, 10).await.unwrap()[0].block, "block 1");
}

#[test]
fn a_second_process_on_the_same_data_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let _store = Embedded::open(folder.path(), config()).unwrap();
    let Err(Error::Unusable(sentence)) = Embedded::open(folder.path(), config()) else { panic!("it was opened twice") };
    assert!(sentence.contains(&format!("in use by process {}; stop it first", std::process::id())), "{sentence}");
}
