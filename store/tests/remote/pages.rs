//! What is longer than an answer comes in pages, and whoever asks notices nothing.

use bytes::Bytes;
use schema::limits::BLOCK_BYTES_MAX;
use schema::record::{Key, Table};
use store::{Append, Journal, Range, Records, Write};
use uuid::Uuid;

use super::{Process, SLOT};

fn row(number: u8, bytes: usize) -> Write {
    let key = Key::new(Table::Members, &[b"room"], &[&[number]]);
    Write { key, stamp: 1, value: Some(Bytes::from(vec![number; bytes])) }
}

#[tokio::test]
async fn a_scan_over_many_pages_finds_what_one_of_the_store_finds() {
    let process = Process::start().await;
    let node = process.node().await;
    let sizes = [0, 1, 100_000, 200_000, 300_000, 1_000_000, 3];
    let rows: Vec<Write> = (0..60).map(|number| row(number, sizes[usize::from(number) % sizes.len()])).collect();
    node.put_many(rows).await.unwrap();
    let partition = Key::new(Table::Members, &[b"room"], &[b"a sort key that is not looked at"]);
    for limit in [0, 1, 7, 59, 60, 1_000, usize::MAX] {
        for range in [Range::all(partition.clone(), limit), Range::all(partition.clone(), limit).from(vec![5]).to(vec![50])] {
            for range in [range.clone(), range.newest_first()] {
                let (expected, found) = (process.store.scan(range.clone()).await.unwrap(), node.scan(range.clone()).await.unwrap());
                assert!(expected == found, "{range:?}: {} rows instead of {}", found.len(), expected.len());
            }
        }
    }
}

#[tokio::test]
async fn more_small_rows_than_a_page_holds_are_all_found() {
    let process = Process::start().await;
    let node = process.node().await;
    let key = |number: u32| Key::new(Table::Members, &[b"room"], &[&number.to_be_bytes()]);
    node.put_many((0..2_000).map(|number| Write { key: key(number), stamp: 1, value: Some(Bytes::new()) }).collect()).await.unwrap();
    assert_eq!(node.scan(Range::all(key(0), usize::MAX)).await.unwrap().len(), 2_000);
    assert_eq!(node.scan(Range::all(key(0), 1_500).newest_first()).await.unwrap().last().unwrap().key, key(500));
}

#[tokio::test]
async fn a_journal_of_the_largest_blocks_is_read_to_its_end() {
    let process = Process::start().await;
    let node = process.node().await;
    node.fence(SLOT, 1).await.unwrap();
    for head in 0..20 {
        let block = Bytes::from(vec![head as u8; BLOCK_BYTES_MAX]);
        node.append(Append { slot: SLOT, epoch: 1, head, batch: Uuid::from_u128(u128::from(head) + 1), block }).await.unwrap();
    }
    let mut numbers = Vec::new();
    loop {
        let page = node.read(SLOT, numbers.len() as u64 + 1, usize::MAX).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|block| block.block.len() == BLOCK_BYTES_MAX));
        numbers.extend(page.iter().map(|block| block.number));
    }
    assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
}
