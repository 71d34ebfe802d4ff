//! What the simulated faults do. That the store itself keeps its promises is the conformance suite's matter.

use bytes::Bytes;
use schema::SlotId;
use schema::record::{Key, Table};
use uuid::Uuid;

use super::{Fault, Outcome, SimCore, SimStore};
use crate::op::{Done, Op};
use crate::{Append, Appended, Error, Fenced, Journal, Write};

const SLOT: SlotId = SlotId(3);

fn fenced() -> SimCore {
    let mut core = SimCore::default();
    core.apply(Op::Fence { slot: SLOT, epoch: 7 }, Fault::None);
    core
}
fn append(head: u64, batch: u128) -> Op {
    Op::Append(Append { slot: SLOT, epoch: 7, head, batch: Uuid::from_u128(batch), block: Bytes::from_static(b"block") })
}
fn draft(stamp: u64, text: &'static str) -> Op {
    let key = Key::new(Table::Drafts, &[b"user"], &[b"room"]);
    Op::PutMany(vec![Write { key, stamp, value: Some(Bytes::from_static(text.as_bytes())) }])
}
fn draft_text(core: &SimCore) -> Option<Bytes> {
    core.get(&Key::new(Table::Drafts, &[b"user"], &[b"room"])).map(|row| row.value)
}
fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Answered(Err(Error::Unknown(_))))
}

#[test]
fn a_lost_answer_was_carried_out_and_a_repeat_says_so() {
    let mut core = fenced();
    assert!(is_unknown(&core.apply(append(0, 1), Fault::AnswerLost)));
    assert_eq!(core.read(SLOT, 1, 10).len(), 1);
    let mine = Some(Uuid::from_u128(1));
    assert_eq!(
        core.apply(append(0, 1), Fault::None),
        Outcome::Answered(Ok(Done::Appended(Appended::Moved { epoch: 7, head: 1, last_batch: mine })))
    );
}

#[test]
fn a_late_append_lands_when_released_unless_the_slot_was_fenced() {
    let mut core = fenced();
    assert!(is_unknown(&core.apply(append(0, 1), Fault::Late)));
    assert!(core.read(SLOT, 1, 10).is_empty());
    let (ticket, _) = core.held().next().unwrap();
    let mut other = core.clone();
    assert_eq!(core.release(ticket), Some(Done::Appended(Appended::Applied)));
    assert_eq!(core.release(ticket), None);
    other.apply(Op::Fence { slot: SLOT, epoch: 8 }, Fault::None);
    assert_eq!(other.release(ticket), Some(Done::Appended(Appended::Moved { epoch: 8, head: 0, last_batch: None })));
    assert!(other.read(SLOT, 1, 10).is_empty());
}

#[test]
fn what_never_or_read_only_met_is_not_there() {
    let mut core = fenced();
    assert!(is_unknown(&core.apply(append(0, 1), Fault::Never)));
    assert!(matches!(core.apply(append(0, 1), Fault::ReadOnly), Outcome::Answered(Err(Error::ReadOnly(_)))));
    assert!(core.read(SLOT, 1, 10).is_empty());
}

#[test]
fn a_slow_call_is_answered_when_released() {
    let mut core = fenced();
    let Outcome::Waiting(ticket) = core.apply(append(0, 1), Fault::Slow) else { panic!("it was answered at once") };
    assert!(core.read(SLOT, 1, 10).is_empty());
    assert_eq!(core.release(ticket), Some(Done::Appended(Appended::Applied)));
}

#[test]
fn a_crash_keeps_the_journal_and_what_was_synced() {
    let mut core = fenced();
    core.apply(append(0, 1), Fault::None);
    core.apply(draft(1, "synced"), Fault::None);
    core.apply(Op::Sync, Fault::None);
    core.apply(draft(2, "not synced"), Fault::None);
    let mut lucky = core.clone();
    core.crash(|_| false);
    assert_eq!(draft_text(&core).unwrap(), "synced");
    assert_eq!(core.read(SLOT, 1, 10).len(), 1);
    assert_eq!(core.grant(), 2);
    lucky.crash(|_| true);
    assert_eq!(draft_text(&lucky).unwrap(), "not synced");
}

#[tokio::test]
async fn a_read_fails_as_often_as_it_was_told() {
    let store = SimStore::default();
    store.fail_reads(2);
    assert!(matches!(store.read(SLOT, 1, 1).await, Err(Error::Unknown(_))));
    assert!(store.read(SLOT, 1, 1).await.is_err());
    assert_eq!(store.read(SLOT, 1, 1).await, Ok(vec![]));
}

#[tokio::test]
async fn a_caller_waits_until_its_slow_call_is_released() {
    let store = SimStore::new(|op| if matches!(op, Op::Append(_)) { Fault::Slow } else { Fault::None });
    assert_eq!(store.fence(SLOT, 7).await, Ok(Fenced::Ok { head: 0 }));
    let Op::Append(append) = append(0, 1) else { unreachable!() };
    let mut call = store.append(append);
    assert!(poll_once(&mut call).is_pending());
    assert!(poll_once(&mut call).is_pending());
    store.release_all();
    assert_eq!(call.await, Ok(Appended::Applied));
    assert_eq!(store.held(), []);
}

fn poll_once<T>(call: &mut crate::Answer<'_, T>) -> std::task::Poll<T> {
    call.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}
