//! Pure. Two runs side by side: what changed, and whether that is more than chance. A quantile's interval is that of its
//! order statistics (binomial, 95 %, by the normal approximation: Conover, "Practical Nonparametric Statistics", 3.2); two
//! figures differ when their intervals do not overlap. It says nothing about two machines that were not alike.

use std::fmt;

use super::{Action, Latency, RunReport};
use crate::measure::Latencies;

#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What keeps the two from being compared fairly.
    pub caveats: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub first: Estimate,
    pub second: Estimate,
    /// The second against the first, in per cent; more is worse for times.
    pub change_percent: f64,
    pub less_is_better: bool,
}

/// A value and its 95 % interval; without one, low and high are the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    Better,
    Worse,
}

impl Row {
    pub fn change(&self) -> Change {
        let apart = self.first.high < self.second.low || self.second.high < self.first.low;
        match (apart, (self.second.value < self.first.value) == self.less_is_better) {
            (false, _) => Change::Same,
            (true, true) => Change::Better,
            (true, false) => Change::Worse,
        }
    }
}

const QUANTILES: &[(&str, f64)] = &[("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// Of the standard normal distribution, for 95 %.
const Z: f64 = 1.96;

pub fn compare(first: &RunReport, second: &RunReport) -> Comparison {
    let mut rows = Vec::new();
    for action in &first.actions {
        let Some(other) = second.action(&action.name) else { continue };
        rows.push(rate(action, other));
        if let (Some(a), Some(b)) = (&action.from_intended, &other.from_intended) {
            rows.extend(QUANTILES.iter().filter_map(|(name, quantile)| times(&action.name, name, *quantile, a, b)));
        }
    }
    for figure in &first.figures {
        let Some(other) = second.figures.iter().find(|other| other.name == figure.name) else { continue };
        rows.push(row(figure.name.clone(), "", exact(figure.value), exact(other.value), figure.less_is_better));
    }
    if let (Some(a), Some(b)) = (cost(first), cost(second)) {
        rows.push(row("node, a delivery".to_owned(), "CPU µs", exact(a), exact(b), true));
    }
    Comparison { caveats: caveats(first, second), rows }
}

fn caveats(first: &RunReport, second: &RunReport) -> Vec<String> {
    let mut caveats = Vec::new();
    if first.scenario.toml != second.scenario.toml {
        caveats.push("the scenarios differ".to_owned());
    }
    if first.machine != second.machine {
        caveats.push("the machines differ".to_owned());
    }
    for (name, run) in [("first", first), ("second", second)] {
        if !run.generator.certified {
            caveats.push(format!("the {name} run is not certified: {}", run.generator.reasons.join("; ")));
        }
        if run.verdict == super::Verdict::Red {
            caveats.push(format!("the {name} run is red: its figures are those of a server that broke a promise"));
        }
    }
    caveats
}

fn exact(value: f64) -> Estimate {
    Estimate { value, low: value, high: value }
}

fn row(name: String, unit: &'static str, first: Estimate, second: Estimate, less_is_better: bool) -> Row {
    let change_percent = if first.value == 0.0 { 0.0 } else { (second.value / first.value - 1.0) * 100.0 };
    Row { name, unit, first, second, change_percent, less_is_better }
}

/// Counts vary by their square root, as arrivals do.
fn rate(first: &Action, second: &Action) -> Row {
    let of = |action: &Action| {
        let half = Z / (action.done.max(1) as f64).sqrt() * action.per_second;
        Estimate { value: action.per_second, low: action.per_second - half, high: action.per_second + half }
    };
    row(first.name.clone(), "a second", of(first), of(second), false)
}

fn times(action: &str, name: &str, quantile: f64, first: &Latency, second: &Latency) -> Option<Row> {
    let of = |latency: &Latency| Some(interval(&Latencies::from_told(&latency.hdr)?, quantile));
    Some(row(format!("{action} {name}"), "ms", of(first)?, of(second)?, true))
}

/// Milliseconds.
fn interval(latencies: &Latencies, quantile: f64) -> Estimate {
    let count = latencies.count() as f64;
    let half = Z * (quantile * (1.0 - quantile) / count.max(1.0)).sqrt();
    let at = |quantile: f64| latencies.at(quantile.clamp(0.0, 1.0)) as f64 / 1000.0;
    // Beyond the largest value nothing is known.
    let high = if quantile + half < 1.0 { at(quantile + half) } else { f64::INFINITY };
    Estimate { value: at(quantile), low: at(quantile - half), high }
}

fn cost(run: &RunReport) -> Option<f64> {
    run.server.nodes.first()?.cpu_us_per_delivery
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.caveats.iter().try_for_each(|caveat| writeln!(f, "beware: {caveat}"))?;
        writeln!(f, "{:32} {:>28} {:>28} {:>9}", "", "first (95 %)", "second (95 %)", "change")?;
        for row in &self.rows {
            let estimate = |it: Estimate| format!("{:.2} ({:.2}–{:.2})", it.value, it.low, it.high);
            let word = match row.change() {
                Change::Same => "",
                Change::Better => "better",
                Change::Worse => "WORSE",
            };
            let name = format!("{} {}", row.name, row.unit);
            writeln!(f, "{name:32} {:>28} {:>28} {:>+8.1} % {word}", estimate(row.first), estimate(row.second), row.change_percent)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        values.into_iter().for_each(|us| latencies.record(us));
        latencies
    }

    fn compared(first: &Latencies, second: &Latencies, quantile: f64) -> Change {
        row("x".into(), "ms", interval(first, quantile), interval(second, quantile), true).change()
    }

    #[test]
    fn the_same_sample_is_the_same_and_a_shifted_one_is_not() {
        let sample = of((0..10_000).map(|n| 1_000 + n));
        let slower = of((0..10_000).map(|n| 1_500 + n));
        assert_eq!(compared(&sample, &sample, 0.5), Change::Same);
        assert_eq!(compared(&sample, &slower, 0.5), Change::Worse);
        assert_eq!(compared(&slower, &sample, 0.5), Change::Better);
    }

    #[test]
    fn few_values_prove_nothing_about_a_tail() {
        let few = of((0..50).map(|n| 1_000 + n * 100));
        let other = of((0..50).map(|n| 1_200 + n * 100));
        assert_eq!(compared(&few, &other, 0.99), Change::Same);
        let interval = interval(&few, 0.99);
        assert!(interval.low < interval.value && interval.high >= interval.value);
    }

    #[test]
    fn more_a_second_is_better() {
        let action = |done: u64| Action { name: "post".into(), done, per_second: done as f64, ..Action::default() };
        assert_eq!(rate(&action(10_000), &action(12_000)).change(), Change::Better);
        assert_eq!(rate(&action(10_000), &action(10_050)).change(), Change::Same);
        assert_eq!(rate(&action(12_000), &action(10_000)).change(), Change::Worse);
    }
}
