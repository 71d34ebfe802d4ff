//! How much of what is bounded is in use, and what is not served while the node is short of memory.

use super::Node;
use crate::metrics::metrics;

/// Of now; sums of the node, and the slot that has the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests that are not answered, bytes.
    pub waiting_bytes: usize,
    pub waiting_slot_bytes: usize,
    /// Above the watermarks, bytes.
    pub tail_bytes: usize,
    pub tail_slot_bytes: usize,
    /// Appends that wait for the projections.
    pub appends_waiting: usize,
    /// Of history, as events and encoded.
    pub pages_kept_bytes: u64,
}

impl Node {
    pub fn load(&self) -> Load {
        let (admission, reader) = (&self.shared.admission, &self.shared.reader);
        Load {
            waiting_bytes: admission.node_bytes(),
            waiting_slot_bytes: admission.slot_bytes_most(),
            tail_bytes: reader.above().bytes(),
            tail_slot_bytes: reader.tail_bytes_most(),
            appends_waiting: reader.above().waiting(),
            pages_kept_bytes: reader.kept_bytes(),
        }
    }

    /// Puts the load into the metrics; somebody has to call it every few seconds.
    pub fn measure(&self) {
        let (load, metrics) = (self.load(), metrics());
        metrics.waiting_bytes.set(load.waiting_bytes as f64);
        metrics.waiting_slot_bytes.set(load.waiting_slot_bytes as f64);
        metrics.tail_bytes.set(load.tail_bytes as f64);
        metrics.tail_slot_bytes.set(load.tail_slot_bytes as f64);
        metrics.pages_kept_bytes.set(load.pages_kept_bytes as f64);
        metrics.appends_waiting.set(load.appends_waiting as f64);
    }

    /// From now on the first so many of `Class::ALL` are `busy`.
    pub fn shed(&self, classes: u8) {
        self.shared.shed.set(classes);
    }
}
