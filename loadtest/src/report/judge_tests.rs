//! Verdicts, certificates and exit codes, each by the least that makes it.

use super::*;
use crate::measure::{Latencies, Tally};
use crate::report::Generator;

/// A green report whose posts took so long, sent with so much lag.
fn report(post_us: u64, lag_us: u64, cpu_percent: f64) -> RunReport {
    let (mut tally, mut lag) = (Tally::default(), Latencies::default());
    tally.done(Deed::Post, post_us, post_us);
    lag.record(lag_us);
    let integrity = Integrity { rooms: 2, rooms_audited: 2, due: 10, delivered: 10, ..Integrity::default() };
    RunReport {
        mode: "run".into(),
        elapsed_s: 1.0,
        exit_code: 255,
        actions: tally.actions(1.0),
        integrity,
        generator: Generator { cpu_percent, lag: lag.told(), ..Generator::default() },
        ..RunReport::default()
    }
}

fn bound(of: &str, at_most: Option<f64>, at_least: Option<f64>) -> scenario::Threshold {
    scenario::Threshold { of: of.to_owned(), at_most, at_least }
}

fn code(mut report: RunReport, bounds: &[scenario::Threshold]) -> u8 {
    report.judge(bounds);
    report.exit_code
}

#[test]
fn a_green_run_that_keeps_its_thresholds_ends_with_0() {
    let bounds = [bound("post.intended.p99_ms", Some(10.0), None), bound("post.per_second", None, Some(1.0))];
    assert_eq!(code(report(9_000, 100, 50.0), &bounds), GREEN);
}

#[test]
fn a_missed_threshold_ends_with_99_also_one_on_what_never_happened() {
    assert_eq!(code(report(11_000, 100, 50.0), &[bound("post.intended.p99_ms", Some(10.0), None)]), THRESHOLD_MISSED);
    assert_eq!(code(report(1_000, 100, 50.0), &[bound("page.actual.max_ms", Some(10.0), None)]), THRESHOLD_MISSED);
}

#[test]
fn any_offence_and_any_delivery_that_is_missing_is_red_whatever_the_thresholds_say() {
    let change: [fn(&mut Integrity); 9] = [
        |it| it.lost = 1,
        |it| it.doubled = 1,
        |it| it.reordered = 1,
        |it| it.unauthorised = 1,
        |it| it.wrong = 1,
        |it| it.delivered = 9,
        |it| it.unknown = 1,
        |it| it.rooms_audited = 1,
        |it| it.checker = Some("C5 broken 1 times".into()),
    ];
    for (place, change) in change.into_iter().enumerate() {
        let mut report = report(11_000, 100, 50.0);
        change(&mut report.integrity);
        assert_eq!(code(report, &[bound("post.intended.p99_ms", Some(10.0), None)]), RED, "change {place}");
    }
}

#[test]
fn a_harness_that_was_the_bottleneck_certifies_nothing() {
    let bounds = [bound("post.intended.p99_ms", Some(10.0), None)];
    assert_eq!(code(report(1_000, 100, 81.0), &bounds), NOT_CERTIFIED);
    assert_eq!(code(report(1_000, 6_000, 10.0), &bounds), NOT_CERTIFIED);
    // What is not a time can be judged all the same, and without thresholds there is nothing to refuse.
    assert_eq!(code(report(1_000, 6_000, 10.0), &[bound("post.per_second", None, Some(1.0))]), GREEN);
    assert_eq!(code(report(1_000, 6_000, 10.0), &[]), GREEN);
}

#[test]
fn figures_are_named_as_the_manual_says() {
    assert_eq!(Figure::read("post.per_second"), Ok(Figure::PerSecond(Deed::Post)));
    let latency = Figure::Latency { deed: Deed::Deliver, from_intended: false, at: At::P999 };
    assert_eq!(Figure::read("deliver.actual.p999_ms"), Ok(latency));
    for wrong in ["post", "post.p99_ms", "pots.per_second", "post.intended.p98_ms", "post.intended.p99", "post.intended.p99_ms.x"] {
        assert!(Figure::read(wrong).unwrap_err().contains("actions are post, edit"), "{wrong}");
    }
}

#[test]
fn of_steps_that_get_harder_the_last_that_was_kept_counts() {
    let phase = |name: &str, post_us: u64, lag_p99_us: u64| {
        let actions = report(post_us, 0, 0.0).actions;
        Phase { name: name.to_owned(), measured: true, actions, lag_p99_us, ..Phase::default() }
    };
    let bounds = [bound("post.intended.p99_ms", Some(10.0), None)];
    let (kept, why) = steps(&[phase("a", 1_000, 0), phase("b", 9_000, 0), phase("c", 11_000, 0), phase("d", 1_000, 0)], &bounds);
    assert_eq!((kept, why.as_str()), (Some(1), "post.intended.p99_ms was 11.01 in `c`, and the bound is 10"));
    let (kept, why) = steps(&[phase("a", 1_000, 0), phase("b", 1_000, 6_000)], &bounds);
    assert!(kept == Some(0) && why.starts_with("this program itself gave in during `b`"), "{why}");
    assert_eq!(steps(&[phase("a", 11_000, 0)], &bounds).0, None);
}
