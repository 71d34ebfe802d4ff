//! Carries out a scenario against a node and reports what was found. The coordinator is here; a worker does the talking.
//!
//! Pure within it: `text`, `wire`, `ledger`, `books`, `offences`, `collect`, `user/core`, `user/hear`, `user/way`.

mod account;
mod audit;
mod books;
mod clock;
mod collect;
mod crew;
mod faults;
mod job;
mod ledger;
mod nodes;
mod offences;
mod slices;
mod stop;
pub mod text;
mod ticker;
mod user;
mod wire;
mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::RoomId;

pub use crew::{WorkerKind, worker_process};
pub use nodes::Watched;
pub use stop::Stop;

use crate::check::{self, Bounds};
use crate::client::{Api, Target, is_temporary};
use crate::history::{Entry, Recorder, Run};
use crate::measure::Tally;
use crate::people::{self, Person};
use crate::plan::Crowd;
use crate::report::{self, FORMAT, Machine, Moment, RunReport, ScenarioEcho, Server, Verdict};
use crate::scenario::{Scenario, Span};
use clock::{RunClock, unix_us};
use collect::Collected;
use crew::Crew;
use faults::Faults;
use job::{Job, Order, Outcome, Said};
use nodes::Reading;

/// How a scenario is to be carried out.
#[derive(Clone)]
pub struct Options {
    /// For the report.
    pub mode: String,
    pub address: SocketAddr,
    /// The node's process, if it is known.
    pub node: Option<Watched>,
    /// What the node's configuration differs in from its defaults, if this program started it.
    pub config: Vec<String>,
    pub workers: u32,
    pub worker_kind: WorkerKind,
    /// Where histories go; none: nothing is written.
    pub history: Option<PathBuf>,
    /// How long to wait for everything to have arrived when the phases are over.
    pub converge: Duration,
    /// Connections that each worker makes at a time: before the run, and in it.
    pub connecting_max: u32,
    pub reconnecting_max: u32,
    /// End with the first phase in which a threshold is missed.
    pub until_missed: bool,
    /// Ends it by hand.
    pub stop: Stop,
}

impl Options {
    pub fn new(mode: &str, address: SocketAddr) -> Self {
        Self {
            mode: mode.to_owned(),
            address,
            node: Watched::found(address),
            config: Vec::new(),
            workers: 1,
            worker_kind: WorkerKind::Process,
            history: None,
            converge: Duration::from_secs(30),
            connecting_max: 64,
            reconnecting_max: u32::MAX >> 8,
            until_missed: false,
            stop: Stop::default(),
        }
    }
}

/// What is going on, for who watches. Nothing depends on it.
#[derive(Clone, Debug)]
pub enum News {
    Preparing {
        what: &'static str,
        done: u32,
        all: u32,
    },
    /// The first phase begins, and all of them last so long.
    Begun {
        lasts_s: f64,
    },
    Second(Box<(Moment, Tally)>),
    Fault(report::Fault),
    Converging,
    Auditing,
}

pub type Tell<'a> = &'a (dyn Fn(News) + Sync);

