//! Pure. From the memory in use to what the node does about it: measures are taken at once and given up late, so that they
//! do not come and go around a line.

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What the process may take.
    pub limit_bytes: u64,
    /// From here on: no new sockets.
    pub soft_percent: u8,
    /// From here on: slow connections go, and one class of requests after the other.
    pub hard_percent: u8,
}

/// Each includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    Calm,
    NoSockets,
    ShedPresence,
    ShedHistory,
    ShedSends,
}

/// What is done until the next look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    pub level: Level,
    /// What slow connections have to give back now.
    pub close_bytes: u64,
}

/// Percent of the limit that the use has to fall below a line before its measure ends.
const MARGIN_PERCENT: u64 = 5;

const LEVELS: [Level; 4] = [Level::NoSockets, Level::ShedPresence, Level::ShedHistory, Level::ShedSends];

#[derive(Debug)]
pub struct Core {
    bounds: Bounds,
    level: Level,
}

impl Core {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, level: Level::Calm }
    }

    pub fn look(&mut self, used_bytes: u64) -> Measures {
        let above = |margin: u64| LEVELS.into_iter().rev().find(|level| used_bytes >= self.line(*level, margin)).unwrap_or_default();
        let (up_to, down_to) = (above(0), above(MARGIN_PERCENT));
        self.level = self.level.clamp(up_to, down_to.max(up_to));
        let hard = self.line(Level::ShedPresence, MARGIN_PERCENT);
        let close_bytes = if self.level >= Level::ShedPresence { used_bytes.saturating_sub(hard) } else { 0 };
        Measures { level: self.level, close_bytes }
    }

    /// Bytes from which on a level holds, less the margin. What is between the hard line and the limit is cut in three.
    fn line(&self, level: Level, margin_percent: u64) -> u64 {
        let (soft, hard) = (u64::from(self.bounds.soft_percent), u64::from(self.bounds.hard_percent));
        let third = 100u64.saturating_sub(hard) / 3;
        let percent = match level {
            Level::Calm => 0,
            Level::NoSockets => soft,
            Level::ShedPresence => hard,
            Level::ShedHistory => hard + third,
            Level::ShedSends => hard + 2 * third,
        };
        (u128::from(self.bounds.limit_bytes) * u128::from(percent.saturating_sub(margin_percent)) / 100) as u64
    }
}

impl Level {
    /// How many classes of requests are not served.
    pub fn classes_shed(self) -> u8 {
        (self as u8).saturating_sub(Level::NoSockets as u8)
    }
    pub fn takes_sockets(self) -> bool {
        self == Level::Calm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses, in percent of the limit, and what each leads to.
    #[track_caller]
    fn check(script: &[(u64, Level)]) {
        let mut core = Core::new(Bounds { limit_bytes: 1_000_000, soft_percent: 70, hard_percent: 85 });
        for (step, (percent, expected)) in script.iter().enumerate() {
            assert_eq!(core.look(percent * 10_000).level, *expected, "step {step}: {percent} %");
        }
    }

    #[test]
    fn each_line_has_its_measure_the_least_important_first() {
        check(&[
            (69, Level::Calm),
            (70, Level::NoSockets),
            (84, Level::NoSockets),
            (85, Level::ShedPresence),
            (90, Level::ShedHistory),
            (95, Level::ShedSends),
            (200, Level::ShedSends),
        ]);
        assert_eq!(LEVELS.map(Level::classes_shed), [0, 1, 2, 3]);
        assert_eq!(Level::ShedSends.classes_shed() as usize, actors::Class::ALL.len());
    }

    #[test]
    fn a_measure_ends_only_well_below_its_line() {
        check(&[(71, Level::NoSockets), (69, Level::NoSockets), (65, Level::NoSockets), (64, Level::Calm), (69, Level::Calm)]);
        check(&[(96, Level::ShedSends), (91, Level::ShedSends), (89, Level::ShedHistory), (80, Level::ShedPresence), (10, Level::Calm)]);
    }

    #[test]
    fn a_sudden_rise_is_met_at_once() {
        check(&[(10, Level::Calm), (99, Level::ShedSends), (10, Level::Calm)]);
    }

    #[test]
    fn above_the_hard_line_slow_connections_give_back_what_is_over_it() {
        let mut core = Core::new(Bounds { limit_bytes: 1_000, soft_percent: 70, hard_percent: 85 });
        assert_eq!(core.look(849).close_bytes, 0);
        assert_eq!(core.look(900).close_bytes, 100);
        assert_eq!(core.look(820).close_bytes, 20);
        assert_eq!(core.look(799).close_bytes, 0);
    }

    #[test]
    fn a_node_without_a_known_limit_is_left_alone() {
        let mut core = Core::new(Bounds { limit_bytes: u64::MAX, soft_percent: 70, hard_percent: 85 });
        assert_eq!(core.look(1 << 50), Measures::default());
    }
}
