//! A backend's records with a bound on the calls that somebody waits for (reads, conditional writes): so many at once, each
//! with a deadline for waiting and being answered together, and none for a while when the backend does not answer.
//!
//! A caller that goes away gives its place back: its own deadline holds if it is shorter. Plain writes and syncs pass:
//! nobody waits for them, and backends bound their queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use parking_lot::Mutex;
use schema::record::Key;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::breaker::Breaker;
use crate::{Answer, Error, Expect, Put, Range, Records, Row, Write};

pub struct Calls {
    records: Arc<dyn Records>,
    places: Semaphore,
    within: Duration,
    breaker: Mutex<Breaker>,
    started: Instant,
    late: Counter,
    refused: Counter,
    open: Gauge,
}

impl Calls {
    pub fn new(records: Arc<dyn Records>, calls_max: usize, within: Duration) -> Self {
        describe_counter!("hubbub_store_calls_late_total", "Calls that were not answered within their deadline");
        describe_counter!("hubbub_store_calls_refused_total", "Calls that were not made because the store did not answer those before");
        describe_gauge!("hubbub_store_calls_stopped", "1 while the store is left alone because it does not answer");
        Self {
            records,
            places: Semaphore::new(calls_max.max(1)),
            within,
            breaker: Mutex::default(),
            started: Instant::now(),
            late: counter!("hubbub_store_calls_late_total"),
            refused: counter!("hubbub_store_calls_refused_total"),
            open: gauge!("hubbub_store_calls_stopped"),
        }
    }

    async fn make<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        if !self.breaker.lock().admits(self.now_ms()) {
            self.refused.increment(1);
            return Err(Error::Unknown("the store does not answer and is left alone for a moment: ask again".into()));
        }
        let in_turn = async {
            // It is never closed.
            let _place = self.places.acquire().await;
            call.await
        };
        let answer = tokio::time::timeout(self.within, in_turn).await.unwrap_or_else(|_| {
            self.late.increment(1);
            Err(Error::Unknown("the store did not answer in time".into()))
        });
        self.learn(matches!(answer, Err(Error::Unknown(_))));
        answer
    }

    fn learn(&self, failed: bool) {
        let now_ms = self.now_ms();
        let mut breaker = self.breaker.lock();
        let was_open = breaker.is_open();
        if failed {
            breaker.failed(now_ms)
        } else {
            breaker.answered()
        }
        if breaker.is_open() != was_open {
            self.open.set(if was_open { 0.0 } else { 1.0 });
            tracing::warn!(stopped = !was_open, "the store's answers");
        }
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

impl Records for Calls {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        Box::pin(self.make(self.records.get(key)))
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        Box::pin(self.make(self.records.scan(range)))
    }
    fn scan_all(&self, ranges: Vec<Range>) -> Answer<'_, Result<Vec<Vec<Row>>, Error>> {
        Box::pin(self.make(self.records.scan_all(ranges)))
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        Box::pin(self.make(self.records.put(key, value, expect)))
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        Box::pin(self.make(self.records.delete(key)))
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        self.records.put_many(writes)
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        self.records.put_max(key, value, stamp)
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        self.records.sync()
    }
}