/// Prepares people and rooms, runs all phases, waits until all has arrived, audits, and judges.
pub async fn run(scenario: &Scenario, options: &Options, tell: Tell<'_>) -> Result<RunReport> {
    let started_us = unix_us();
    let clock = RunClock::since(started_us);
    check_faults(scenario, options)?;
    let prepared = options.stop.or(prepare(scenario, options, tell)).await?;
    let workers = workers(scenario, options.workers);
    let (accounts, rooms) = (prepared.accounts.clone(), prepared.rooms.clone());
    let base = Job {
        scenario: scenario.clone(),
        worker: 0,
        workers,
        node: options.address,
        sources: prepared.sources,
        accounts,
        rooms,
        history: options.history.clone(),
        epoch_us: started_us,
        connecting_max: options.connecting_max,
        reconnecting_max: options.reconnecting_max,
        converge_us: options.converge.as_micros() as u64,
    };
    let mut crew = Crew::start(&base, options.worker_kind).await?;
    options.stop.or(connected(&mut crew, scenario.people.users, tell)).await?;
    let mut found = carry_out(scenario, options, &mut crew, clock, tell).await?;
    tell(News::Converging);
    let outcomes = converge(&prepared, options, &mut crew, &mut found).await?;
    drop(crew);
    let mut report = reported(scenario, options, found, outcomes, &prepared, started_us);
    report.server.version = match options.node.as_ref().and_then(Watched::version) {
        Some(version) => Some(version.to_owned()),
        None => protocol(options.address).await,
    };
    if let Some(folder) = &options.history {
        tell(News::Auditing);
        write_faults(folder, scenario, &report).context("the history could not be written whole")?;
        let verdict = check::check(&Run::read(folder)?, Bounds::default());
        report.integrity.history = Some(folder.display().to_string());
        report.integrity.checker = Some(verdict.to_string());
    }
    report.elapsed_s = clock.now_us() as f64 / 1e6;
    report.judge(&scenario.threshold);
    Ok(report)
}

/// As many as were asked for, and so many that each one's connections fit into what it may open.
fn workers(scenario: &Scenario, asked: u32) -> u32 {
    let files = u32::try_from(crate::process::raise_open_files()).unwrap_or(u32::MAX);
    let least = scenario.people.users.div_ceil(files.saturating_sub(FILES_SPARE).max(1));
    asked.max(least).clamp(1, scenario.people.accounts())
}

fn check_faults(scenario: &Scenario, options: &Options) -> Result<()> {
    let breaks = scenario.fault.iter().find(|fault| fault.kind.is_of_the_node());
    if let Some(fault) = breaks
        && !options.node.as_ref().is_some_and(Watched::is_breakable)
    {
        bail!("the scenario wants to `{}` the node, and this program did not start it: use --start", fault.kind.text());
    }
    Ok(())
}

struct Prepared {
    accounts: Vec<Person>,
    rooms: Vec<(RoomId, u64)>,
    crowd: Crowd,
    sources: Option<u32>,
}

async fn prepare(scenario: &Scenario, options: &Options, tell: Tell<'_>) -> Result<Prepared> {
    let crowd = Crowd::of(scenario);
    let target = Target::new(options.address);
    // Runs one after the other come from other addresses: sign-ups are bounded by address for hours.
    let sources = options.address.ip().is_loopback().then(|| rand::random_range(0..10_000_000));
    let all = scenario.people.accounts();
    let prefix = format!("load-{:08x}-", rand::random::<u32>());
    let signing_up = |done| tell(News::Preparing { what: "signing up", done, all });
    let accounts = people::sign_up(target, sources, &prefix, all, &signing_up).await?;
    let count = crowd.rooms.len() as u32;
    let making = |done| tell(News::Preparing { what: "making rooms", done, all: count });
    let members: Vec<_> = crowd.rooms.iter().map(|room| room.members.iter().map(|member| *member as usize).collect()).collect();
    let rooms = people::make_rooms(target, sources, &accounts, &members, &making).await?;
    Ok(Prepared { accounts, rooms, crowd, sources })
}

async fn connected(crew: &mut Crew, users: u32, tell: Tell<'_>) -> Result<()> {
    let mut done = vec![0; crew.workers() as usize];
    let mut connected = 0;
    while connected < crew.workers() {
        match crew.hear().await? {
            (worker, Said::Connecting { done: some }) => done[worker as usize] = some,
            (_, Said::Connected) => connected += 1,
            (_, said) => bail!("a worker spoke out of turn: {said:?}"),
        }
        tell(News::Preparing { what: "connecting", done: done.iter().sum(), all: users });
    }
    Ok(())
}

/// What the phases brought.
struct Found {
    collected: Collected,
    faults: Vec<report::Fault>,
    reading: Reading,
    /// The node's time over the measured seconds.
    node_cpu_us: u64,
    stopped_s: Option<f64>,
}

