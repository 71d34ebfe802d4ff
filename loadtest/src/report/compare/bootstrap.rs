//! Pure. Block bootstrap (Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", 1989; percentile
//! intervals: Efron and Tibshirani, "An Introduction to the Bootstrap", 13.3). Times within a second depend on each other,
//! as all wait for the same stall; slices hardly do. The draws are the same ones each time.

use super::sample::Sample;
use crate::plan::Random;

const DRAWS: usize = 1_000;
/// Of any one run.
const SLICES_MIN: usize = 5;

/// Per cent of the first side's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The change of a figure from one side to the other; `None`: too little is known.
pub fn change<S: Sample>(first: &S, second: &S, figure: impl Fn(&S, &[(usize, usize)]) -> Option<f64>) -> Option<Interval> {
    let (a, b) = (first.slices(), second.slices());
    if a.is_empty() || b.is_empty() || a.iter().chain(&b).any(|slices| *slices < SLICES_MIN) {
        return None;
    }
    let mut random = Random::of(0, 0);
    let mut changes = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let (from, to) = (figure(first, &draw(&a, &mut random)), figure(second, &draw(&b, &mut random)));
        // A draw without any value says nothing.
        if let (Some(from), Some(to)) = (from, to)
            && from > 0.0
        {
            changes.push((to / from - 1.0) * 100.0);
        }
    }
    if changes.len() < DRAWS / 2 {
        return None;
    }
    changes.sort_by(f64::total_cmp);
    let at = |part: f64| changes[((changes.len() - 1) as f64 * part).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
}

/// As many runs as there are, and of each as many slices as it has: run and slice.
fn draw(slices: &[usize], random: &mut Random) -> Vec<(usize, usize)> {
    let mut below = |bound: usize| ((random.unit() * bound as f64) as usize).min(bound - 1);
    let mut drawn = Vec::new();
    for _ in slices {
        let run = below(slices.len());
        drawn.extend((0..slices[run]).map(|_| (run, below(slices[run]))));
    }
    drawn
}
