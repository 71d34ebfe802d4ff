//! A node's projector as the worlds drive it: one round at a time, and what it said is asked for.

use std::sync::Arc;

use actors::project::Projector;
use actors::read::Reader;
use parking_lot::Mutex;
use schema::SlotId;
use store::Journal;
use tokio::sync::Notify;

use crate::tasks::{Finished, Work};

pub struct Carrier {
    pub projector: Arc<Projector>,
    told: Arc<Mutex<Vec<(SlotId, u64)>>>,
    carries: bool,
}

impl Carrier {
    pub fn new(reader: Reader, journal: Arc<dyn Journal>, slots: u16) -> Self {
        let told = Arc::<Mutex<Vec<(SlotId, u64)>>>::default();
        let tell = told.clone();
        let projected = Box::new(move |slot, block| tell.lock().push((slot, block)));
        let projector = Arc::new(Projector { reader, journal, bell: Arc::new(Notify::new()), slots, projected });
        Self { projector, told, carries: false }
    }

    /// Carries everything that is in the tails. `None`: a round is under way.
    pub fn carry(&mut self) -> Option<Work> {
        let is_idle = !std::mem::replace(&mut self.carries, true);
        let projector = self.projector.clone();
        is_idle.then(|| -> Work {
            Box::pin(async move {
                // What went wrong is tried again in the next round.
                let _ = projector.carry().await;
                Finished::Carried
            })
        })
    }
    pub fn carried(&mut self) {
        self.carries = false;
    }

    /// What it said since the last time.
    pub fn told(&self) -> Vec<(SlotId, u64)> {
        std::mem::take(&mut *self.told.lock())
    }
}
