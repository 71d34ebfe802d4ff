//! What this very process uses of a processor. Decides nothing about whether that is too much.

use rustix::time::{ClockId, clock_gettime};

/// User and system time of all its threads, in microseconds.
pub fn cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}
