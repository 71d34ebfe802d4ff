//! Pure. A lot's time and its one timer wheel: when to look at a connection again.
//!
//! The wheel says only *look*; which deadline is meant and whether it has passed is decided from the connection. So a
//! mark need not be taken back, and a connection that was heard from in the meantime is simply put on again.

/// A lot's time: steps of 32 ms since the node started; holds for four years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub u32);

impl Tick {
    pub const MS: u32 = 32;

    pub fn from_ms(ms: u64) -> Self {
        Self((ms / u64::from(Self::MS)) as u32)
    }
    /// The first tick that is no earlier than `ms` after this one.
    pub fn after_ms(self, ms: u32) -> Self {
        Self(self.0.saturating_add(ms.div_ceil(Self::MS)))
    }
}

/// A connection's place in the slab, and the use of that place that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub index: u32,
    pub generation: u16,
}

const SLOTS: u32 = 2048;

#[derive(Debug)]
pub struct Wheel {
    slots: Vec<Vec<Mark>>,
    /// Everything up to here was handed out.
    done: Tick,
    marks: usize,
}

impl Wheel {
    pub fn new(now: Tick) -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), done: now, marks: 0 }
    }

    /// Puts a mark on; returns when it comes up: `at`, or earlier if that is more than a turn of the wheel away.
    pub fn set(&mut self, mark: Mark, at: Tick) -> Tick {
        let at = Tick(at.0.clamp(self.done.0 + 1, self.done.0 + SLOTS - 1));
        self.slots[(at.0 % SLOTS) as usize].push(mark);
        self.marks += 1;
        at
    }

    /// Hands out what is due by `now`.
    pub fn due(&mut self, now: Tick, out: &mut Vec<Mark>) {
        let steps = now.0.saturating_sub(self.done.0).min(SLOTS);
        for step in 1..=steps {
            let slot = std::mem::take(&mut self.slots[((self.done.0 + step) % SLOTS) as usize]);
            self.marks -= slot.len();
            out.extend(slot);
        }
        self.done = self.done.max(now);
    }

    /// The next tick at which something is due.
    pub fn next(&self) -> Option<Tick> {
        if self.marks == 0 {
            return None;
        }
        (1..SLOTS).map(|step| Tick(self.done.0 + step)).find(|at| !self.slots[(at.0 % SLOTS) as usize].is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_up_once_at_its_tick_and_far_ones_early() {
        let mut wheel = Wheel::new(Tick(100));
        let mark = |index| Mark { index, generation: 0 };
        assert_eq!(wheel.set(mark(1), Tick(105)), Tick(105));
        assert_eq!(wheel.set(mark(2), Tick(90)), Tick(101));
        assert_eq!(wheel.set(mark(3), Tick(1_000_000)), Tick(100 + SLOTS - 1));
        let mut out = Vec::new();
        assert_eq!(wheel.next(), Some(Tick(101)));
        wheel.due(Tick(104), &mut out);
        assert_eq!(out, [mark(2)]);
        assert_eq!(wheel.next(), Some(Tick(105)));
        wheel.due(Tick(100_000), &mut out);
        assert_eq!(out, [mark(2), mark(1), mark(3)]);
        assert_eq!(wheel.next(), None);
    }
}
