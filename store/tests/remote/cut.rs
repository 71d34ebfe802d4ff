//! A connection that breaks while a call is under way: a write is unknown, and its identical repeat says the truth.

use bytes::Bytes;
use schema::record::{Key, Table};
use store::remote::Call;
use store::{Append, Appended, Error, Expect, Fenced, Journal, Put, Records, Remote, Write};
use uuid::Uuid;

use super::proxy::{Cut, Proxy};
use super::{Process, SLOT, append, node};

struct Scene {
    process: Process,
    proxy: Proxy,
    node: Remote,
}

async fn scene() -> Scene {
    let process = Process::start().await;
    let proxy = Proxy::before(process.server.address()).await;
    let node = node(proxy.address).await;
    Scene { process, proxy, node }
}

fn is_append(call: &Call) -> bool {
    matches!(call, Call::Append { .. })
}

fn is_unknown<T: std::fmt::Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::Unknown(_))), "{answer:?}");
}

async fn numbers(node: &Remote) -> Vec<u64> {
    node.read(SLOT, 1, 10).await.unwrap().into_iter().map(|block| block.number).collect()
}

#[tokio::test]
async fn an_append_whose_connection_breaks_is_unknown_and_its_identical_repeat_says_what_became_of_it() {
    let Scene { process: _process, proxy, node } = scene().await;
    assert_eq!(node.fence(SLOT, 5).await, Ok(Fenced::Ok { head: 0 }));
    let mine = Some(Uuid::from_u128(2));
    for (cut, head, id, repeated) in [
        (Cut::BeforeTheCall, 0, 1, Appended::Applied),
        (Cut::BeforeTheAnswer, 1, 2, Appended::Moved { epoch: 5, head: 2, last_batch: mine }),
    ] {
        proxy.cut(cut, is_append);
        is_unknown(node.append(append(5, head, id)).await);
        assert!(proxy.has_cut());
        assert_eq!(node.append(append(5, head, id)).await, Ok(repeated), "{cut:?}");
    }
    assert_eq!(numbers(&node).await, [1, 2]);
}

#[tokio::test]
async fn an_append_that_was_not_sent_when_the_connection_broke_goes_by_the_next_one() {
    let Scene { process: _process, proxy, node } = scene().await;
    assert_eq!(node.fence(SLOT, 5).await, Ok(Fenced::Ok { head: 0 }));
    proxy.cut(Cut::BeforeTheCall, |call| matches!(call, Call::Trim { .. }));
    is_unknown(node.trim(SLOT, 0).await);
    assert_eq!(node.append(append(5, 0, 1)).await, Ok(Appended::Applied));
}

#[tokio::test]
async fn an_unknown_append_that_landed_before_a_take_over_is_told_so_after_it() {
    let Scene { process, proxy, node } = scene().await;
    let other = process.node().await;
    node.fence(SLOT, 5).await.unwrap();
    proxy.cut(Cut::BeforeTheAnswer, is_append);
    is_unknown(node.append(append(5, 0, 1)).await);
    assert_eq!(other.fence(SLOT, 6).await, Ok(Fenced::Ok { head: 1 }));
    let landed = Appended::Moved { epoch: 6, head: 1, last_batch: Some(Uuid::from_u128(1)) };
    assert_eq!(node.append(append(5, 0, 1)).await, Ok(landed));
}

#[tokio::test]
async fn an_unknown_append_that_did_not_land_before_a_take_over_never_does() {
    let Scene { process, proxy, node } = scene().await;
    let other = process.node().await;
    node.fence(SLOT, 5).await.unwrap();
    proxy.cut(Cut::BeforeTheCall, is_append);
    is_unknown(node.append(append(5, 0, 1)).await);
    assert_eq!(other.fence(SLOT, 6).await, Ok(Fenced::Ok { head: 0 }));
    assert_eq!(node.append(append(5, 0, 1)).await, Ok(Appended::Moved { epoch: 6, head: 0, last_batch: None }));
    assert_eq!(numbers(&other).await, [0; 0]);
}

#[tokio::test]
async fn a_fence_whose_connection_breaks_is_unknown_and_may_be_repeated() {
    let Scene { process: _process, proxy, node } = scene().await;
    for (cut, epoch) in [(Cut::BeforeTheCall, 5), (Cut::BeforeTheAnswer, 6)] {
        proxy.cut(cut, |call| matches!(call, Call::Fence { .. }));
        is_unknown(node.fence(SLOT, epoch).await);
        assert_eq!(node.fence(SLOT, epoch).await, Ok(Fenced::Ok { head: 0 }), "{cut:?}");
    }
}

#[tokio::test]
async fn a_conditional_write_whose_answer_is_lost_is_unknown_and_not_made_again_by_itself() {
    let Scene { process: _process, proxy, node } = scene().await;
    let key = Key::new(Table::Usernames, &[b"ann"], &[]);
    proxy.cut(Cut::BeforeTheAnswer, |call| matches!(call, Call::Put { .. }));
    is_unknown(node.put(key.clone(), Bytes::new(), Expect::Any).await);
    assert_eq!(node.put(key, Bytes::new(), Expect::Absent).await, Ok(Put::Conflict { version: 1 }));
}

#[tokio::test]
async fn a_read_whose_connection_breaks_is_sent_again_and_nobody_notices() {
    let Scene { process: _process, proxy, node } = scene().await;
    let key = Key::new(Table::Members, &[b"room"], &[b"ann"]);
    node.put_many(vec![Write { key: key.clone(), stamp: 1, value: Some(Bytes::from_static(b"row")) }]).await.unwrap();
    for cut in [Cut::BeforeTheCall, Cut::BeforeTheAnswer] {
        proxy.cut(cut, |call| matches!(call, Call::Get { .. }));
        assert_eq!(node.get(key.clone()).await.unwrap().unwrap().stamp, 1, "{cut:?}");
        assert!(proxy.has_cut());
    }
}

#[tokio::test]
async fn of_two_owners_over_two_connections_the_one_with_the_lower_epoch_is_refused() {
    let process = Process::start().await;
    let (one, two) = (process.node().await, process.node().await);
    assert_eq!(one.fence(SLOT, 5).await, Ok(Fenced::Ok { head: 0 }));
    assert_eq!(one.append(append(5, 0, 1)).await, Ok(Appended::Applied));
    assert_eq!(two.fence(SLOT, 6).await, Ok(Fenced::Ok { head: 1 }));
    let last_batch = Some(Uuid::from_u128(1));
    assert_eq!(one.append(append(5, 1, 2)).await, Ok(Appended::Moved { epoch: 6, head: 1, last_batch }));
    assert_eq!(one.fence(SLOT, 5).await, Ok(Fenced::Stale { epoch: 6 }));
    assert_eq!(two.append(Append { batch: Uuid::from_u128(3), ..append(6, 1, 3) }).await, Ok(Appended::Applied));
    assert_eq!(numbers(&one).await, [1, 2]);
}
