//! Slots of this node for which the store has a higher epoch than its own: who takes over slots meets them, and whoever asks the group
//! for a higher grant waits for them here. As many as there are slots at most.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use schema::SlotId;
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Outgrown {
    met: Mutex<BTreeMap<SlotId, u64>>,
    bell: Notify,
}

impl Outgrown {
    pub fn meet(&self, slot: SlotId, epoch: u64) {
        self.met.lock().insert(slot, epoch);
        self.bell.notify_one();
    }

    /// All that were met since, each with the last epoch. Waits for the first; for one who waits at a time.
    pub async fn next(&self) -> BTreeMap<SlotId, u64> {
        loop {
            let met = std::mem::take(&mut *self.met.lock());
            if !met.is_empty() {
                return met;
            }
            self.bell.notified().await;
        }
    }
}
