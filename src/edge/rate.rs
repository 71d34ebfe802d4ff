//! Pure. So many a second, and as many at once as a second has; time comes in as microseconds.

#[derive(Debug)]
pub struct Rate {
    interval_us: u64,
    /// When the next one would be due if they came evenly.
    due_us: u64,
}

const SECOND_US: u64 = 1_000_000;

impl Rate {
    pub fn new(per_second: u32) -> Self {
        Self { interval_us: SECOND_US / u64::from(per_second.max(1)), due_us: 0 }
    }
    pub fn admit(&mut self, now_us: u64) -> bool {
        let due = self.due_us.max(now_us);
        let is_admitted = due - now_us <= SECOND_US - self.interval_us;
        if is_admitted {
            self.due_us = due + self.interval_us;
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_and_no_more() {
        let mut rate = Rate::new(10);
        assert_eq!((0..20).filter(|_| rate.admit(5)).count(), 10);
        assert!(rate.admit(100_005) && !rate.admit(100_005));
        assert_eq!((0..20).filter(|_| rate.admit(9_000_000)).count(), 10);
    }
}
