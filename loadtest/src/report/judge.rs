//! Pure. What a report means: whether its times can be believed, which thresholds it keeps, and the exit code.

use super::{Action, Integrity, Latency, Phase, RunReport, Threshold, Verdict};
use crate::measure::Deed;
use crate::scenario;

pub const GREEN: u8 = 0;
/// Red, or the run could not be carried out.
pub const RED: u8 = 1;
/// There are thresholds, and the harness was too slow itself to judge them.
pub const NOT_CERTIFIED: u8 = 98;
pub const THRESHOLD_MISSED: u8 = 99;

/// Of one processor.
pub const CPU_PERCENT_MAX: f64 = 80.0;
pub const LAG_US_MAX: u64 = 5_000;

pub const RULE: &str = "a run is certified when its busiest worker used at most 80 % of a processor over the measured phases, and \
                        99 of 100 actions were sent within 5 ms of when they were intended";

/// What a threshold is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    PerSecond(Deed),
    Latency { deed: Deed, from_intended: bool, at: At },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    P50,
    P90,
    P99,
    P999,
    Max,
    Mean,
}

impl Figure {
    /// Errors: a sentence that says what there is.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            let deeds: Vec<_> = Deed::ALL.iter().map(|deed| deed.text()).collect();
            format!(
                "`{text}` is no figure: write <action>.<intended|actual>.<p50|p90|p99|p999|max|mean>_ms or <action>.per_second; actions are {}",
                deeds.join(", ")
            )
        };
        let mut parts = text.split('.');
        let deed = parts.next().and_then(Deed::of).ok_or_else(wrong)?;
        let figure = match (parts.next(), parts.next(), parts.next()) {
            (Some("per_second"), None, None) => Self::PerSecond(deed),
            (Some(from @ ("intended" | "actual")), Some(at), None) => {
                let at = at.strip_suffix("_ms").and_then(At::of).ok_or_else(wrong)?;
                Self::Latency { deed, from_intended: from == "intended", at }
            }
            _ => return Err(wrong()),
        };
        Ok(figure)
    }

    /// `None`: it did not happen.
    pub fn found(&self, actions: &[Action]) -> Option<f64> {
        let of = |deed: Deed| actions.iter().find(|action| action.name == deed.text());
        match self {
            Self::PerSecond(deed) => Some(of(*deed)?.per_second),
            Self::Latency { deed, from_intended, at } => {
                let action = of(*deed)?;
                let latency = if *from_intended { &action.from_intended } else { &action.from_actual };
                Some(at.ms(latency.as_ref()?))
            }
        }
    }

    fn is_a_time(&self) -> bool {
        matches!(self, Self::Latency { .. })
    }
}

impl At {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "p50" => Self::P50,
            "p90" => Self::P90,
            "p99" => Self::P99,
            "p999" => Self::P999,
            "max" => Self::Max,
            "mean" => Self::Mean,
            _ => return None,
        })
    }

    fn ms(self, latency: &Latency) -> f64 {
        let us = match self {
            Self::P50 => latency.p50_us,
            Self::P90 => latency.p90_us,
            Self::P99 => latency.p99_us,
            Self::P999 => latency.p999_us,
            Self::Max => latency.max_us,
            Self::Mean => return latency.mean_us / 1000.0,
        };
        us as f64 / 1000.0
    }
}

/// Whether the scenario's thresholds are kept by these actions. Times of a run that is not certified are not judged.
pub fn thresholds(bounds: &[scenario::Threshold], actions: &[Action], certified: bool) -> Vec<Threshold> {
    let judged = bounds.iter().filter_map(|bound| {
        let figure = Figure::read(&bound.of).ok()?;
        let found = figure.found(actions);
        let keeps = |found: f64| bound.at_most.is_none_or(|most| found <= most) && bound.at_least.is_none_or(|least| found >= least);
        let met = match found {
            Some(_) if figure.is_a_time() && !certified => None,
            // What never happened keeps no bound.
            found => Some(found.is_some_and(keeps)),
        };
        let limit = bound.at_most.or(bound.at_least).unwrap_or_default();
        Some(Threshold { name: bound.of.clone(), bound: limit, found, met })
    });
    judged.collect()
}

/// Why a phase is not one that was kept: a threshold that was missed, or a harness that gave in itself.
pub fn why_not(phase: &Phase, bounds: &[scenario::Threshold]) -> Option<String> {
    // First of all: when the harness is late, all times are.
    if phase.generator_cpu_percent > CPU_PERCENT_MAX || phase.lag_p99_us > LAG_US_MAX {
        let lag_ms = phase.lag_p99_us as f64 / 1000.0;
        let cpu = phase.generator_cpu_percent;
        return Some(format!(
            "this program itself gave in during `{}` (lag p99 {lag_ms:.1} ms, {cpu:.0} % of a processor): take more --workers",
            phase.name
        ));
    }
    let missed = thresholds(bounds, &phase.actions, true).into_iter().find(|threshold| threshold.met == Some(false))?;
    let Threshold { name, bound, found, .. } = missed;
    let found = found.map_or_else(|| "never happened".to_owned(), |found| format!("was {found:.2}"));
    Some(format!("{name} {found} in `{}`, and the bound is {bound}", phase.name))
}

/// Of steps that get harder: the last that was kept, and why the next one was not.
pub fn steps(phases: &[Phase], bounds: &[scenario::Threshold]) -> (Option<usize>, String) {
    let mut kept = None;
    for (place, phase) in phases.iter().enumerate().filter(|(_, phase)| phase.measured) {
        if let Some(why) = why_not(phase, bounds) {
            return (kept, why);
        }
        kept = Some(place);
    }
    (kept, "there was no further step: ask for more with --steps".to_owned())
}

impl Integrity {
    pub fn verdict(&self) -> Verdict {
        let offences = self.lost + self.doubled + self.reordered + self.unauthorised + self.wrong;
        let whole = self.delivered == self.due && self.unknown == 0 && self.rooms_audited == self.rooms;
        if offences == 0 && whole && self.checker.as_ref().is_none_or(|said| said.contains("every rule holds")) {
            Verdict::Green
        } else {
            Verdict::Red
        }
    }
}

impl RunReport {
    /// Decides everything that follows from what was found.
    pub fn judge(&mut self, bounds: &[scenario::Threshold]) {
        self.generator.rule = RULE.to_owned();
        self.generator.reasons = self.reasons();
        self.generator.certified = self.generator.reasons.is_empty();
        self.thresholds = thresholds(bounds, &self.actions, self.generator.certified);
        self.verdict = self.integrity.verdict();
        self.exit_code = self.exit_code();
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let cpu = self.generator.cpu_percent;
        if cpu > CPU_PERCENT_MAX {
            reasons.push(format!("a worker used {cpu:.0} % of a processor: take more workers"));
        }
        let lag = self.generator.lag.as_ref().map_or(0, |lag| lag.p99_us);
        if lag > LAG_US_MAX {
            reasons.push(format!(
                "one in a hundred actions was sent more than {:.1} ms late: this machine has too little to spare",
                lag as f64 / 1000.0
            ));
        }
        reasons
    }

    fn exit_code(&self) -> u8 {
        if self.verdict == Verdict::Red {
            RED
        } else if self.thresholds.iter().any(|threshold| threshold.met == Some(false)) {
            THRESHOLD_MISSED
        } else if self.thresholds.iter().any(|threshold| threshold.met.is_none()) {
            NOT_CERTIFIED
        } else {
            GREEN
        }
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
