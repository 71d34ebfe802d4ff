//! The text format, read back by its grammar.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::report::{Fault, NodeMoment};

/// Sample by name and labels. Panics: the text is not of the format.
fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut types) = (BTreeMap::new(), BTreeSet::new());
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type names its kind");
            assert!(["counter", "gauge", "histogram"].contains(&kind) && types.insert(name.to_owned()), "{line}");
            assert!(kind != "counter" || name.ends_with("_total"), "{line}");
            family = name.to_owned();
        } else if !line.starts_with("# HELP ") {
            let (key, value) = line.rsplit_once(' ').expect("a sample has a value");
            let name = key.split('{').next().unwrap_or(key);
            let is_of_family = name.strip_prefix(&family).is_some_and(|rest| ["", "_bucket", "_sum", "_count"].contains(&rest));
            assert!(is_of_family, "{line} is not under its type {family}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
            assert!(samples.insert(key.to_owned(), value.parse().expect("a number")).is_none(), "{line} is there twice");
        }
    }
    assert!(text.ends_with('\n'));
    samples
}

fn second(us: &[u64]) -> News {
    let mut tally = Tally::default();
    for us in us {
        tally.begun(Deed::Post);
        tally.done(Deed::Post, *us, *us);
        tally.lag.record(40);
    }
    let nodes = vec![NodeMoment { cpu_percent: 50.0, memory_bytes: 1024 }];
    News::Second(Box::new((Moment { at_s: 2.0, connections: 7, nodes, ..Moment::default() }, tally)))
}

#[test]
fn before_anything_happened_there_is_a_good_document() {
    let samples = read(&Exposition::default().text());
    assert_eq!(samples["hubbub_bench_actions_done_total{action=\"post\"}"], 0.0);
}

#[test]
fn counters_rise_and_histograms_hold_all_that_was_counted() {
    let mut exposition = Exposition::default();
    exposition.hear(&News::Begun { lasts_s: 3.0 });
    exposition.hear(&second(&[200, 900, 40_000]));
    exposition.hear(&second(&[60_000_000]));
    let fault = Fault { name: "a \"cut\"".into(), at_s: 1.0, ..Fault::default() };
    exposition.hear(&News::Fault(fault.clone()));
    exposition.hear(&News::Fault(Fault { until_s: Some(2.0), ..fault }));
    let samples = read(&exposition.text());
    assert_eq!(samples["hubbub_bench_actions_done_total{action=\"post\"}"], 4.0);
    let bucket = |le: &str| samples[&format!("hubbub_bench_latency_seconds_bucket{{action=\"post\",le=\"{le}\"}}")];
    assert_eq!(["0.00025", "0.001", "0.025", "0.05", "10", "+Inf"].map(bucket), [1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
    assert_eq!((samples["hubbub_bench_latency_seconds_count{action=\"post\"}"], samples["hubbub_bench_lag_seconds_count"]), (4.0, 4.0));
    assert!((samples["hubbub_bench_latency_seconds_sum{action=\"post\"}"] - 60.04).abs() < 0.1);
    assert_eq!(samples["hubbub_bench_faults_total{fault=\"a \\\"cut\\\"\"}"], 1.0);
    assert_eq!((samples["hubbub_bench_connections"], samples["hubbub_bench_node_memory_bytes{node=\"0\"}"]), (7.0, 1024.0));
}
