//! Pure. What happened, counted and timed by kind of action: a second at a time, and summed up by phase. Knows no clock:
//! whoever measures says how long it took.

use serde::{Deserialize, Serialize};

use super::Latencies;
use crate::report::{Action, Beat};

macro_rules! deeds {
    ($($name:ident = $text:literal,)*) => {
        /// What is timed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Deed { $($name,)* }
        impl Deed {
            pub const ALL: &[Deed] = &[$(Deed::$name,)*];
            pub fn text(self) -> &'static str {
                match self { $(Deed::$name => $text,)* }
            }
            pub fn of(text: &str) -> Option<Deed> {
                match text { $($text => Some(Deed::$name),)* _ => None }
            }
        }
    };
}

deeds! {
    Post = "post",
    Edit = "edit",
    React = "react",
    Read = "read",
    Typing = "typing",
    Page = "page",
    Ping = "ping",
    Deliver = "deliver",
    Replay = "replay",
    Connect = "connect",
    Resume = "resume",
}

/// Of one deed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timed {
    pub begun: u64,
    pub done: u64,
    pub refused: u64,
    pub put_off: u64,
    pub from_intended: Latencies,
    pub from_actual: Latencies,
}

impl Timed {
    pub fn merge(&mut self, other: &Self) {
        self.begun += other.begun;
        self.done += other.done;
        self.refused += other.refused;
        self.put_off += other.put_off;
        self.from_intended.merge(&other.from_intended);
        self.from_actual.merge(&other.from_actual);
    }

    fn is_empty(&self) -> bool {
        self.begun + self.done + self.refused + self.put_off == 0
    }
}

/// Of one stretch of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    timed: Vec<Timed>,
    pub lag: Latencies,
}

impl Default for Tally {
    fn default() -> Self {
        Self { timed: vec![Timed::default(); Deed::ALL.len()], lag: Latencies::default() }
    }
}

impl Tally {
    pub fn of(&self, deed: Deed) -> &Timed {
        &self.timed[deed as usize]
    }
    pub fn of_mut(&mut self, deed: Deed) -> &mut Timed {
        &mut self.timed[deed as usize]
    }

    pub fn begun(&mut self, deed: Deed) {
        self.of_mut(deed).begun += 1;
    }
    pub fn done(&mut self, deed: Deed, from_intended_us: u64, from_actual_us: u64) {
        let timed = self.of_mut(deed);
        timed.done += 1;
        timed.from_intended.record(from_intended_us);
        timed.from_actual.record(from_actual_us);
    }

    pub fn merge(&mut self, other: &Self) {
        self.timed.iter_mut().zip(&other.timed).for_each(|(own, other)| own.merge(other));
        self.lag.merge(&other.lag);
    }

    /// This stretch is over: gives it, and begins the next.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub fn actions(&self, seconds: f64) -> Vec<Action> {
        let there = Deed::ALL.iter().map(|deed| (deed, self.of(*deed))).filter(|(_, timed)| !timed.is_empty());
        let told = there.map(|(deed, timed)| Action {
            name: deed.text().to_owned(),
            count: timed.begun,
            done: timed.done,
            refused: timed.refused,
            put_off: timed.put_off,
            per_second: if seconds > 0.0 { timed.done as f64 / seconds } else { 0.0 },
            from_intended: timed.from_intended.told(),
            from_actual: timed.from_actual.told(),
        });
        told.collect()
    }

    pub fn beats(&self) -> impl Iterator<Item = (String, Beat)> {
        let there = Deed::ALL.iter().map(|deed| (deed, self.of(*deed))).filter(|(_, timed)| timed.done > 0);
        there.map(|(deed, timed)| {
            let times = &timed.from_intended;
            (deed.text().to_owned(), Beat { count: timed.done, p50_us: times.at(0.5), p99_us: times.at(0.99), max_us: times.max() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stretches_merged_are_the_whole() {
        let (mut whole, mut parts, mut sum) = (Tally::default(), Tally::default(), Tally::default());
        for n in 0..100 {
            for tally in [&mut whole, &mut parts] {
                tally.begun(Deed::Post);
                tally.done(Deed::Post, n * 10, n);
            }
            if n == 40 {
                sum.merge(&parts.take());
            }
        }
        sum.merge(&parts);
        assert_eq!(sum.actions(2.0), whole.actions(2.0));
        assert_eq!(sum.actions(2.0)[0].per_second, 50.0);
    }

    #[test]
    fn a_late_send_counts_from_when_it_was_intended() {
        let mut tally = Tally::default();
        tally.done(Deed::Post, 50_000, 1000);
        let post = &tally.actions(1.0)[0];
        assert!(post.from_intended.as_ref().unwrap().p50_us >= 50_000);
        assert!(post.from_actual.as_ref().unwrap().p50_us <= 1001);
    }

    #[test]
    fn names_are_read_back() {
        Deed::ALL.iter().for_each(|deed| assert_eq!(Deed::of(deed.text()), Some(*deed)));
    }
}
