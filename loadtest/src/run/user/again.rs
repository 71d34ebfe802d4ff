//! Pure. When a device comes back whose connection ended, and from when the way back counts.

use std::time::Duration;

/// Between two tries to connect: doubled from the first to the second, before jitter.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Again {
    /// When the connection that is made now was wanted, in microseconds of the run.
    pub intended_us: u64,
    failures: u32,
}

/// How a connection ended, or a try to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It had been greeted. `asked`: for how long the node wants it to stay away.
    Greeted { asked: Option<Duration> },
    /// It never was one.
    Failed,
}

impl Again {
    pub fn at(intended_us: u64) -> Self {
        Self { intended_us, failures: 0 }
    }

    /// It stayed away on purpose until now.
    pub fn back(&mut self, now_us: u64) {
        self.intended_us = now_us;
    }

    /// How long to wait now, before jitter: whoever has lost a connection tries at once, and is away from then until it is greeted again,
    /// whatever the tries between.
    pub fn ended(&mut self, now_us: u64, how: Ended) -> Duration {
        match how {
            Ended::Greeted { asked } => {
                *self = Self::at(now_us);
                asked.unwrap_or_default()
            }
            Ended::Failed => {
                self.failures += 1;
                AGAIN_MAX.min(AGAIN_MIN * (1 << self.failures.min(5)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_counts_from_when_the_connection_ended_and_from_nothing_before_or_after() {
        let ms = Duration::from_millis;
        let mut again = Again::at(5);
        assert_eq!(again.ended(1_000, Ended::Greeted { asked: Some(ms(40)) }), ms(40));
        assert_eq!(again.intended_us, 1_000, "not from when the connection before it was wanted");
        assert_eq!([2_000, 3_000].map(|now_us| again.ended(now_us, Ended::Failed)), [ms(200), ms(400)]);
        assert_eq!(again.intended_us, 1_000, "a node that takes nobody is no fresh beginning");
        assert_eq!((0..9).map(|_| again.ended(4_000, Ended::Failed)).max(), Some(AGAIN_MAX));
        assert_eq!((again.ended(9_000, Ended::Greeted { asked: None }), again.intended_us), (ms(0), 9_000));
        again.back(70_000);
        assert_eq!(again.intended_us, 70_000);
    }
}
