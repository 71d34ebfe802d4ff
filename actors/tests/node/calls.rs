//! A store that does not answer: who asks hears so in time, it is not asked for nothing, and it is found again.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use store::sim::SimStore;
use store::{Calls, Error, Records};

const WITHIN: Duration = Duration::from_secs(5);

fn key() -> schema::record::Key {
    schema::record::Installation::key_of()
}

fn once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn is_unknown<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Unknown(_)))
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_left_alone_and_found_again() {
    let store = SimStore::default();
    let calls = Calls::new(Arc::new(store.clone()), 4, WITHIN);
    store.stall_reads(true);
    assert!(once(calls.get(key())).is_pending(), "it is asked");
    for _ in 0..32 {
        assert!(is_unknown(&calls.get(key()).await));
    }
    assert!(matches!(once(calls.get(key())), Poll::Ready(answer) if is_unknown(&answer)), "it is not asked any more");
    store.stall_reads(false);
    assert!(is_unknown(&calls.get(key()).await));
    tokio::time::advance(Duration::from_secs(1)).await;
    for _ in 0..2 {
        assert_eq!(calls.get(key()).await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_under_way_than_may_be_and_who_goes_gives_the_place_back() {
    let store = SimStore::default();
    let calls = Arc::new(Calls::new(Arc::new(store.clone()), 1, WITHIN));
    store.stall_reads(true);
    let mut first = Box::pin(calls.get(key()));
    assert!(once(&mut first).is_pending());
    store.stall_reads(false);
    let mut second = Box::pin(calls.get(key()));
    assert!(once(&mut second).is_pending(), "the store would answer, but there is no place");
    drop(first);
    assert_eq!(second.await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn what_a_request_has_to_read_is_given_up_in_time() {
    let store = SimStore::default();
    let records = Arc::new(Calls::new(Arc::new(store.clone()), 4, WITHIN));
    let config = actors::Config { slots: 1, ..actors::Config::default() };
    let node = actors::Node::start(config, Arc::new(store.clone()), records, Vec::new()).await.unwrap();
    store.stall_reads(true);
    let query = actors::PageQuery { room: schema::RoomId::from_bytes([1; 16]), ..actors::PageQuery::default() };
    assert_eq!(node.history(crate::world::user(1), query).await.unwrap_err().code, schema::ErrorCode::Unavailable);
}
