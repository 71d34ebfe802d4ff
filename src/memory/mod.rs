//! The node's memory: looked at once a second, against what the container or the machine has. What follows from it is
//! decided in `core`; who carries it out is wired elsewhere.

mod core;
mod system;

use std::sync::Arc;

use metrics::{Gauge, gauge};
use parking_lot::Mutex;

use crate::limits::Limits;

pub use self::core::{Bounds, Core, Level, Measures};

/// What this process may take: as configured, or as the system says.
pub fn limit_bytes(limits: &Limits) -> u64 {
    match limits.memory_bytes {
        0 => system::limit_bytes().unwrap_or(u64::MAX),
        bytes => bytes,
    }
}

/// Of one node; a clone is the same.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    bounds: Bounds,
    seen: Mutex<Seen>,
    metrics: [Gauge; 4],
}

struct Seen {
    core: Core,
    used_bytes: u64,
    level: Level,
}

impl Memory {
    pub fn new(limits: &Limits) -> Self {
        let limit_bytes = limit_bytes(limits);
        let bounds = Bounds { limit_bytes, soft_percent: limits.memory_soft_percent, hard_percent: limits.memory_hard_percent };
        let metrics = ["used_bytes", "limit_bytes", "level", "allocated_bytes"].map(|of| gauge!(format!("hubbub_memory_{of}")));
        metrics[1].set(limit_bytes as f64);
        let seen = Mutex::new(Seen { core: Core::new(bounds), used_bytes: 0, level: Level::Calm });
        Self(Arc::new(Inner { bounds, seen, metrics }))
    }

    /// Looks, and says what is to be done until the next look.
    pub fn look(&self) -> Measures {
        let Some(used_bytes) = system::used_bytes() else { return Measures::default() };
        let mut seen = self.0.seen.lock();
        let measures = seen.core.look(used_bytes);
        if measures.level != seen.level {
            tracing::warn!(used_bytes, limit_bytes = self.0.bounds.limit_bytes, from = ?seen.level, to = ?measures.level, "memory");
        }
        (seen.used_bytes, seen.level) = (used_bytes, measures.level);
        self.0.metrics[0].set(used_bytes as f64);
        self.0.metrics[2].set(f64::from(measures.level as u8));
        if let Some(allocated_bytes) = system::allocated_bytes() {
            self.0.metrics[3].set(allocated_bytes as f64);
        }
        measures
    }

    /// For probes. Errors: what is not served for want of memory, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        let seen = self.0.seen.lock();
        let consequence = match seen.level {
            Level::Calm => return Ok(()),
            Level::NoSockets => "no new sockets are taken",
            Level::ShedPresence => "no new sockets are taken, slow ones are closed, presence is not served",
            Level::ShedHistory => "no new sockets are taken, slow ones are closed, presence and history are not served",
            Level::ShedSends => "no new sockets are taken, slow ones are closed, only what is under way is finished",
        };
        let mib = |bytes: u64| bytes >> 20;
        Err(format!("{} of {} MiB are in use: {consequence}", mib(seen.used_bytes), mib(self.0.bounds.limit_bytes)))
    }
}
