//! Which differences are told as such, and which are not.

use super::*;
use crate::measure::{Deed, Latencies, Tally};
use crate::report::{Figure, Slice, Sliced};

/// A run of so many slices, each with these times of posts.
fn run(slices: usize, times_us: impl Fn(usize) -> Vec<u64>) -> RunReport {
    let mut tally = Tally::default();
    let slices = (0..slices).map(|n| {
        let mut latencies = Latencies::default();
        for us in times_us(n) {
            tally.done(Deed::Post, us, us);
            latencies.record(us);
        }
        let sliced = Sliced { count: latencies.count(), hdr: latencies.hdr() };
        Slice { from_s: n as f64, to_s: n as f64 + 1.0, actions: [("post".to_owned(), sliced)].into() }
    });
    let slices: Vec<_> = slices.collect();
    RunReport { verdict: Verdict::Green, actions: tally.actions(slices.len() as f64), slices, ..RunReport::default() }
}

/// Each slice has a level of its own, as a machine has good and bad seconds.
fn wavering(slices: usize, base_us: u64) -> RunReport {
    run(slices, |n| (0..200).map(|k| base_us + (n as u64 * 7919 % 13) * base_us / 10 + k).collect())
}

fn change(first: &[RunReport], second: &[RunReport], name: &str) -> Change {
    let found = compare(first, second).rows.into_iter().find(|row| row.name == name);
    found.unwrap_or_else(|| panic!("there is no row {name}")).change
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let run = [wavering(40, 1_000)];
    assert!(compare(&run, &run).rows.iter().all(|row| row.change == Change::None));
}

#[test]
fn what_takes_twice_as_long_is_worse_and_the_other_way_better() {
    let (quick, slow) = ([wavering(40, 1_000)], [wavering(40, 2_000)]);
    assert_eq!(change(&quick, &slow, "post p50"), Change::Worse);
    assert_eq!(change(&slow, &quick, "post p50"), Change::Better);
    assert_eq!(change(&quick, &slow, "post"), Change::None);
}

#[test]
fn a_difference_that_is_less_than_a_run_differs_from_itself_is_none() {
    // Of 8,000 independent values a shift of 2 % would be far beyond chance; of 40 seconds it is not.
    let (one, other) = ([wavering(40, 1_000)], [wavering(40, 1_020)]);
    assert_eq!(change(&one, &other, "post p50"), Change::None);
}

#[test]
fn more_a_second_is_better() {
    let posts = |each: u64| [run(30, move |n| vec![500; (each + n as u64 % 3) as usize])];
    assert_eq!(change(&posts(100), &posts(150), "post"), Change::Better);
    assert_eq!(change(&posts(150), &posts(100), "post"), Change::Worse);
}

#[test]
fn a_short_run_and_a_thin_tail_tell_nothing() {
    assert_eq!(change(&[wavering(4, 1_000)], &[wavering(4, 2_000)], "post p50"), Change::Unknown);
    let few = [run(10, |_| vec![1_000; 20])];
    let rows = compare(&few, &few).rows;
    assert!(rows.iter().any(|row| row.name == "post p90") && rows.iter().all(|row| row.name != "post p99.9"));
}

#[test]
fn runs_that_differ_among_themselves_widen_the_interval() {
    let side = |levels: [u64; 3]| levels.map(|us| run(20, move |n| vec![us + n as u64; 50]));
    let (narrow, wide) = (side([1_000, 1_010, 1_020]), side([900, 1_200, 1_500]));
    assert_eq!(change(&narrow, &side([1_100, 1_110, 1_120]), "post p50"), Change::Worse);
    assert_eq!(change(&narrow, &wide, "post p50"), Change::None);
}

#[test]
fn a_figure_that_each_run_has_once_needs_four_runs_a_side() {
    let side = |values: &[f64]| -> Vec<RunReport> {
        let with = |value: &f64| {
            let mut run = run(6, |_| vec![1]);
            run.figures =
                vec![Figure { name: "back".into(), value: *value, unit: "s".into(), less_is_better: true, detail: String::new() }];
            run
        };
        values.iter().map(with).collect()
    };
    let before = side(&[3.0, 3.1, 3.2, 3.3]);
    assert_eq!(change(&before, &side(&[2.0, 2.1, 2.2, 2.9]), "back"), Change::Better);
    assert_eq!(change(&before, &side(&[2.0, 2.1, 2.2, 3.05]), "back"), Change::None);
    assert_eq!(change(&before[..3], &side(&[1.0, 1.0, 1.0]), "back"), Change::Unknown);
}

#[test]
fn what_makes_two_sides_unlike_is_said() {
    let (fair, mut other) = (wavering(10, 1_000), wavering(10, 1_000));
    (other.machine.processors, other.verdict, other.stopped_s) = (99, Verdict::Red, Some(3.0));
    let caveats = compare(&[fair], &[other]).caveats.join("; ");
    assert!(
        ["the machines differ", "the second run is red", "the second run was ended by hand"].iter().all(|it| caveats.contains(it)),
        "{caveats}"
    );
}
