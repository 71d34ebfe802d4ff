//! The way to the writer thread: a queue bounded in bytes, taken whole. When it is full callers wait in order; nothing is
//! dropped. After it is closed nothing gets in.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::Error;
use crate::op::{Done, Op};

pub struct Job {
    pub op: Op,
    pub reply: oneshot::Sender<Result<Done, Error>>,
    _room: OwnedSemaphorePermit,
}

pub struct Queue {
    waiting: Mutex<Waiting>,
    ready: Condvar,
    /// Half of the bytes are kept for what people wait for, half for plain writes: neither keeps the other out.
    urgent: Arc<Semaphore>,
    plain: Arc<Semaphore>,
    units_max: u32,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    is_closed: bool,
}

/// Permits count KiB: a semaphore counts to 2^29 only, and small calls bound the queue's length by it too.
const UNIT_BYTES: usize = 1024;

impl Queue {
    pub fn new(bytes_max: usize) -> Self {
        let units_max = u32::try_from((bytes_max / UNIT_BYTES / 2).max(64)).unwrap_or(1 << 28);
        let room = || Arc::new(Semaphore::new(units_max as usize));
        Self { waiting: Mutex::default(), ready: Condvar::new(), urgent: room(), plain: room(), units_max }
    }

    pub async fn submit(&self, op: Op) -> Result<Done, Error> {
        op.check()?;
        let units = u32::try_from(op.bytes().div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, self.units_max);
        let room = if op.is_plain() { &self.plain } else { &self.urgent };
        let room = room.clone().acquire_many_owned(units).await.map_err(|_| stopped())?;
        let (reply, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.is_closed {
                return Err(stopped());
            }
            waiting.jobs.push(Job { op, reply, _room: room });
            if waiting.jobs.len() == 1 {
                self.ready.notify_one();
            }
        }
        // The writer answers everything it took, unless it died: then nobody knows.
        answer.await.unwrap_or_else(|_| Err(Error::Unknown("the store stopped before it answered".into())))
    }

    /// Takes all that waits, and waits for some unless `is_busy`. `false`: closed, and nothing is left.
    pub fn take(&self, jobs: &mut Vec<Job>, is_busy: bool) -> bool {
        let mut waiting = self.waiting.lock();
        while waiting.jobs.is_empty() && !waiting.is_closed && !is_busy {
            self.ready.wait(&mut waiting);
        }
        std::mem::swap(&mut waiting.jobs, jobs);
        !jobs.is_empty() || is_busy
    }

    pub fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.urgent.close();
        self.plain.close();
        self.ready.notify_all();
    }

    /// Closes it when nobody will take from it any more; those who wait are told that they cannot know.
    pub fn abandon(&self) {
        self.close();
        self.waiting.lock().jobs.clear();
    }

    /// What waits, and what was taken and is not decided yet.
    pub fn bytes(&self) -> usize {
        let used = |room: &Semaphore| (self.units_max as usize).saturating_sub(room.available_permits()) * UNIT_BYTES;
        used(&self.urgent) + used(&self.plain)
    }
}

fn stopped() -> Error {
    Error::Unusable("the store is closed".into())
}
