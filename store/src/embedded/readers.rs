//! Threads that read: a page that comes from the disk must not stop an async worker. A few threads, a bounded queue;
//! callers wait in order when it is full.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};

use super::open::Tables;
use crate::Error;
use crate::metrics::Metrics;

type Read = Box<dyn FnOnce(&Tables) + Send>;

const QUEUE_MAX: usize = 4096;

pub struct Readers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

struct Queue {
    waiting: Mutex<(VecDeque<Read>, bool)>,
    ready: Condvar,
    room: Semaphore,
}

impl Readers {
    pub fn start(threads: usize, tables: &Tables, metrics: &Metrics) -> std::io::Result<Self> {
        let queue = Arc::new(Queue { waiting: Mutex::default(), ready: Condvar::new(), room: Semaphore::new(QUEUE_MAX) });
        let spawn = |number| {
            let (queue, tables, metrics) = (queue.clone(), tables.clone(), metrics.clone());
            std::thread::Builder::new().name(format!("store-read-{number}")).spawn(move || queue.run(&tables, &metrics))
        };
        let threads = (0..threads.max(1)).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { queue, threads })
    }

    /// A panic of the database on bytes that it does not understand is answered as `Corrupt`.
    pub async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Tables) -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        let _room = self.queue.room.acquire().await.map_err(|_| closed())?;
        let (reply, answer) = oneshot::channel();
        let run: Read = Box::new(move |tables| {
            let result = catch_unwind(AssertUnwindSafe(|| read(tables)));
            let result = result.unwrap_or_else(|_| Err(Error::Corrupt("the database could not make sense of its own files".into())));
            // Whoever asked may have gone: nobody is left to tell.
            let _ = reply.send(result);
        });
        {
            let mut waiting = self.queue.waiting.lock();
            if waiting.1 {
                return Err(closed());
            }
            waiting.0.push_back(run);
        }
        self.queue.ready.notify_one();
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Queue {
    fn run(&self, tables: &Tables, metrics: &Metrics) {
        loop {
            let mut waiting = self.waiting.lock();
            let read = loop {
                match waiting.0.pop_front() {
                    Some(read) => break read,
                    None if waiting.1 => return,
                    None => self.ready.wait(&mut waiting),
                }
            };
            drop(waiting);
            let started = Instant::now();
            read(tables);
            metrics.read_seconds.record(started.elapsed());
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.waiting.lock().1 = true;
        self.queue.ready.notify_all();
        for thread in self.threads.drain(..) {
            // Reads catch their panics, so there is nothing to hear from the thread.
            let _ = thread.join();
        }
    }
}

fn closed() -> Error {
    Error::Unusable("the store is closed".into())
}
