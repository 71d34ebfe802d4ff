//! Carries out a scenario against a node and reports what was found. The coordinator is here; a worker does the talking.
//!
//! Pure within it: `text`, `wire`, `ledger`, `books`, `offences`, `collect`, `user/core`, `user/hear`, `user/way`.

mod account;
mod audit;
mod books;
mod clock;
mod collect;
mod faults;
mod fleet;
mod job;
mod joined;
mod ledger;
mod nodes;
mod offences;
mod places;
mod prepare;
mod slices;
mod stop;
pub mod text;
mod ticker;
mod user;
mod wire;
mod worker;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub use fleet::{Guests, Hiring, KEY, WorkerKind, join};
pub use nodes::Watched;
pub use stop::Stop;

use crate::check::{self, Bounds};
use crate::client::{Api, Target, Trust};
use crate::group::Group;
use crate::history::{Entry, Recorder, Run};
use crate::measure::Tally;
use crate::report::{self, FORMAT, Machine, Moment, RunReport, ScenarioEcho, Server, Verdict};
use crate::scenario::{Needs, Scenario, Span};
use clock::{RunClock, unix_us};
use collect::Collected;
use faults::Faults;
use fleet::Fleet;
use job::{Order, Outcome, Said};
use nodes::Watch;
use prepare::prepare;

/// How a scenario is to be carried out.
#[derive(Clone)]
pub struct Options {
    /// For the report.
    pub mode: String,
    /// Nodes; several share nothing, unless they are a group, and people and rooms are dealt out among them. A fault of the
    /// node is then the first one's.
    pub addresses: Vec<SocketAddr>,
    /// Whom to believe when the nodes are spoken to by TLS; none: without it.
    pub trust: Option<Trust>,
    /// Their processes, as far as they are known.
    pub nodes: Vec<Watched>,
    /// What the nodes are together, if this program started them so: then people go to any of them.
    pub group: Option<Arc<Group>>,
    /// What the nodes' configuration differs in from its defaults, if this program started it.
    pub config: Vec<String>,
    pub hiring: Hiring,
    /// Where histories go; none: nothing is written.
    pub history: Option<PathBuf>,
    /// How long to wait for everything to have arrived when the phases are over.
    pub converge: Duration,
    /// Connections that each worker makes at a time: before the run, and in it.
    pub connecting_max: u32,
    pub reconnecting_max: u32,
    /// End with the first phase in which a threshold is missed.
    pub until_missed: bool,
    /// Connect only when nothing on the nodes is awake any more.
    pub until_asleep: bool,
    /// Ends it by hand.
    pub stop: Stop,
}

