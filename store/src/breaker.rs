//! Pure. Whether a backend is asked at all: after so many failures in a row it is left alone, but for one call now and then
//! that finds out whether it is back.

/// Failures in a row after which it is left alone.
pub const FAILURES_MAX: u32 = 32;
/// From one call that finds out to the next.
pub const PAUSE_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    /// Left alone until then.
    open_until_ms: Option<u64>,
}

impl Breaker {
    pub fn is_open(&self) -> bool {
        self.open_until_ms.is_some()
    }

    /// Whether this call may go. The one that may while others may not is the one that finds out; if nobody hears of it, the
    /// next one after the pause does.
    pub fn admits(&mut self, now_ms: u64) -> bool {
        match self.open_until_ms {
            None => true,
            Some(until_ms) if now_ms < until_ms => false,
            Some(_) => {
                self.open_until_ms = Some(now_ms + PAUSE_MS);
                true
            }
        }
    }

    pub fn answered(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now_ms: u64) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.open_until_ms = Some(now_ms + PAUSE_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_at(now_ms: u64) -> Breaker {
        let mut breaker = Breaker::default();
        (0..FAILURES_MAX).for_each(|_| breaker.failed(now_ms));
        breaker
    }

    #[test]
    fn failures_between_which_something_was_answered_change_nothing() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            (1..FAILURES_MAX).for_each(|_| breaker.failed(0));
            assert!(breaker.admits(0));
            breaker.answered();
        }
    }

    #[test]
    fn a_backend_that_fails_is_asked_once_a_pause_until_it_answers() {
        let mut breaker = open_at(0);
        assert!(!breaker.admits(0) && !breaker.admits(PAUSE_MS - 1));
        assert!(breaker.admits(PAUSE_MS) && !breaker.admits(PAUSE_MS), "one finds out");
        breaker.failed(PAUSE_MS + 5);
        assert!(!breaker.admits(2 * PAUSE_MS) && breaker.admits(2 * PAUSE_MS + 5));
        breaker.answered();
        assert!(breaker.admits(2 * PAUSE_MS + 6) && breaker.admits(2 * PAUSE_MS + 6) && !breaker.is_open());
    }

    #[test]
    fn a_call_that_was_to_find_out_and_is_given_up_blocks_nobody() {
        let mut breaker = open_at(0);
        assert!(breaker.admits(PAUSE_MS));
        assert!(breaker.admits(2 * PAUSE_MS));
    }
}
