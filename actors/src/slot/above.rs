//! What all slots of a node hold above their watermarks, in bytes: counted by their tails, waited for by their appends.
//!
//! What a take-over reads is counted though it may be more than the bound: it is there already. Appends wait then, until
//! the projections have followed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Above {
    bytes: AtomicUsize,
    waiting: AtomicUsize,
    fell: Notify,
}

/// Bytes that an append under way will add; given back when it is dropped, for the tail counts what landed.
#[derive(Debug)]
pub struct Reserved {
    above: Arc<Above>,
    bytes: usize,
}

impl Above {
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// `None`: they do not fit now. Where nothing is, anything fits.
    pub fn try_reserve(self: &Arc<Self>, bytes: usize, bytes_max: usize) -> Option<Reserved> {
        let fits = |now: usize| (now == 0 || now + bytes <= bytes_max).then_some(now + bytes);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Reserved { above: self.clone(), bytes })
    }

    /// Appends that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits until they fit.
    pub async fn reserve(self: &Arc<Self>, bytes: usize, bytes_max: usize) -> Reserved {
        let _waiting = Waiting::new(&self.waiting);
        loop {
            // Asked before the look: what is given back in between wakes us.
            let fell = self.fell.notified();
            if let Some(reserved) = self.try_reserve(bytes, bytes_max) {
                return reserved;
            }
            fell.await;
        }
    }

    pub fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    pub fn take_off(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.fell.notify_waiters();
    }
}

/// Counts one who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.above.take_off(self.bytes);
    }
}
