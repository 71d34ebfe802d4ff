//! The promises of `Journal`.

use bytes::Bytes;
use schema::SlotId;
use schema::limits::{BLOCK_BYTES_MAX, SEGMENT_BLOCKS_MAX};
use schema::record::Watermark;
use uuid::Uuid;

use super::{Subject, lose_answer};
use crate::{Append, Appended, Fenced, Journal, RecordsExt, StoredBlock};

const SLOT: SlotId = SlotId(7);

fn batch(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Its bytes name its batch, so that a log says who wrote it.
fn append(slot: SlotId, epoch: u64, head: u64, id: u128) -> Append {
    Append { slot, epoch, head, batch: batch(id), block: Bytes::from(format!("batch {id}")) }
}

fn moved(epoch: u64, head: u64, last: Option<u128>) -> Appended {
    Appended::Moved { epoch, head, last_batch: last.map(batch) }
}

async fn fence(store: &impl Journal, epoch: u64) -> Fenced {
    store.fence(SLOT, epoch).await.expect("a fence is answered")
}

async fn try_append(store: &impl Journal, epoch: u64, head: u64, id: u128) -> Appended {
    store.append(append(SLOT, epoch, head, id)).await.expect("an append is answered")
}

/// Blocks 1 to `count`, with batches of the same numbers.
async fn fill(store: &impl Journal, epoch: u64, count: u64) {
    assert_eq!(fence(store, epoch).await, Fenced::Ok { head: 0 });
    for head in 0..count {
        assert_eq!(try_append(store, epoch, head, u128::from(head) + 1).await, Appended::Applied);
    }
}

async fn log(store: &impl Journal, slot: SlotId) -> Vec<StoredBlock> {
    let mut blocks: Vec<StoredBlock> = Vec::new();
    loop {
        let from = blocks.last().map_or(1, |block| block.number + 1);
        let page = store.read(slot, from, 500).await.expect("a read is answered");
        if page.is_empty() {
            return blocks;
        }
        blocks.extend(page);
    }
}

fn texts(blocks: &[StoredBlock]) -> Vec<(u64, String)> {
    blocks.iter().map(|block| (block.number, String::from_utf8_lossy(&block.block).into_owned())).collect()
}

pub async fn a_virgin_slot_is_fenced_at_head_zero(subject: impl Subject) {
    assert_eq!(fence(&*subject.store(), 5).await, Fenced::Ok { head: 0 });
    assert_eq!(log(&*subject.store(), SLOT).await, []);
}

pub async fn a_fence_below_the_current_epoch_is_stale(subject: impl Subject) {
    fence(&*subject.store(), 5).await;
    assert_eq!(fence(&*subject.store(), 4).await, Fenced::Stale { epoch: 5 });
}

pub async fn the_current_epoch_may_be_fenced_again(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 2).await;
    assert_eq!(fence(&*store, 5).await, Fenced::Ok { head: 2 });
    assert_eq!(try_append(&*store, 5, 2, 3).await, Appended::Applied);
}

pub async fn an_append_before_any_fence_is_refused(subject: impl Subject) {
    for epoch in [0, 1] {
        assert_eq!(try_append(&*subject.store(), epoch, 0, 1).await, moved(0, 0, None));
    }
}

pub async fn an_append_writes_the_block_after_its_head(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 3).await;
    let expected: Vec<(u64, String)> = (1..=3).map(|number| (number, format!("batch {number}"))).collect();
    assert_eq!(texts(&log(&*store, SLOT).await), expected);
}

pub async fn a_stale_epoch_append_is_refused(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    assert_eq!(fence(&*store, 6).await, Fenced::Ok { head: 1 });
    assert_eq!(try_append(&*store, 5, 1, 2).await, moved(6, 1, Some(1)));
    assert_eq!(try_append(&*store, 6, 1, 3).await, Appended::Applied);
}

pub async fn an_epoch_that_was_not_fenced_is_refused(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    assert_eq!(try_append(&*store, 6, 1, 2).await, moved(5, 1, Some(1)));
}

pub async fn an_append_below_the_head_is_refused(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 3).await;
    assert_eq!(try_append(&*store, 5, 1, 9).await, moved(5, 3, Some(3)));
}

pub async fn an_append_beyond_the_head_is_refused(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    assert_eq!(try_append(&*store, 5, 2, 9).await, moved(5, 1, Some(1)));
}

pub async fn an_identical_repeat_is_told_that_it_landed(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    for _ in 0..3 {
        assert_eq!(try_append(&*store, 5, 0, 1).await, moved(5, 1, Some(1)));
    }
    assert_eq!(log(&*store, SLOT).await.len(), 1);
}

pub async fn an_identical_repeat_after_a_takeover_is_told_that_it_landed(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    fence(&*store, 8).await;
    assert_eq!(try_append(&*store, 5, 0, 1).await, moved(8, 1, Some(1)));
}

pub async fn a_batch_is_not_taken_twice_in_a_row(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 1).await;
    assert_eq!(try_append(&*store, 5, 1, 1).await, moved(5, 1, Some(1)));
}

