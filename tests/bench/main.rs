//! The load harness against a real node: green when the node keeps its promises, red, with the message named, when something
//! between them breaks one. The broken servers are a proxy's doing; the product has no such code.

mod proxy;

use std::path::Path;

use loadtest::process::{self, Process};
use loadtest::report::{Offending, RunReport, Verdict};
use loadtest::run::{self, Options, Watched, WorkerKind};
use loadtest::scenario::Scenario;
use proxy::{Mischief, Proxy};

const SCENARIO: &str = r#"
name = "small"
[people]
users = 12
[[rooms]]
count = 3
members = 6
[persona.chatter]
per_minute = 240
actions = { post = 6, edit = 1, react = 1, read = 1, page = 1 }
[[phase]]
name = "talk"
lasts = "2s"
"#;

fn scenario(more: &str) -> Scenario {
    Scenario::read(&format!("{SCENARIO}{more}")).unwrap()
}

async fn start(folder: &Path) -> Process {
    Process::start(Path::new(env!("CARGO_BIN_EXE_hubbub")), folder, &process::unbounded_keys(), None).await.unwrap()
}

async fn run(scenario: &Scenario, options: &Options) -> RunReport {
    run::run(scenario, options, &|_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_killed_and_paused_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let process = start(&folder.path().join("node")).await;
    let address = process.target().node;
    let faults = "[[fault]]\ndo = \"cut\"\nat = \"300ms\"\naway = \"200ms\"\n[[fault]]\ndo = \"kill\"\nat = \"900ms\"\n\
                  [[fault]]\ndo = \"pause\"\nat = \"1500ms\"\naway = \"100ms\"\n";
    let mut scenario = scenario(faults);
    scenario.codec = loadtest::scenario::Codec::Mixed;
    let mut options = Options::new("run", address);
    options.node = Some(Watched::started(process).await);
    options.history = Some(folder.path().join("history"));
    let report = run(&scenario, &options).await;
    assert_eq!(report.verdict, Verdict::Green, "{:#?}", report.integrity);
    let it = &report.integrity;
    assert!(it.asked > 50 && it.acked == it.asked && it.delivered == it.due && it.due >= it.acked * 6, "{it:#?}");
    assert_eq!((it.rooms_audited, report.faults.len(), report.faults.iter().filter(|fault| fault.until_s.is_some()).count()), (3, 3, 2));
    assert!(it.checker.as_ref().is_some_and(|said| said.contains("every rule holds")), "{:?}", it.checker);
    let read: RunReport = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!((&read.integrity, read.actions.len(), read.timeline.len()), (it, report.actions.len(), report.timeline.len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_count_what_one_would_count() {
    let folder = tempfile::tempdir().unwrap();
    let process = start(folder.path()).await;
    let mut options = Options::new("run", process.target().node);
    let one = run(&scenario(""), &options).await;
    (options.workers, options.worker_kind) = (3, WorkerKind::Thread);
    let three = run(&scenario(""), &options).await;
    assert_eq!((one.verdict, three.verdict), (Verdict::Green, Verdict::Green), "{:#?}", three.integrity);
    let counts =
        |report: &RunReport| (report.integrity.asked, report.integrity.due, report.integrity.delivered, report.integrity.receivers);
    assert_eq!(counts(&one), counts(&three));
    assert_eq!(three.generator.workers, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_broken_promise_makes_the_run_red_and_names_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let process = start(folder.path()).await;
    let node = process.target().node;
    let broken = [
        (Mischief::AckWithoutKeeping, Offending::Lost),
        (Mischief::TakeTwice, Offending::Doubled),
        (Mischief::SendTwice, Offending::Doubled),
        (Mischief::Swap, Offending::Reordered),
        (Mischief::SwapLandings, Offending::Reordered),
        (Mischief::Leave, Offending::Lost),
        (Mischief::Leak, Offending::Unauthorised),
        (Mischief::OpenDoor, Offending::Unauthorised),
    ];
    let runs = broken.map(|(mischief, kind)| async move {
        let proxy = Proxy::start(node, mischief).await;
        let report = run(&scenario(""), &Options::new("run", proxy.address)).await;
        let blamed = proxy.blamed().unwrap_or_else(|| panic!("{mischief:?} found no occasion"));
        assert_eq!((report.verdict, report.exit_code), (Verdict::Red, 1), "{mischief:?}");
        let offences = &report.integrity.offences;
        assert!(offences.iter().any(|it| it.kind == kind && it.what.contains(&blamed)), "{mischief:?} with {blamed}: {offences:#?}");
    });
    futures_util::future::join_all(runs).await;
}
