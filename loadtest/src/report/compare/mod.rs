//! Pure. Two sides of runs: what changed, and whether that is more than chance. It says nothing about two machines that were
//! not alike.

mod bootstrap;
mod sample;
mod table;

pub use table::interval;

use bootstrap::Interval;
use sample::{Cost, Counted};

use super::{Action, RunReport, Verdict};

pub const METHOD: &str = "How it is told: the measured part of each run is kept in up to 60 slices, each with its own histograms. Every figure is \
    computed again 1,000 times from slices drawn with replacement (with several runs a side, first the runs are drawn, then their \
    slices), and the interval is the middle 95 % of the changes so found. Better or worse is a figure whose interval leaves out no change; \
    of twenty figures that did not change, one is expected to look as if it had. A run with fewer than 5 slices tells nothing. Figures \
    that a run has only one of are told apart when there are at least 4 runs a side and all of one side are above all of the other, \
    which chance does in fewer than 3 of 100 cases.";

#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What keeps the two from being compared fairly.
    pub caveats: Vec<String>,
    /// Runs of each side.
    pub runs: (usize, usize),
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub first: f64,
    pub second: f64,
    /// The second against the first, in per cent: the least and the most that it may be.
    pub interval: Option<Interval>,
    pub less_is_better: bool,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// None that would be more than chance.
    None,
    Better,
    Worse,
    /// Too little is known.
    Unknown,
}

impl Change {
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "no difference",
            Self::Better => "better",
            Self::Worse => "WORSE",
            Self::Unknown => "cannot be told",
        }
    }

    fn of(is_less: Option<bool>, less_is_better: bool) -> Self {
        match is_less {
            None => Self::None,
            Some(is_less) if is_less == less_is_better => Self::Better,
            Some(_) => Self::Worse,
        }
    }
}

impl Row {
    /// Of the second against the first.
    pub fn change_percent(&self) -> f64 {
        if self.first == 0.0 { 0.0 } else { (self.second / self.first - 1.0) * 100.0 }
    }
}

const QUANTILES: &[(&str, f64)] = &[("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// A quantile of which fewer lie beyond is a matter of single values.
const BEYOND_MIN: f64 = 10.0;
/// A side of runs that were each measured once.
const RUNS_MIN: usize = 4;

/// Errors: a side without a run cannot be compared, so that there is no such side.
pub fn compare(first: &[RunReport], second: &[RunReport]) -> Comparison {
    let mut rows = Vec::new();
    let names = first.iter().flat_map(|run| &run.actions).map(|action| action.name.as_str());
    for name in distinct(names) {
        if second.iter().any(|run| run.action(name).is_some()) {
            rows.extend(action(name, first, second));
        }
    }
    rows.extend(cost(first, second));
    for name in distinct(first.iter().flat_map(|run| &run.figures).map(|figure| figure.name.as_str())) {
        rows.extend(figure(name, first, second));
    }
    Comparison { caveats: caveats(first, second), runs: (first.len(), second.len()), rows }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn caveats(first: &[RunReport], second: &[RunReport]) -> Vec<String> {
    let mut caveats = Vec::new();
    let all = || first.iter().chain(second);
    if all().any(|run| run.scenario.toml != first[0].scenario.toml) {
        caveats.push("the scenarios differ".to_owned());
    }
    if all().any(|run| run.machine != first[0].machine) {
        caveats.push("the machines differ".to_owned());
    }
    for (side, runs) in [("first", first), ("second", second)] {
        for (place, run) in runs.iter().enumerate() {
            let name = if runs.len() == 1 { format!("the {side} run") } else { format!("run {} of the {side} side", place + 1) };
            if !run.generator.certified {
                caveats.push(format!("{name} is not certified: {}", run.generator.reasons.join("; ")));
            }
            if run.verdict == Verdict::Red {
                caveats.push(format!("{name} is red: its figures are those of a server that broke a promise"));
            }
            if run.stopped_s.is_some() {
                caveats.push(format!("{name} was ended by hand"));
            }
        }
    }
    caveats
}

/// Rate and times of one kind of action.
fn action(name: &str, first: &[RunReport], second: &[RunReport]) -> Vec<Row> {
    let (a, b) = (Counted::of(name, first), Counted::of(name, second));
    let rate = |runs: &[RunReport]| mean(runs.iter().filter_map(|run| run.action(name)).map(|action| action.per_second));
    let told = (rate(first), rate(second));
    let mut rows = vec![row(name.to_owned(), "a second", told, false, bootstrap::change(&a, &b, Counted::rate))];
    let enough = |quantile: f64| {
        let count = |runs: &[RunReport]| runs.iter().filter_map(|run| run.action(name)).map(|action| action.done).sum::<u64>();
        count(first).min(count(second)) as f64 * (1.0 - quantile) >= BEYOND_MIN
    };
    for (text, quantile) in QUANTILES.iter().filter(|(_, quantile)| enough(*quantile)) {
        let at = |runs: &[RunReport]| sample::quantile_of(runs.iter().filter_map(|run| run.action(name)), *quantile);
        let (Some(from), Some(to)) = (at(first), at(second)) else { continue };
        let interval = bootstrap::change(&a, &b, |counted, drawn| counted.quantile(drawn, *quantile));
        rows.push(row(format!("{name} {text}"), "ms", (from, to), true, interval));
    }
    rows
}

/// The nodes' processor time for a delivery.
fn cost(first: &[RunReport], second: &[RunReport]) -> Option<Row> {
    let each = |run: &RunReport| {
        let nodes = run.server.nodes.iter().filter_map(|node| node.cpu_us_per_delivery);
        (!run.server.nodes.is_empty()).then(|| nodes.sum::<f64>())
    };
    let of = |runs: &[RunReport]| Some(mean(runs.iter().map(each).collect::<Option<Vec<_>>>()?.into_iter()));
    let interval = bootstrap::change(&Cost::of(first), &Cost::of(second), Cost::each);
    Some(row("node, a delivery".to_owned(), "CPU µs", (of(first)?, of(second)?), true, interval))
}

/// A number that each run has once: told apart by rank alone.
fn figure(name: &str, first: &[RunReport], second: &[RunReport]) -> Option<Row> {
    let of = |runs: &[RunReport]| -> Vec<f64> {
        runs.iter().filter_map(|run| run.figures.iter().find(|figure| figure.name == name)).map(|figure| figure.value).collect()
    };
    let (a, b) = (of(first), of(second));
    let less_is_better = first.iter().flat_map(|run| &run.figures).find(|figure| figure.name == name)?.less_is_better;
    if b.is_empty() {
        return None;
    }
    let is_below = |low: &[f64], high: &[f64]| low.iter().all(|low| high.iter().all(|high| low < high));
    let change = match a.len().min(b.len()) {
        0..RUNS_MIN => Change::Unknown,
        _ if is_below(&b, &a) => Change::of(Some(true), less_is_better),
        _ if is_below(&a, &b) => Change::of(Some(false), less_is_better),
        _ => Change::None,
    };
    let (first, second) = (mean(a.into_iter()), mean(b.into_iter()));
    Some(Row { name: name.to_owned(), unit: "", first, second, interval: None, less_is_better, change })
}

fn row(name: String, unit: &'static str, (first, second): (f64, f64), less_is_better: bool, interval: Option<Interval>) -> Row {
    let change = match interval {
        None => Change::Unknown,
        Some(Interval { low, high }) if low > 0.0 || high < 0.0 => Change::of(Some(high < 0.0), less_is_better),
        Some(_) => Change::None,
    };
    Row { name, unit, first, second, interval, less_is_better, change }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