pub async fn an_unknown_append_repeated_identically_lands_once(subject: impl Subject) {
    let store = subject.store();
    assert_eq!(fence(&*store, 5).await, Fenced::Ok { head: 0 });
    for head in 0..50 {
        let id = u128::from(head) + 1;
        let _unheard = lose_answer(store.append(append(SLOT, 5, head, id)));
        let repeated = try_append(&*store, 5, head, id).await;
        let landed = repeated == Appended::Applied || repeated == moved(5, head + 1, Some(id));
        assert!(landed, "{repeated:?}");
    }
    let expected: Vec<(u64, String)> = (1..=50).map(|number| (number, format!("batch {number}"))).collect();
    assert_eq!(texts(&log(&*store, SLOT).await), expected);
}

pub async fn a_refused_append_leaves_nothing(mut subject: impl Subject) {
    fill(&*subject.store(), 5, 1).await;
    try_append(&*subject.store(), 4, 1, 2).await;
    try_append(&*subject.store(), 5, 0, 3).await;
    try_append(&*subject.store(), 5, 7, 4).await;
    subject.reopen();
    assert_eq!(texts(&log(&*subject.store(), SLOT).await), [(1, "batch 1".into())]);
}

/// Takes the slot over again and again; answers the blocks that were acknowledged.
async fn fight(store: impl AsRef<dyn Journal>, owner: u64) -> Vec<(u64, u128)> {
    let (store, mut acked) = (store.as_ref(), Vec::new());
    for round in 0..40 {
        let epoch = round * 2 + owner + 1;
        let Fenced::Ok { mut head } = store.fence(SLOT, epoch).await.expect("a fence is answered") else { continue };
        for step in 0..5 {
            let id = u128::from(epoch) << 32 | step;
            match store.append(append(SLOT, epoch, head, id)).await.expect("an append is answered") {
                Appended::Applied => {
                    head += 1;
                    acked.push((head, id));
                }
                Appended::Moved { epoch: now, .. } => {
                    assert!(now > epoch, "refused in its own epoch {epoch}, though nobody else writes in it");
                    break;
                }
            }
        }
    }
    acked
}

pub async fn two_owners_in_a_duel_lose_and_double_nothing(subject: impl Subject) {
    let owner = |owner| {
        let store: std::sync::Arc<dyn Journal> = subject.store();
        tokio::spawn(fight(store, owner))
    };
    let (one, two) = (owner(0), owner(1));
    let mut acked = one.await.expect("the first owner ends");
    acked.extend(two.await.expect("the second owner ends"));
    acked.sort_unstable();
    let expected: Vec<(u64, String)> = acked.iter().map(|(number, id)| (*number, format!("batch {id}"))).collect();
    assert!(!expected.is_empty());
    assert_eq!(texts(&log(&*subject.store(), SLOT).await), expected);
}

pub async fn slots_are_apart(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 2).await;
    for other in [SlotId(0), SlotId(6), SlotId(8), SlotId(SLOT.0 + 256)] {
        assert_eq!(store.fence(other, 1).await.unwrap(), Fenced::Ok { head: 0 });
        assert_eq!(log(&*store, other).await, []);
        assert_eq!(store.append(append(other, 1, 0, 77)).await.unwrap(), Appended::Applied);
    }
    assert_eq!(fence(&*store, 5).await, Fenced::Ok { head: 2 });
    assert_eq!(texts(&log(&*store, SLOT).await), [(1, "batch 1".into()), (2, "batch 2".into())]);
}

pub async fn all_slots_append_at_once(subject: impl Subject) {
    let owner = |slot| {
        let store = subject.store();
        tokio::spawn(async move {
            assert_eq!(store.fence(slot, 3).await.unwrap(), Fenced::Ok { head: 0 });
            for head in 0..10 {
                let id = u128::from(slot.0) << 64 | u128::from(head);
                assert_eq!(store.append(append(slot, 3, head, id)).await.unwrap(), Appended::Applied);
            }
        })
    };
    let owners: Vec<_> = (0..256).map(SlotId).map(owner).collect();
    for owner in owners {
        owner.await.expect("an owner ends");
    }
    for slot in (0..256).map(SlotId) {
        let expected: Vec<(u64, String)> =
            (0..10).map(|head| (head + 1, format!("batch {}", u128::from(slot.0) << 64 | u128::from(head)))).collect();
        assert_eq!(texts(&log(&*subject.store(), slot).await), expected);
    }
}

pub async fn the_largest_block_is_taken_whole(mut subject: impl Subject) {
    let block = Bytes::from(vec![0xa5; BLOCK_BYTES_MAX]);
    fence(&*subject.store(), 5).await;
    let largest = Append { slot: SLOT, epoch: 5, head: 0, batch: batch(1), block: block.clone() };
    assert_eq!(subject.store().append(largest).await.unwrap(), Appended::Applied);
    subject.reopen();
    assert_eq!(log(&*subject.store(), SLOT).await, [StoredBlock { number: 1, block }]);
}