/// Open files of a worker that are no connections of users.
const FILES_SPARE: u32 = 500;
/// Between the order to begin and the first intended action.
const RUN_UP_US: u64 = 500_000;

async fn carry_out(scenario: &Scenario, options: &Options, crew: &mut Crew, clock: RunClock, tell: Tell<'_>) -> Result<Found> {
    let at_us = clock.now_us() + RUN_UP_US;
    crew.order(&Order::Go { at_us }).await?;
    tell(News::Begun { lasts_s: scenario.lasts_us() as f64 / 1e6 });
    let mut faults = Faults::of(scenario, options.node.clone(), clock, at_us);
    let (mut collected, mut reading) = (Collected::new(scenario, crew.workers()), Reading::default());
    if let Some(node) = &options.node {
        node.look(&mut reading, 1);
    }
    let (cpu_before, mut looked_us, mut quiet, mut stopped_s) = (reading.total_cpu_us(), clock.now_us(), 0, None);
    while quiet < crew.workers() {
        tokio::select! {
            said = crew.hear() => match said? {
                (_, Said::Second(second)) => {
                    let moment = collected.second(&second, || {
                        let over_us = clock.now_us() - std::mem::replace(&mut looked_us, clock.now_us());
                        options.node.iter().map(|node| node.look(&mut reading, over_us)).collect()
                    });
                    if let Some((moment, tally)) = moment {
                        if options.until_missed && is_missed(scenario, &collected, moment.at_s) {
                            collected.stop(moment.at_s);
                            crew.order(&Order::Stop).await?;
                        }
                        tell(News::Second(Box::new((moment, tally))));
                    }
                }
                (_, Said::Quiet { .. }) => quiet += 1,
                (_, said) => bail!("a worker spoke out of turn: {said:?}"),
            },
            () = options.stop.wanted(), if stopped_s.is_none() && quiet == 0 => {
                let now_s = clock.now_us().saturating_sub(at_us) as f64 / 1e6;
                stopped_s = Some(now_s);
                collected.stop(now_s);
                crew.order(&Order::Stop).await?;
            }
            step = faults.next(), if stopped_s.is_none() => match step? {
                faults::Step::Cut { share, away_us } => crew.order(&Order::Cut { share, away_us }).await?,
                faults::Step::Told(fault) => tell(News::Fault(fault)),
            },
        }
    }
    if let Some(node) = &options.node {
        node.look(&mut reading, 1);
    }
    let node_cpu_us = reading.total_cpu_us() - cpu_before;
    Ok(Found { collected, faults: faults.finish().await?, reading, node_cpu_us, stopped_s })
}

/// A phase ended, and it was one too many.
fn is_missed(scenario: &Scenario, collected: &Collected, at_s: f64) -> bool {
    collected.ended(at_s).is_some_and(|place| report::judge::why_not(&collected.phases()[place], &scenario.threshold).is_some())
}

/// Asks for the heads when nobody posts any more, and lets the workers wait for them and audit.
async fn converge(prepared: &Prepared, options: &Options, crew: &mut Crew, found: &mut Found) -> Result<Vec<Outcome>> {
    let heads = heads(prepared, options.address).await?;
    crew.order(&Order::Converge { heads }).await?;
    let mut outcomes = Vec::new();
    while outcomes.len() < crew.workers() as usize {
        match crew.hear().await? {
            (_, Said::Second(second)) => drop(found.collected.second(&second, Vec::new)),
            (_, Said::Done(outcome)) => outcomes.push(*outcome),
            (_, said) => bail!("a worker spoke out of turn: {said:?}"),
        }
    }
    Ok(outcomes)
}

