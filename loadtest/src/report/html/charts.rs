//! Pure. Which charts a report has, and what is drawn in them.

use super::axis::{Axis, short};
use super::chart::{Chart, Series, mean, most, thin};
use super::markup::Markup;
use crate::report::{Beat, Moment, RunReport, judge};

/// Lines of the spectrum, the most telling first.
const SPECTRUM: [&str; 5] = ["deliver", "post", "replay", "resume", "page"];

pub fn latencies(report: &RunReport, out: &mut Markup) {
    out.open("div", "charts");
    spectrum(report, out);
    for (action, title) in [("deliver", "Delivery"), ("post", "Acknowledgement of a post")] {
        over_time(report, action, title, out);
    }
    if report.timeline.iter().any(|moment| moment.actions.contains_key("replay")) {
        over_time(report, "replay", "Delivery of what was missed", out);
    }
    out.close("div");
}

/// How long the slowest one in ten, hundred, thousand took: both axes tenfold.
fn spectrum(report: &RunReport, out: &mut Markup) {
    let lines = SPECTRUM.iter().filter_map(|name| {
        let latency = report.action(name)?.from_intended.as_ref()?;
        let last = 1.0 - 1.0 / latency.count.max(2) as f64;
        let point = |(quantile, us): &(f64, u64)| (1.0 / (1.0 - quantile.min(last)), (*us as f64 / 1000.0).max(0.001));
        Some(Series { name: (*name).to_owned(), points: latency.spectrum.iter().map(point).collect() })
    });
    let series: Vec<_> = lines.collect();
    if series.is_empty() {
        return;
    }
    let values = |of: fn(&(f64, f64)) -> f64| series.iter().flat_map(move |line| line.points.iter().map(of)).collect::<Vec<_>>();
    let (x, y) = (values(|point| point.0), values(|point| point.1));
    let chart = Chart {
        title: "Percentile spectrum",
        unit: "ms from when it was intended",
        x: Axis::tenfold(x.into_iter()),
        y: Axis::tenfold(y.into_iter()),
        x_label: percentile,
        x_title: "percentile",
        series,
        bands: Vec::new(),
        marks: Vec::new(),
        bound: None,
    };
    chart.write(out);
}

/// One in so many is slower.
fn percentile(one_in: f64) -> String {
    if one_in < 5.0 { "0".to_owned() } else { format!("{}", ((1.0 - 1.0 / one_in) * 1e8).round() / 1e6) }
}

fn over_time(report: &RunReport, action: &str, title: &str, out: &mut Markup) {
    if report.action(action).is_none() {
        return;
    }
    let of = |value: fn(&Beat) -> u64, fold: fn(&[f64]) -> f64| {
        let at = |moment: &Moment| moment.actions.get(action).map_or(f64::NAN, |beat| (value(beat) as f64 / 1000.0).max(0.001));
        thin(report.timeline.iter().map(|moment| (moment.at_s, at(moment))).collect(), fold)
    };
    let series = vec![
        Series { name: "p50".to_owned(), points: of(|beat| beat.p50_us, mean) },
        Series { name: "p99".to_owned(), points: of(|beat| beat.p99_us, most) },
        Series { name: "max".to_owned(), points: of(|beat| beat.max_us, most) },
    ];
    let y = Axis::tenfold(series.iter().flat_map(|line| line.points.iter().map(|point| point.1)).filter(|value| !value.is_nan()));
    timed(report, title, "ms, each second", y, series, None, out);
}

pub fn loads(report: &RunReport, out: &mut Markup) {
    out.element("h2", "", "Throughput").open("div", "charts");
    for (action, title) in [("deliver", "Deliveries"), ("post", "Posts acknowledged")] {
        if report.action(action).is_some() {
            let count = |moment: &Moment| moment.actions.get(action).map_or(0.0, |beat| beat.count as f64);
            one(report, title, "a second", action, count, None, out);
        }
    }
    one(report, "Connections", "at the end of each second", "connections", |moment| moment.connections as f64, None, out);
    one(report, "Requests without an answer", "at the end of each second", "under way", |moment| moment.unanswered as f64, None, out);
    out.close("div");
}

pub fn nodes(report: &RunReport, out: &mut Markup) {
    if report.timeline.iter().all(|moment| moment.nodes.is_empty()) {
        return;
    }
    out.open("div", "charts");
    for (title, unit, value) in [
        ("Processor", "% of one", (|moment, node| moment.nodes.get(node).map(|it| it.cpu_percent)) as fn(&Moment, usize) -> Option<f64>),
        ("Memory of its own", "MiB", |moment, node| moment.nodes.get(node).map(|it| it.memory_bytes as f64 / 1_048_576.0)),
    ] {
        let lines = report.server.nodes.iter().enumerate().map(|(place, node)| {
            let points = report.timeline.iter().map(|moment| (moment.at_s, value(moment, place).unwrap_or(f64::NAN)));
            Series { name: node.name.clone(), points: thin(points.collect(), mean) }
        });
        let series: Vec<_> = lines.collect();
        let y = Axis::from_zero(series.iter().flat_map(|line| line.points.iter().map(|point| point.1)).filter(|value| !value.is_nan()));
        timed(report, title, unit, y, series, None, out);
    }
    out.close("div");
}

pub fn generator(report: &RunReport, out: &mut Markup) {
    out.open("div", "charts");
    let lag = |moment: &Moment| moment.lag_p99_us as f64 / 1000.0;
    one(report, "Own lag, p99", "ms late", "lag", lag, Some(judge::LAG_US_MAX as f64 / 1000.0), out);
    let busy = |moment: &Moment| moment.generator_cpu_percent;
    one(report, "Own processor, the busiest worker", "% of one", "worker", busy, Some(judge::CPU_PERCENT_MAX), out);
    out.close("div");
}

fn one(report: &RunReport, title: &str, unit: &str, name: &str, of: impl Fn(&Moment) -> f64, bound: Option<f64>, out: &mut Markup) {
    let points = thin(report.timeline.iter().map(|moment| (moment.at_s, of(moment))).collect(), mean);
    let y = Axis::from_zero(points.iter().map(|point| point.1).chain(bound));
    timed(report, title, unit, y, vec![Series { name: name.to_owned(), points }], bound, out);
}

fn timed(report: &RunReport, title: &str, unit: &str, y: Axis, series: Vec<Series>, bound: Option<f64>, out: &mut Markup) {
    if report.timeline.is_empty() {
        return;
    }
    let end = report.timeline.last().map_or(1.0, |moment| moment.at_s);
    let x = Axis::even(0.0, end);
    let bands = report.phases.iter().filter(|phase| !phase.measured).map(|phase| (phase.from_s, phase.to_s)).collect();
    let marks = report.faults.iter().map(|fault| (fault.at_s, fault.until_s)).collect();
    Chart { title, unit, x, y, x_label: short, x_title: "seconds of the run", series, bands, marks, bound }.write(out);
}