impl Options {
    pub fn new(mode: &str, address: SocketAddr) -> Self {
        Self {
            mode: mode.to_owned(),
            addresses: vec![address],
            trust: None,
            nodes: Watched::found(address).into_iter().collect(),
            group: None,
            config: Vec::new(),
            hiring: Hiring { workers: 1, kind: WorkerKind::Process, guests: None },
            history: None,
            converge: Duration::from_secs(30),
            connecting_max: 64,
            reconnecting_max: u32::MAX >> 8,
            until_missed: false,
            until_asleep: false,
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
    /// Something has to be done by hand.
    Wanted(String),
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
    let scenario = &dealt(scenario, options)?;
    let prepared = options.stop.or(prepare(scenario, options, tell)).await?;
    let hiring = Hiring { workers: workers(scenario, options.hiring), ..options.hiring };
    let job = |worker| prepared.job(scenario, options, worker, hiring.all(), started_us);
    if options.until_asleep {
        for node in &options.nodes {
            node.asleep().await?;
        }
    }
    let watch = Watch::over(&options.nodes);
    let mut fleet = Fleet::start(hiring, job, |wanted| tell(News::Wanted(wanted))).await?;
    options.stop.or(connected(&mut fleet, scenario.people.users, tell)).await?;
    let mut found = carry_out(scenario, options, &mut fleet, watch, clock, tell).await?;
    tell(News::Converging);
    let outcomes = converge(prepared.rooms.len(), &mut fleet, &mut found).await?;
    drop(fleet);
    let mut report = reported(scenario, options, found, outcomes, prepared.rooms.len(), started_us);
    report.server.version = match options.nodes.first().and_then(Watched::version) {
        Some(version) => Some(version.to_owned()),
        None => protocol(prepared.places.open()?.node(options.addresses[0])).await,
    };
    if let Some(folder) = &options.history {
        tell(News::Auditing);
        write_faults(folder, scenario, &report).context("the history could not be written whole")?;
        let bounds = if options.group.is_some() { Bounds::of_a_group() } else { Bounds::default() };
        let verdict = check::check(&Run::read(folder)?, bounds);
        report.integrity.history = Some(folder.display().to_string());
        report.integrity.checker = Some(verdict.to_string());
    }
    report.elapsed_s = clock.now_us() as f64 / 1e6;
    report.judge(&scenario.threshold);
    Ok(report)
}

/// The scenario over as many nodes as there are. Errors: it does not fit, or wants what cannot be done to them.
fn dealt(scenario: &Scenario, options: &Options) -> Result<Scenario> {
    ensure!(!options.addresses.is_empty(), "a run needs a node");
    for fault in &scenario.fault {
        let (has, how) = match &options.group {
            Some(group) if group.has_net() => (Needs::Net, ""),
            Some(_) => (Needs::Group, "--net"),
            None if options.nodes.first().is_some_and(Watched::is_breakable) => (Needs::Node, "--group"),
            None => (Needs::Nothing, ""),
        };
        let (name, needs) = (fault.kind.text(), fault.kind.needs());
        ensure!(
            needs == Needs::Nothing || has != Needs::Nothing,
            "the scenario wants to `{name}` the node, and this program did not start it: use --start"
        );
        ensure!(needs <= has, "the scenario wants `{name}`, and this run has no {}: use {how}", needs.text());
    }
    ensure!(!scenario.tls || options.trust.is_some(), "the scenario wants TLS: name the node with https://");
    if options.hiring.guests.is_some() && options.history.is_some() {
        bail!("workers from elsewhere write their histories elsewhere: leave out --history, or use --workers alone");
    }
    let mut scenario = scenario.clone();
    scenario.people.nodes = Some(options.addresses.len() as u32).filter(|nodes| *nodes > 1 && options.group.is_none());
    Scenario::read(&scenario.to_toml()).map_err(|mistakes| anyhow::anyhow!("{}", mistakes[0].what))
}

/// As many as were asked for, and so many that each one's connections fit into what it may open.
fn workers(scenario: &Scenario, hiring: Hiring) -> u32 {
    let files = u32::try_from(crate::process::raise_open_files()).unwrap_or(u32::MAX);
    let least = scenario.people.users.div_ceil(files.saturating_sub(FILES_SPARE).max(1));
    let guests = hiring.all() - hiring.workers;
    hiring.workers.max(least.saturating_sub(guests)).clamp(1, scenario.people.accounts().saturating_sub(guests).max(1))
}

async fn connected(fleet: &mut Fleet, users: u32, tell: Tell<'_>) -> Result<()> {
    let mut done = vec![0; fleet.workers() as usize];
    let mut connected = 0;
    while connected < fleet.workers() {
        match fleet.hear().await? {
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
    watch: Watch,
    stopped_s: Option<f64>,
}

/// Open files of a worker that are no connections of users.
const FILES_SPARE: u32 = 500;
/// Between the order to begin and the first intended action.
const RUN_UP_US: u64 = 500_000;

async fn carry_out(
    scenario: &Scenario,
    options: &Options,
    fleet: &mut Fleet,
    mut watch: Watch,
    clock: RunClock,
    tell: Tell<'_>,
) -> Result<Found> {
    let at_us = clock.now_us() + RUN_UP_US;
    fleet.order(&Order::Go { at_us }).await?;
    tell(News::Begun { lasts_s: scenario.lasts_us() as f64 / 1e6 });
    let mut faults = Faults::of(scenario, options, clock, at_us);
    let (mut collected, mut quiet, mut stopped_s) = (Collected::new(scenario, fleet.workers()), 0, None);
    watch.begin(clock.now_us());
    while quiet < fleet.workers() {
        tokio::select! {
            said = fleet.hear() => match said? {
                (_, Said::Second(second)) => {
                    let moment = collected.second(&second, || watch.look(clock.now_us()));
                    if let Some((moment, tally)) = moment {
                        if options.until_missed && is_missed(scenario, &collected, moment.at_s) {
                            collected.stop(moment.at_s);
                            fleet.order(&Order::Stop).await?;
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
                fleet.order(&Order::Stop).await?;
            }
            step = faults.next(), if stopped_s.is_none() => match step? {
                faults::Step::Cut { share, away_us } => fleet.order(&Order::Cut { share, away_us }).await?,
                faults::Step::Told(fault) => tell(News::Fault(fault)),
            },
        }
    }
    watch.look(clock.now_us());
    Ok(Found { collected, faults: faults.finish().await?, watch, stopped_s })
}

/// A phase ended, and it was one too many.
fn is_missed(scenario: &Scenario, collected: &Collected, at_s: f64) -> bool {
    collected.ended(at_s).is_some_and(|place| report::judge::why_not(&collected.phases()[place], &scenario.threshold).is_some())
}

/// Asks for the heads when nobody posts any more, and lets the workers wait for them and audit.
async fn converge(rooms: usize, fleet: &mut Fleet, found: &mut Found) -> Result<Vec<Outcome>> {
    fleet.order(&Order::Heads).await?;
    let (mut heads, mut told) = (vec![0; rooms], 0);
    while told < fleet.workers() {
        match fleet.hear().await? {
            (_, Said::Heads(some)) => {
                told += 1;
                some.into_iter().for_each(|(room, head)| heads[room as usize] = head);
            }
            (_, said) => bail!("a worker spoke out of turn: {said:?}"),
        }
    }
    fleet.order(&Order::Converge { heads }).await?;
    let mut outcomes = Vec::new();
    while outcomes.len() < fleet.workers() as usize {
        match fleet.hear().await? {
            (_, Said::Second(second)) => drop(found.collected.second(&second, Vec::new)),
            (_, Said::Done(outcome)) => outcomes.push(*outcome),
            (_, said) => bail!("a worker spoke out of turn: {said:?}"),
        }
    }
    Ok(outcomes)
}

fn reported(scenario: &Scenario, options: &Options, found: Found, outcomes: Vec<Outcome>, rooms: usize, started_us: u64) -> RunReport {
    let Found { collected, faults, watch, stopped_s } = found;
    let integrity = collect::integrity(outcomes, rooms as u64);
    let total = collected.total();
    let delivered: u64 = collected
        .phases()
        .iter()
        .flat_map(|phase| &phase.actions)
        .filter(|it| ["deliver", "replay"].contains(&it.name.as_str()))
        .map(|it| it.done)
        .sum();
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
        server: Server {
            address: options.addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", "),
            version: None,
            config: options.config.clone(),
            nodes: watch.told(delivered),
        },
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
        if times > 0 {
            recorder.write(0, &Entry::Plan { fault: fault.kind.text().to_owned(), times });
        }
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
async fn protocol(node: Target) -> Option<String> {
    let document: serde_json::Value = Api::nobody(node).call(hyper::Method::GET, "/openapi.json", None).await.ok()?;
    Some(format!("API version {}", document.pointer("/info/version")?.as_str()?))
}

/// Whether a history folder can be used: a run's history must not be mixed with another's.
pub fn check_history_folder(folder: &std::path::Path) -> Result<()> {
    let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!is_used, "{} is not empty: give a new folder for the history", folder.display());
    Ok(())
}
