//! The load harness against a real node: green when the node keeps its promises, red, with the message named, when something
//! between them breaks one. The broken servers are a proxy's doing; the product has no such code.

#[path = "../edge/certificate.rs"]
mod certificate;
mod proxy;

use std::path::Path;

use loadtest::client::Trust;
use loadtest::process::{self, Process};
use loadtest::report::{Offending, RunReport, Verdict};
use loadtest::run::{self, Guests, Hiring, News, Options, Watched, WorkerKind};
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

fn several(workers: u32) -> Hiring {
    Hiring { workers, kind: WorkerKind::Thread, guests: None }
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
    options.nodes = vec![Watched::started(process).await];
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
    options.hiring = several(3);
    options.history = Some(folder.path().join("history"));
    let three = run(&scenario(""), &options).await;
    assert_eq!((one.verdict, three.verdict), (Verdict::Green, Verdict::Green), "{:#?}", three.integrity);
    let counts =
        |report: &RunReport| (report.integrity.asked, report.integrity.due, report.integrity.delivered, report.integrity.receivers);
    assert_eq!(counts(&one), counts(&three));
    assert_eq!(three.generator.workers, 3);
    // Who received with one worker what another's users posted is one history.
    assert!(three.integrity.checker.as_ref().is_some_and(|said| said.contains("every rule holds")), "{:?}", three.integrity.checker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_everything_is_counted_as_well_and_who_is_not_believed_is_not_spoken_to() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own"), folder.path().join("other"));
    for folder in [&own, &other] {
        std::fs::create_dir(folder).unwrap();
        certificate::write_certificate(folder);
    }
    let mut keys = process::unbounded_keys();
    for (key, file) in [("tls_cert", "chain.pem"), ("tls_key", "key.pem")] {
        keys.push(("listen", key, format!("{:?}", own.join(file).display().to_string())));
    }
    let process = Process::start(Path::new(env!("CARGO_BIN_EXE_hubbub")), &folder.path().join("node"), &keys, None).await.unwrap();
    let mut options = Options::new("run", process.target().node);
    let mut scenario = scenario("[[fault]]\ndo = \"cut\"\nat = \"500ms\"\naway = \"200ms\"\n");
    scenario.tls = true;
    let why = run::run(&scenario, &options, &|_| {}).await.unwrap_err().to_string();
    assert_eq!(why, "the scenario wants TLS: name the node with https://");
    for trust in [Trust::of("localhost", Some(&own.join("chain.pem"))).unwrap(), Trust::anybody("localhost")] {
        options.trust = Some(trust);
        let it = run(&scenario, &options).await;
        assert_eq!(it.verdict, Verdict::Green, "{:#?}", it.integrity);
        assert!(it.integrity.acked > 50 && it.integrity.delivered == it.integrity.due, "{:#?}", it.integrity);
    }
    for refused in
        [Trust::of("localhost", Some(&other.join("chain.pem"))).unwrap(), Trust::of("else.where", Some(&own.join("chain.pem"))).unwrap()]
    {
        options.trust = Some(refused);
        let why = format!("{:#}", run::run(&scenario, &options, &|_| {}).await.unwrap_err());
        assert!(why.contains("the node could not show by TLS that it is the one that was meant"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_rooms_are_dealt_out_among_nodes_that_share_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (start(&folder.path().join("1")).await, start(&folder.path().join("2")).await);
    let mut options = Options::new("run", first.target().node);
    options.addresses.push(second.target().node);
    (options.nodes, options.hiring) = (vec![Watched::started(first).await, Watched::started(second).await], several(2));
    let report = run(&scenario(""), &options).await;
    let it = &report.integrity;
    assert_eq!((report.verdict, it.rooms, it.receivers, it.rooms_audited), (Verdict::Green, 3, 12, 3), "{it:#?}");
    assert!(it.acked > 50 && it.delivered == it.due && it.due >= it.acked * 6, "{it:#?}");
    assert!(report.server.nodes.len() == 2 && report.server.nodes.iter().all(|node| node.memory_bytes_before > 0));
    let too_large = SCENARIO.replace("members = 6", "members = 7");
    let why = run::run(&Scenario::read(&too_large).unwrap(), &options, &|_| {}).await.unwrap_err().to_string();
    assert_eq!(why, "7 members cannot be had from 6 accounts on each of 2 nodes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_ends_the_run_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let process = start(folder.path()).await;
    let mut options = Options::new("run", process.target().node);
    options.hiring = Hiring { guests: Some(Guests { listen: ([127, 0, 0, 1], 0).into(), count: 1 }), ..several(1) };
    // The guest lives in a runtime of its own, and goes with it.
    let guest = std::sync::Mutex::new(None);
    let tell = |news| match news {
        News::Wanted(how) => {
            let words: Vec<_> = how.split_whitespace().collect();
            let after = |flag| words[words.iter().position(|word| *word == flag).unwrap() + 1].trim_end_matches('`').to_owned();
            let (coordinator, key) = (after("--coordinator").parse().unwrap(), after("--key"));
            let (die, died) = tokio::sync::oneshot::channel::<()>();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    tokio::select! {
                        _ = died => {}
                        joined = run::join(coordinator, &key) => joined.unwrap(),
                    }
                });
            });
            *guest.lock().unwrap() = Some(die);
        }
        News::Second(_) => drop(guest.lock().unwrap().take()),
        _ => {}
    };
    let why = run::run(&scenario(""), &options, &tell).await.unwrap_err().to_string();
    assert!(why.starts_with("worker 1 is gone: its line to the coordinator ended, in the middle of the run"), "{why}");
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
    // Also when sender and receivers belong to different workers.
    let runs = broken.iter().flat_map(|it| [1, 2].map(|workers| (*it, workers))).map(|((mischief, kind), workers)| async move {
        let proxy = Proxy::start(node, mischief).await;
        let options = Options { hiring: several(workers), ..Options::new("run", proxy.address) };
        let report = run(&scenario(""), &options).await;
        let blamed = proxy.blamed().unwrap_or_else(|| panic!("{mischief:?} found no occasion"));
        assert_eq!((report.verdict, report.exit_code), (Verdict::Red, 1), "{mischief:?}");
        let offences = &report.integrity.offences;
        assert!(offences.iter().any(|it| it.kind == kind && it.what.contains(&blamed)), "{mischief:?} with {blamed}: {offences:#?}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_ended_by_hand_is_audited_and_reported_as_far_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let process = start(&folder.path().join("node")).await;
    let mut options = Options::new("run", process.target().node);
    options.history = Some(folder.path().join("history"));
    let fault = "[[fault]]\ndo = \"cut\"\nat = \"59m\"\n";
    let scenario = Scenario::read(&format!("{}{fault}", SCENARIO.replace("\"2s\"", "\"1h\""))).unwrap();
    let stop = options.stop.clone();
    let at_the_first_second = |news: run::News| {
        if let run::News::Second(_) = news {
            stop.now();
        }
    };
    let report = run::run(&scenario, &options, &at_the_first_second).await.unwrap();
    assert_eq!((report.verdict, report.faults.len()), (Verdict::Green, 0), "{:#?}", report.integrity);
    let stopped_s = report.stopped_s.expect("it says where it was ended");
    assert!((1.0..3_000.0).contains(&stopped_s), "{stopped_s}");
    let it = &report.integrity;
    assert!(it.acked > 5 && it.delivered == it.due && it.rooms_audited == 3, "{it:#?}");
    let told: f64 = report.phases.iter().map(|phase| phase.to_s - phase.from_s).sum();
    assert!((told - stopped_s).abs() < 1.0 && !report.slices.is_empty(), "{told} of {stopped_s}");
}
