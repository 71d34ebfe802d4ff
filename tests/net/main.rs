//! A group of nodes and its store process, each in a network namespace of its own, under load: something goes wrong, is
//! healed, and every rule of the checker holds over what all devices wrote down. One row a fault.
//!
//! `cargo test --workspace --test net -- small` (or `all`, or names) runs them; without words it names them, for they need
//! root and take minutes. `cargo xtask test` runs `small` as its part `net`. NET_REPORTS names a folder for the reports.

mod rows;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use loadtest::group::{Group, Plan, net};
use loadtest::process;
use loadtest::report::{RunReport, Verdict};
use loadtest::run::{self, Hiring, Options, WorkerKind};
use rows::Row;

/// What the part `net` takes for "this machine cannot": see the `power` part.
const UNABLE: u8 = 77;
/// Whatever the fault is: a run that takes longer hangs.
const ROW_MAX: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen: Vec<_> = rows::ALL.iter().filter(|row| words.iter().any(|word| row.is_meant(word))).collect();
    if let Some(word) = words.iter().find(|word| !rows::ALL.iter().any(|row| row.is_meant(word))) {
        eprintln!("there is no fault `{word}`: without words this program names them");
        return ExitCode::FAILURE;
    }
    if chosen.is_empty() {
        rows::ALL.iter().for_each(|row| println!("{:<14} {}{}", row.name, row.promises, if row.small { " (small)" } else { "" }));
        return ExitCode::SUCCESS;
    }
    if let Err(why) = net::lack() {
        println!("{why}");
        return ExitCode::from(UNABLE);
    }
    process::raise_open_files();
    let failed = chosen.iter().filter(|row| !told(row)).count();
    println!("{} passed, {failed} failed", chosen.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(row: &'static Row) -> bool {
    let begun = Instant::now();
    // A thread of its own: it enters the network of its group, and this one stays where it is.
    let carried = std::thread::spawn(move || carry_out(row)).join();
    let carried = carried.unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked")));
    let took_s = begun.elapsed().as_secs_f64();
    match &carried {
        Ok(said) => println!("{}: {} ... ok in {took_s:.1} s: {said}", row.name, row.promises),
        Err(why) => println!("{}: {} ... FAILED in {took_s:.1} s: {why:#}", row.name, row.promises),
    }
    carried.is_ok()
}

/// Returns what was counted.
fn carry_out(row: &Row) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    // The group has to be there before the threads that are to be in its network.
    let own = |(section, key, value): process::Key<'_>| (section.to_owned(), key.to_owned(), value);
    let keys = process::unbounded_keys().into_iter().map(own).collect();
    let plan = Plan { nodes: row.nodes, spare: 1, net: true, clocks: row.clocks, keys, weights: Vec::new(), cpus: None };
    let binary = Path::new(env!("CARGO_BIN_EXE_hubbub"));
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let group = Arc::new(local.block_on(Group::start(binary, folder.path(), plan))?);
    let report = runtime()?.block_on(async { tokio::time::timeout(ROW_MAX, run(row, &group, folder.path())).await });
    let report = report.map_err(anyhow::Error::from).and_then(|report| report);
    let judged = report.and_then(|report| judged(&report));
    if judged.is_err() {
        let words = local.block_on(group.last_words());
        drop(group);
        return judged.with_context(|| format!("what was written down is in {}\n{words}", folder.keep().display()));
    }
    judged
}

async fn run(row: &Row, group: &Arc<Group>, folder: &Path) -> Result<RunReport> {
    let addresses = group.addresses().await?;
    let first = *addresses.first().context("a group has nodes")?;
    let options = Options {
        addresses,
        nodes: group.nodes(),
        group: Some(group.clone()),
        hiring: Hiring { workers: 1, kind: WorkerKind::Thread, guests: None },
        history: Some(folder.join("history")),
        converge: Duration::from_secs(60),
        ..Options::new("net", first)
    };
    let report = run::run(&row.scenario(), &options, &|_| {}).await?;
    if let Some(reports) = std::env::var_os("NET_REPORTS") {
        std::fs::create_dir_all(&reports)?;
        std::fs::write(Path::new(&reports).join(format!("{}.html", row.name)), loadtest::report::html::page(&report))?;
    }
    Ok(report)
}

fn judged(report: &RunReport) -> Result<String> {
    let it = &report.integrity;
    ensure!(report.verdict == Verdict::Green, "{it:#?}");
    let checker = it.checker.as_deref().unwrap_or("no history was judged");
    ensure!(checker.contains("every rule holds"), "{checker}");
    if let Some(fault) = report.faults.iter().find(|fault| fault.until_s.is_none()) {
        bail!("{} was not over", fault.name);
    }
    ensure!(it.asked > 100 && it.acked == it.asked && it.unknown == 0, "{it:#?}");
    let healed: Vec<_> = report.faults.iter().map(|fault| format!("{:.1}", fault.until_s.unwrap_or_default() - fault.at_s)).collect();
    Ok(format!("{} acknowledged, {} deliveries, whole again after {} s", it.acked, it.delivered, healed.join(", ")))
}
