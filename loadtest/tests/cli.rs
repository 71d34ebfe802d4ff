//! The program from outside: exit codes, and that a mistake is answered by one sentence that helps. What needs a node is in
//! the workspace's `tests/bench`.

use std::path::Path;
use std::process::{Command, Output};

use loadtest::measure::{Deed, Latencies, Tally};
use loadtest::report::{FORMAT, Figure, RunReport, Slice, Sliced, Verdict};

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hubbub-bench")).args(arguments).output().unwrap()
}

/// The exit code and what was said about it.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = bench(arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A report in which posts took so long.
fn write_report(path: &Path, post_us: u64) {
    let mut tally = Tally::default();
    let slices = (0..10).map(|slice| {
        let mut latencies = Latencies::default();
        for n in 0..200 {
            let us = post_us + n + slice;
            tally.done(Deed::Post, us, us);
            latencies.record(us);
        }
        let sliced = Sliced { count: latencies.count(), hdr: latencies.hdr() };
        Slice { from_s: slice as f64, to_s: slice as f64 + 1.0, actions: [("post".to_owned(), sliced)].into() }
    });
    let slices = slices.collect();
    let report = RunReport {
        format: FORMAT,
        mode: "run".into(),
        verdict: Verdict::Green,
        actions: tally.actions(10.0),
        slices,
        figures: vec![Figure { name: "x".into(), value: 1.0, unit: "s".into(), less_is_better: true, detail: String::new() }],
        ..RunReport::default()
    };
    std::fs::write(path, serde_json::to_vec(&report).unwrap()).unwrap();
}

#[test]
fn a_scenario_that_is_not_there_is_answered_with_those_that_are() {
    let (code, why) = said(&["run", "nowhere"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("nowhere is neither a file nor a scenario in the box: those are quick, storm"), "{why}");
}

#[test]
fn a_mistake_in_a_scenario_is_named_by_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let good = include_str!("../scenarios/jitter.toml");
    std::fs::write(&file, good.replace("users = 500", "users = 0")).unwrap();
    let (code, why) = said(&["run", text(&file)]);
    assert_eq!(code, Some(1));
    assert!(why.contains("mine.toml, line 6, `people.users`: a run needs at least one user"), "{why}");
    std::fs::write(&file, good.replace("think", "thing")).unwrap();
    let (code, why) = said(&["run", text(&file)]);
    assert!(code == Some(1) && why.contains("unknown field `thing`"), "{why}");
}

#[test]
fn a_node_that_is_not_there_is_answered_with_what_to_do() {
    let (code, why) = said(&["quick", "--node", "127.0.0.1:1"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("nobody answers at 127.0.0.1:1: start a node with `cargo xtask up`"), "{why}");
}

#[test]
fn a_fault_of_a_node_that_we_did_not_start_is_refused() {
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, why) = said(&["run", "chaos", "--node", &listening.local_addr().unwrap().to_string()]);
    assert!(code == Some(1) && why.contains("the scenario wants to `kill` the node, and this program did not start it"), "{why}");
}

#[test]
fn a_run_that_became_worse_by_more_than_was_allowed_ends_with_99() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.json"), folder.path().join("b.json"));
    write_report(&first, 10_000);
    write_report(&second, 20_000);
    let compare = |from: &Path, to: &Path, most: &str| bench(&["compare", text(from), text(to), "--worse-max", most]).status.code();
    assert_eq!(compare(&first, &second, "10"), Some(99));
    assert_eq!(compare(&first, &second, "300"), Some(0));
    assert_eq!(compare(&second, &first, "10"), Some(0));
    let shown = String::from_utf8(bench(&["compare", text(&first), text(&second)]).stdout).unwrap();
    assert!(shown.contains("post p50 ms") && shown.contains("WORSE"), "{shown}");
    let (code, why) = said(&["compare", text(&first)]);
    assert!(code == Some(1) && why.contains("A1 A2 --with B1 B2"), "{why}");
    let page = folder.path().join("page.html");
    let sides = ["compare", text(&first), text(&first), "--html", text(&page), "--with", text(&second), text(&second)];
    assert_eq!(bench(&sides).status.code(), Some(0));
    assert!(std::fs::read_to_string(page).unwrap().contains("figures are worse"));
}

#[test]
fn the_page_of_a_run_is_made_again_from_its_json() {
    let folder = tempfile::tempdir().unwrap();
    let (file, page) = (folder.path().join("run.json"), folder.path().join("run.html"));
    write_report(&file, 10_000);
    assert_eq!(bench(&["report", text(&file)]).status.code(), Some(0));
    assert!(std::fs::read_to_string(page).unwrap().contains("GREEN: nothing was lost"));
    std::fs::write(&file, "{}").unwrap();
    let (code, why) = said(&["report", text(&file)]);
    assert!(code == Some(1) && why.contains("run.json is no report of a run"), "{why}");
}

#[test]
fn a_history_that_breaks_a_rule_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.jsonl");
    std::fs::write(&file, "[1,{\"plan\":{\"fault\":\"kill\",\"times\":1}}]\n").unwrap();
    assert_eq!(bench(&["check", text(&file)]).status.code(), Some(1));
}

#[test]
fn a_log_without_requests_of_people_makes_no_persona() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    std::fs::write(&file, "nonsense\n").unwrap();
    let (code, why) = said(&["record", text(&file)]);
    assert!(code == Some(1) && why.contains("none of 1 lines is a request that a persona could make"), "{why}");
}
