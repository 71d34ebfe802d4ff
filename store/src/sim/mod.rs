//! A store for tests: `SimCore` behind the two traits, in memory, the same every time. Faults come from a source that the
//! test passes in; a clone is the same store. Keeps nothing beyond the process.

mod core;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use schema::SlotId;
use schema::record::Key;
use tokio::sync::{oneshot, watch};

pub use self::core::{Fault, Outcome, SimCore, Ticket};
use crate::op::{Done, Op};
use crate::{Answer, Append, Appended, Error, Expect, Fenced, Journal, Put, Range, Records, Row, StoredBlock, Write};

type Faults = Box<dyn FnMut(&Op) -> Fault + Send>;

#[derive(Clone)]
pub struct SimStore {
    inner: Arc<Mutex<Inner>>,
    /// Reads wait while it is true.
    stalled: watch::Sender<bool>,
}

struct Inner {
    core: SimCore,
    faults: Faults,
    waiting: HashMap<Ticket, oneshot::Sender<Done>>,
    failing_reads: usize,
}

impl Default for SimStore {
    fn default() -> Self {
        Self::new(|_| Fault::None)
    }
}

impl SimStore {
    /// `faults` is asked once for every writing call, in their order.
    pub fn new(faults: impl FnMut(&Op) -> Fault + Send + 'static) -> Self {
        let inner = Inner { core: SimCore::default(), faults: Box::new(faults), waiting: HashMap::new(), failing_reads: 0 };
        Self { inner: Arc::new(Mutex::new(inner)), stalled: watch::Sender::new(false) }
    }

    pub fn set_faults(&self, faults: impl FnMut(&Op) -> Fault + Send + 'static) {
        self.inner.lock().faults = Box::new(faults);
    }

    /// The next `count` reads (of journal and records) meet a time-out.
    pub fn fail_reads(&self, count: usize) {
        self.inner.lock().failing_reads = count;
    }

    /// Reads (of journal and records) do not answer until it is called with `false`.
    pub fn stall_reads(&self, stall: bool) {
        self.stalled.send_replace(stall);
    }

    /// Held calls, oldest first.
    pub fn held(&self) -> Vec<(Ticket, Op)> {
        self.inner.lock().core.held().map(|(ticket, op)| (ticket, op.clone())).collect()
    }

    /// Carries a held call out and answers whoever waits for it.
    pub fn release(&self, ticket: Ticket) -> Option<Done> {
        let mut inner = self.inner.lock();
        let done = inner.core.release(ticket)?;
        if let Some(waiting) = inner.waiting.remove(&ticket) {
            // The caller may have gone; the call is carried out all the same.
            let _ = waiting.send(done);
        }
        Some(done)
    }

    pub fn release_all(&self) {
        for (ticket, _) in self.held() {
            self.release(ticket);
        }
    }

    /// A held call never lands; whoever waits for it is told `Unknown`.
    pub fn forget(&self, ticket: Ticket) {
        let mut inner = self.inner.lock();
        inner.core.forget(ticket);
        inner.waiting.remove(&ticket);
    }

    /// Looks at, or does something to, the store itself: its clock, a crash, a restart.
    pub fn with<T>(&self, f: impl FnOnce(&mut SimCore) -> T) -> T {
        f(&mut self.inner.lock().core)
    }

    async fn look<T>(&self, read: impl FnOnce(&SimCore) -> T) -> Result<T, Error> {
        // The sender is ours: it does not go while we wait.
        drop(self.stalled.subscribe().wait_for(|stalled| !stalled).await);
        let mut inner = self.inner.lock();
        if let Some(left) = inner.failing_reads.checked_sub(1) {
            inner.failing_reads = left;
            return Err(Error::Unknown("the store did not answer in time".into()));
        }
        Ok(read(&inner.core))
    }

    async fn submit(&self, op: Op) -> Result<Done, Error> {
        let answer = {
            let mut inner = self.inner.lock();
            let fault = (inner.faults)(&op);
            match inner.core.apply(op, fault) {
                Outcome::Answered(answer) => return answer,
                Outcome::Waiting(ticket) => {
                    let (reply, answer) = oneshot::channel();
                    inner.waiting.insert(ticket, reply);
                    answer
                }
            }
        };
        answer.await.map_err(|_| Error::Unknown("the store never answered".into()))
    }
}

impl Journal for SimStore {
    fn fence(&self, slot: SlotId, epoch: u64) -> Answer<'_, Result<Fenced, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Fence { slot, epoch }).await?.fenced()) })
    }
    fn append(&self, append: Append) -> Answer<'_, Result<Appended, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Append(append)).await?.appended()) })
    }
    fn read(&self, slot: SlotId, from: u64, limit: usize) -> Answer<'_, Result<Vec<StoredBlock>, Error>> {
        Box::pin(async move { self.look(|core| core.read(slot, from, limit)).await })
    }
    fn trim(&self, slot: SlotId, upto: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Trim { slot, upto }).await.map(drop) })
    }
    fn grant(&self) -> u64 {
        self.with(|core| core.grant())
    }
}

impl Records for SimStore {
    fn get(&self, key: Key) -> Answer<'_, Result<Option<Row>, Error>> {
        Box::pin(async move { self.look(|core| core.get(&key)).await })
    }
    fn scan(&self, range: Range) -> Answer<'_, Result<Vec<Row>, Error>> {
        Box::pin(async move { self.look(|core| core.scan(&range)).await })
    }
    fn put(&self, key: Key, value: Bytes, expect: Expect) -> Answer<'_, Result<Put, Error>> {
        Box::pin(async move { Ok(self.submit(Op::Put { key, value, expect }).await?.put()) })
    }
    fn put_many(&self, writes: Vec<Write>) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::PutMany(writes)).await.map(drop) })
    }
    fn put_max(&self, key: Key, value: Bytes, stamp: u64) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::PutMax { key, value, stamp }).await.map(drop) })
    }
    fn delete(&self, key: Key) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Delete(key)).await.map(drop) })
    }
    fn sync(&self) -> Answer<'_, Result<(), Error>> {
        Box::pin(async move { self.submit(Op::Sync).await.map(drop) })
    }
}