pub async fn blocks_are_read_in_order_up_to_the_limit(subject: impl Subject) {
    let store = subject.store();
    fill(&*store, 5, 300).await;
    let numbers = |blocks: Vec<StoredBlock>| blocks.iter().map(|block| block.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.read(SLOT, 254, 4).await.unwrap()), [254, 255, 256, 257]);
    assert_eq!(numbers(store.read(SLOT, 0, 2).await.unwrap()), [1, 2]);
    assert_eq!(numbers(store.read(SLOT, 299, 100).await.unwrap()), [299, 300]);
    assert_eq!(store.read(SLOT, 301, 100).await.unwrap(), []);
    assert_eq!(store.read(SLOT, 1, 0).await.unwrap(), []);
}

/// The first block that is left.
async fn first_after_trim(store: &impl Journal, upto: u64) -> u64 {
    store.trim(SLOT, upto).await.expect("a trim is answered");
    store.read(SLOT, 1, 1).await.expect("a read is answered")[0].number
}

pub async fn trim_drops_whole_sealed_segments_only(mut subject: impl Subject) {
    const HEAD: u64 = 2 * SEGMENT_BLOCKS_MAX + 10;
    fill(&*subject.store(), 5, HEAD).await;
    for (upto, first) in [
        (SEGMENT_BLOCKS_MAX - 1, 1),
        (SEGMENT_BLOCKS_MAX, SEGMENT_BLOCKS_MAX + 1),
        (0, SEGMENT_BLOCKS_MAX + 1),
        (u64::MAX, 2 * SEGMENT_BLOCKS_MAX + 1),
    ] {
        assert_eq!(first_after_trim(&*subject.store(), upto).await, first, "trimmed up to {upto}");
    }
    subject.reopen();
    let left = log(&*subject.store(), SLOT).await;
    assert_eq!((left.len(), left[0].number), (10, 2 * SEGMENT_BLOCKS_MAX + 1));
    assert_eq!(fence(&*subject.store(), 6).await, Fenced::Ok { head: HEAD });
}

pub async fn a_slot_trimmed_to_its_head_goes_on_from_there(mut subject: impl Subject) {
    const HEAD: u64 = SEGMENT_BLOCKS_MAX;
    fill(&*subject.store(), 5, HEAD).await;
    subject.store().trim(SLOT, HEAD).await.unwrap();
    subject.reopen();
    let store = subject.store();
    assert_eq!(log(&*store, SLOT).await, []);
    assert_eq!(try_append(&*store, 5, HEAD - 1, u128::from(HEAD)).await, moved(5, HEAD, Some(u128::from(HEAD))));
    assert_eq!(fence(&*store, 6).await, Fenced::Ok { head: HEAD });
    assert_eq!(try_append(&*store, 6, HEAD, 9999).await, Appended::Applied);
    assert_eq!(texts(&log(&*store, SLOT).await), [(HEAD + 1, "batch 9999".into())]);
}

pub async fn a_trim_makes_the_watermark_before_it_durable(mut subject: impl Subject) {
    fill(&*subject.store(), 5, SEGMENT_BLOCKS_MAX + 1).await;
    let watermark = Watermark { slot: SLOT, block: SEGMENT_BLOCKS_MAX };
    subject.store().raise(&watermark, watermark.block).await.unwrap();
    assert_eq!(first_after_trim(&*subject.store(), watermark.block).await, SEGMENT_BLOCKS_MAX + 1);
    subject.reopen();
    let stored = subject.store().fetch::<Watermark>(Watermark::key_of(SLOT)).await.unwrap();
    assert_eq!(stored, Some((watermark, SEGMENT_BLOCKS_MAX)));
}

pub async fn reopening_keeps_every_acknowledged_block(mut subject: impl Subject) {
    fill(&*subject.store(), 5, 20).await;
    subject.reopen();
    let store = subject.store();
    let expected: Vec<(u64, String)> = (1..=20).map(|number| (number, format!("batch {number}"))).collect();
    assert_eq!(texts(&log(&*store, SLOT).await), expected);
    assert_eq!(try_append(&*store, 5, 19, 20).await, moved(5, 20, Some(20)));
    assert_eq!(try_append(&*store, 5, 20, 21).await, Appended::Applied);
}

pub async fn a_zombie_of_before_a_restart_stays_out(mut subject: impl Subject) {
    fill(&*subject.store(), 5, 1).await;
    fence(&*subject.store(), 6).await;
    subject.reopen();
    assert_eq!(try_append(&*subject.store(), 5, 1, 2).await, moved(6, 1, Some(1)));
    assert_eq!(fence(&*subject.store(), 5).await, Fenced::Stale { epoch: 6 });
}

pub async fn every_start_has_a_higher_grant(mut subject: impl Subject) {
    let mut last = 0;
    for _ in 0..3 {
        let grant = subject.store().grant();
        assert!(grant > last, "{grant} after {last}");
        last = grant;
        subject.reopen();
    }
}
