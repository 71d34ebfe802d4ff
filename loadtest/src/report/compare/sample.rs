//! Pure. What a side's slices hold, laid out so that drawing from them a thousand times is quick.

use super::{Action, RunReport};
use crate::measure::Latencies;
use crate::report::Slice;

/// Runs, each with its slices; a figure is computed from any choice of slices.
pub trait Sample {
    /// Slices of each run.
    fn slices(&self) -> Vec<usize>;
}

/// One slice of a kind of action: seconds, how many were done, and which times (by place among all values) how often.
struct Part {
    seconds: f64,
    count: f64,
    times: Vec<(u32, u64)>,
}

pub struct Counted {
    runs: Vec<Vec<Part>>,
    /// All times that occur in the side's slices, rising, in microseconds.
    values: Vec<u64>,
}

impl Counted {
    pub fn of(name: &str, runs: &[RunReport]) -> Self {
        let read = |slice: &Slice| {
            let sliced = slice.actions.get(name)?;
            let times = Latencies::from_told(&sliced.hdr)?.steps().collect::<Vec<_>>();
            Some((slice.to_s - slice.from_s, sliced.count as f64, times))
        };
        // A slice in which nothing was done is one, too.
        let read = |slice: &Slice| read(slice).unwrap_or((slice.to_s - slice.from_s, 0.0, Vec::new()));
        let told: Vec<Vec<_>> = runs.iter().map(|run| run.slices.iter().map(read).collect()).collect();
        let mut values: Vec<u64> = told.iter().flatten().flat_map(|(_, _, times)| times.iter().map(|(value, _)| *value)).collect();
        values.sort_unstable();
        values.dedup();
        let place = |value: u64| values.partition_point(|known| *known < value) as u32;
        let part = |(seconds, count, times): (f64, f64, Vec<(u64, u64)>)| {
            let times = times.into_iter().map(|(value, count)| (place(value), count)).collect();
            Part { seconds, count, times }
        };
        let runs = told.into_iter().map(|run| run.into_iter().map(part).collect()).collect();
        Self { runs, values }
    }

    pub fn rate(&self, drawn: &[(usize, usize)]) -> Option<f64> {
        let parts = drawn.iter().map(|(run, slice)| &self.runs[*run][*slice]);
        let (count, seconds) = parts.fold((0.0, 0.0), |(count, seconds), part| (count + part.count, seconds + part.seconds));
        (seconds > 0.0).then(|| count / seconds)
    }

    /// Milliseconds.
    pub fn quantile(&self, drawn: &[(usize, usize)], quantile: f64) -> Option<f64> {
        let mut counts = vec![0u64; self.values.len()];
        for (run, slice) in drawn {
            self.runs[*run][*slice].times.iter().for_each(|(place, count)| counts[*place as usize] += count);
        }
        let all: u64 = counts.iter().sum();
        let wanted = (quantile * all as f64).ceil().max(1.0) as u64;
        let mut so_far = 0;
        let place = counts.iter().position(|count| {
            so_far += count;
            so_far >= wanted
        })?;
        Some(self.values[place] as f64 / 1000.0)
    }
}

impl Sample for Counted {
    fn slices(&self) -> Vec<usize> {
        self.runs.iter().map(Vec::len).collect()
    }
}

/// Of each slice: the nodes' processor time, and deliveries.
pub struct Cost(Vec<Vec<(f64, f64)>>);

impl Cost {
    pub fn of(runs: &[RunReport]) -> Self {
        let of = |run: &RunReport, slice: &Slice| {
            // A moment tells of the second that ends with it.
            let moments = run.timeline.iter().filter(|moment| moment.at_s > slice.from_s && moment.at_s <= slice.to_s);
            let cpu_us = moments.flat_map(|moment| &moment.nodes).map(|node| node.cpu_percent * 10_000.0).sum();
            let deliveries = ["deliver", "replay"].iter().filter_map(|name| slice.actions.get(*name)).map(|it| it.count as f64).sum();
            (cpu_us, deliveries)
        };
        Self(runs.iter().map(|run| run.slices.iter().map(|slice| of(run, slice)).collect()).collect())
    }

    pub fn each(&self, drawn: &[(usize, usize)]) -> Option<f64> {
        let parts = drawn.iter().map(|(run, slice)| self.0[*run][*slice]);
        let (cpu_us, deliveries) = parts.fold((0.0, 0.0), |(a, b), (cpu_us, deliveries)| (a + cpu_us, b + deliveries));
        (deliveries > 0.0).then(|| cpu_us / deliveries)
    }
}

impl Sample for Cost {
    fn slices(&self) -> Vec<usize> {
        self.0.iter().map(Vec::len).collect()
    }
}

/// Over whole runs, in milliseconds.
pub fn quantile_of<'a>(actions: impl Iterator<Item = &'a Action>, quantile: f64) -> Option<f64> {
    let mut all = Latencies::default();
    for action in actions {
        all.merge(&Latencies::from_told(&action.from_intended.as_ref()?.hdr)?);
    }
    (!all.is_empty()).then(|| all.at(quantile) as f64 / 1000.0)
}
