//! What a reader of the page must see, and what the page must not do.

use super::*;
use crate::measure::{Deed, Tally};
use crate::report::{Fault, Moment, Node, NodeMoment, Offence, Offending, Phase, ScenarioEcho, Threshold};

fn report() -> RunReport {
    let mut tally = Tally::default();
    (1..2_000).for_each(|n| tally.done(Deed::Deliver, n * 7, n * 7));
    let moment = |n: u32| Moment {
        at_s: f64::from(n) + 1.0,
        actions: tally.beats().collect(),
        nodes: vec![NodeMoment { cpu_percent: 50.0, memory_bytes: 1 << 24 }],
        ..Moment::default()
    };
    RunReport {
        verdict: Verdict::Green,
        scenario: ScenarioEcho { name: "<b>town".into(), toml: "about = \"</pre><script>\"".into(), ..ScenarioEcho::default() },
        server: crate::report::Server { nodes: vec![Node { name: "node & co".into(), ..Node::default() }], ..Default::default() },
        phases: vec![Phase { name: "warm".into(), to_s: 2.0, ..Phase::default() }],
        faults: vec![Fault { name: "kill".into(), at_s: 3.0, until_s: Some(4.0), detail: String::new() }],
        actions: tally.actions(10.0),
        timeline: (0..10).map(moment).collect(),
        thresholds: vec![Threshold { name: "deliver.intended.p99_ms".into(), bound: 5.0, found: Some(13.8), met: Some(false) }],
        ..RunReport::default()
    }
}

fn red() -> RunReport {
    let mut report = report();
    report.verdict = Verdict::Red;
    report.integrity.lost = 3;
    let what = "user 7 never got seq 41: \"<img>\"".to_owned();
    report.integrity.offences = vec![Offence { kind: Offending::Lost, room: "r-1".into(), seq: Some(41), what }];
    report
}

#[test]
fn nothing_is_loaded_or_run_and_nothing_of_a_run_is_markup() {
    for page in [page(&report()), page(&red()), comparison(&crate::report::compare::compare(&[report()], &[red()]), &[report()], &[red()])]
    {
        for bad in ["<script", "<img", "<b>town", "<link", "http:", "https:", "url(", "@import", "src=", "href=", "onload"] {
            assert!(!page.contains(bad), "the page has {bad}");
        }
        assert!(page.contains("default-src 'none'"));
    }
}

#[test]
fn a_red_run_says_so_first_and_names_the_message() {
    let page = page(&red());
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("the page has no {text}"));
    assert!(page.contains("<title>RED: ") && at("<header class=\"red\">") < at("RED: a promise was broken"));
    assert!(at("RED: a promise was broken") < at("user 7 never got seq 41") && at("user 7 never got seq 41") < at("Percentile spectrum"));
    assert!(page.contains("2 more of these kinds were counted"));
}

#[test]
fn a_green_run_shows_its_charts_faults_thresholds_and_whether_it_is_certified() {
    let page = page(&report());
    for text in [
        "GREEN, and a threshold was missed",
        "Percentile spectrum",
        "class=\"fault\"",
        "not measured",
        "deliver.intended.p99_ms",
        "word missed",
        "Not certified: do not quote the times",
        "node &amp; co",
    ] {
        assert!(page.contains(text), "the page has no {text}");
    }
    assert!(!page.contains("header class=\"red\"") && !page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn a_report_in_which_nothing_happened_is_a_page_all_the_same() {
    let page = page(&RunReport::default());
    assert!(page.ends_with("</html>\n") && !page.contains("NaN"));
}

#[test]
fn a_moment_is_told_by_the_world_s_clock() {
    assert_eq!(moment(0), "1970-01-01 00:00 UTC");
    assert_eq!(moment(951_827_696_000), "2000-02-29 12:34 UTC");
    assert_eq!(moment(1_798_761_599_000), "2026-12-31 23:59 UTC");
}
