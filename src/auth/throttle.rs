//! Pure. How often a key (an account, an address) may try: a burst, then one per interval (GCRA).
//!
//! A fixed table of slots by keyed hash, so that no number of keys takes more memory; two keys that share a slot share
//! its budget, and nobody outside can choose which.

use xxhash_rust::xxh3::xxh3_64_with_seed;

const SLOTS: usize = 1 << 14;

#[derive(Debug)]
pub struct Throttle {
    /// When each slot is free of debt: milliseconds.
    free_at: Box<[u64]>,
    seed: u64,
    interval_ms: u64,
    burst: u64,
}

impl Throttle {
    pub fn new(seed: u64, burst: u32, interval_ms: u64) -> Self {
        Self { free_at: vec![0; SLOTS].into(), seed, interval_ms, burst: u64::from(burst.max(1)) }
    }

    /// Counts an attempt. Err: milliseconds until the next one is allowed; that attempt is not counted.
    pub fn take(&mut self, key: &[u8], now: u64) -> Result<(), u32> {
        let (interval, debt_max) = (self.interval_ms, self.burst * self.interval_ms);
        let slot = self.slot(key);
        // More debt than may be is a clock that was set back; nobody waits for it to catch up.
        *slot = (*slot).clamp(now, now + debt_max);
        let free_at = *slot + interval;
        if free_at - now > debt_max {
            return Err(u32::try_from(free_at - now - debt_max).unwrap_or(u32::MAX));
        }
        *slot = free_at;
        Ok(())
    }

    /// Takes back one attempt that turned out to be fine.
    pub fn give_back(&mut self, key: &[u8]) {
        let interval = self.interval_ms;
        let slot = self.slot(key);
        *slot = slot.saturating_sub(interval);
    }

    fn slot(&mut self, key: &[u8]) -> &mut u64 {
        &mut self.free_at[xxh3_64_with_seed(key, self.seed) as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_one_attempt_an_interval_is_let_through() {
        let mut throttle = Throttle::new(7, 3, 1000);
        let now = 1_000_000;
        assert!((0..3).all(|_| throttle.take(b"ada", now).is_ok()));
        assert_eq!(throttle.take(b"ada", now), Err(1000));
        assert_eq!(throttle.take(b"ada", now + 400), Err(600));
        assert_eq!(throttle.take(b"ada", now + 1000), Ok(()));
        assert_eq!(throttle.take(b"bob", now), Ok(()), "another key has its own budget");
    }

    #[test]
    fn a_good_attempt_costs_nothing() {
        let mut throttle = Throttle::new(7, 1, 1000);
        for _ in 0..100 {
            throttle.take(b"ada", 5_000_000).unwrap();
            throttle.give_back(b"ada");
        }
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_an_interval() {
        let mut throttle = Throttle::new(7, 2, 1000);
        throttle.take(b"ada", 10_000_000).unwrap();
        let back = 10_000_000 - 3_600_000;
        assert_eq!(throttle.take(b"ada", back), Err(1000));
        assert_eq!(throttle.take(b"ada", back + 1000), Ok(()));
    }
}
