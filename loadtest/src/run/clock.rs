//! The clock that all workers of a run share: microseconds since the run's epoch. It reads the system's time once and goes
//! on by the monotonic clock, so that a step of the system's time cannot make a latency.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    /// A moment, and what the run's clock said then.
    seen: Instant,
    seen_us: u64,
}

impl RunClock {
    /// `epoch_us`: microseconds since 1970, not in the future.
    pub fn since(epoch_us: u64) -> Self {
        Self { seen: Instant::now(), seen_us: unix_us().saturating_sub(epoch_us) }
    }

    pub fn now_us(&self) -> u64 {
        self.seen_us + self.seen.elapsed().as_micros() as u64
    }

    pub fn at(&self, us: u64) -> Instant {
        if us >= self.seen_us {
            self.seen + Duration::from_micros(us - self.seen_us)
        } else {
            self.seen.checked_sub(Duration::from_micros(self.seen_us - us)).unwrap_or(self.seen)
        }
    }
}

pub fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