async fn heads(prepared: &Prepared, address: SocketAddr) -> Result<Vec<u64>> {
    let asking = prepared.rooms.iter().zip(&prepared.crowd.rooms).map(|((room, base), plan)| async move {
        let reader = &prepared.accounts[plan.members[0] as usize];
        let mut api = Api::signed_in(
            Target { node: address, source: prepared.sources.map(|first| people::source(first, plan.members[0])) },
            &reader.tokens.access,
        );
        let mut tries = 0;
        loop {
            match api.page_after(*room, *base, 1).await {
                Ok(page) => return anyhow::Ok(page.head),
                // A run that is longer than a token lives.
                Err(error) if tries < 600 && is_temporary(&error) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(_) if tries == 0 => api = reader.reader(api.target).await?,
                Err(error) => return Err(error).context("the head of a room could not be read"),
            }
            tries += 1;
        }
    });
    stream::iter(asking).buffered(16).try_collect().await
}

fn reported(
    scenario: &Scenario,
    options: &Options,
    found: Found,
    outcomes: Vec<Outcome>,
    prepared: &Prepared,
    started_us: u64,
) -> RunReport {
    let Found { collected, faults, reading, node_cpu_us, stopped_s } = found;
    let integrity = collect::integrity(outcomes, prepared.rooms.len() as u64);
    let total = collected.total();
    let delivered: u64 = collected
        .phases()
        .iter()
        .flat_map(|phase| &phase.actions)
        .filter(|it| ["deliver", "replay"].contains(&it.name.as_str()))
        .map(|it| it.done)
        .sum();
    let nodes = options.node.iter().map(|node| node.told(&reading, node_cpu_us, delivered)).collect();
    let (phases, actions) = (collected.phases(), total.actions(collected.measured_s()));
    let generator = collected.generator(u64::from(scenario.people.users));
    let (timeline, slices) = collected.into_timeline();
    RunReport {
        format: FORMAT,
        id: format!("{started_us:x}"),
        mode: options.mode.clone(),
        started_ms: started_us / 1000,
        elapsed_s: 0.0,
        stopped_s,
        verdict: Verdict::Red,
        exit_code: report::judge::RED,
        scenario: ScenarioEcho {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            seed: scenario.seed,
            toml: scenario.to_toml(),
        },
        machine: machine(),
        server: Server { address: options.address.to_string(), version: None, config: options.config.clone(), nodes },
        phases,
        faults,
        actions,
        generator,
        timeline,
        slices,
        integrity,
        thresholds: Vec::new(),
        figures: Vec::new(),
    }
}

/// Into the history: what was to go wrong, and what did. A run whose faults did not happen proves nothing.
fn write_faults(folder: &std::path::Path, scenario: &Scenario, report: &RunReport) -> std::io::Result<()> {
    let mut recorder = Recorder::harness(folder)?;
    for fault in &scenario.fault {
        // What would have come after a run was ended by hand was not to happen.
        let until_s = report.stopped_s.unwrap_or(f64::INFINITY);
        let at_s = |n: u32| fault.at.seconds() + f64::from(n) * fault.every.map_or(0.0, Span::seconds);
        let times = (0..fault.times).filter(|n| at_s(*n) < until_s).count() as u32;
        recorder.write(0, &Entry::Plan { fault: fault.kind.text().to_owned(), times });
    }
    for fault in &report.faults {
        recorder.write((fault.at_s * 1e6) as u64, &Entry::Fault { fault: fault.name.clone() });
    }
    recorder.finish()
}

fn machine() -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        text.lines().find(|line| line.starts_with(key)).and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
    };
    let memory = value(&read("/proc/meminfo"), "MemTotal").and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    Machine {
        processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u32),
        model: value(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
        system: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        memory_bytes: memory.unwrap_or(0) * 1024,
    }
}

/// Of a node that only shows its public side: the version of its API.
async fn protocol(address: SocketAddr) -> Option<String> {
    let document: serde_json::Value = Api::nobody(Target::new(address)).call(hyper::Method::GET, "/openapi.json", None).await.ok()?;
    Some(format!("API version {}", document.pointer("/info/version")?.as_str()?))
}

/// Whether a history folder can be used: a run's history must not be mixed with another's.
pub fn check_history_folder(folder: &std::path::Path) -> Result<()> {
    let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!is_used, "{} is not empty: give a new folder for the history", folder.display());
    Ok(())
}
