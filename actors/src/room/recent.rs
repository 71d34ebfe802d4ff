//! Pure. A room's newest events, admitted and applied, and where each cmid is among them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use schema::{Cmid, Event};

use crate::slot::weight;

/// Always remembered.
const EVENTS_MIN: usize = 128;
/// Remembered at the most, and for this long: a client's head lags by its way here and back, and in a busy room much
/// happens meanwhile.
const EVENTS_MAX: usize = 4_096;
const BYTES_MAX: usize = 1 << 20;
const AGE_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub struct Recent {
    /// Invariant: contiguous seqs.
    events: VecDeque<Arc<Event>>,
    by_cmid: HashMap<Cmid, u64>,
    bytes: usize,
}

impl Recent {
    /// Forgets the oldest over the bounds, but never one that is not applied.
    pub fn push(&mut self, event: Arc<Event>, applied: u64) {
        if let Some(last) = self.events.back() {
            assert_eq!(event.seq, last.seq + 1, "a room's events are contiguous");
        }
        self.bytes += weight(&event);
        self.by_cmid.insert(event.cmid, event.seq);
        self.events.push_back(event);
        while self.is_over() && self.events.front().is_some_and(|e| e.seq <= applied) {
            let gone = self.events.pop_front().expect("looked at");
            self.bytes -= weight(&gone);
            if self.by_cmid.get(&gone.cmid) == Some(&gone.seq) {
                self.by_cmid.remove(&gone.cmid);
            }
        }
    }

    fn is_over(&self) -> bool {
        let (Some(first), Some(last)) = (self.events.front(), self.events.back()) else { return false };
        let is_old = last.at.saturating_sub(first.at) > AGE_MS;
        self.bytes > BYTES_MAX || self.events.len() > EVENTS_MAX || (self.events.len() > EVENTS_MIN && is_old)
    }
    pub fn get(&self, seq: u64) -> Option<&Arc<Event>> {
        let first = self.events.front()?.seq;
        self.events.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
    pub fn find(&self, cmid: Cmid) -> Option<&Arc<Event>> {
        self.by_cmid.get(&cmid).and_then(|seq| self.get(*seq))
    }
    /// The first seq that is here; everything from it to the head is.
    pub fn first(&self) -> Option<u64> {
        self.events.front().map(|e| e.seq)
    }
}
