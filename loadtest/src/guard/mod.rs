//! The guards: what a change must not take away of cost and of loss, each found out in less than a minute. A guard judges
//! counts, bytes and ratios within one run, never a time, so that it says the same on a slow machine and beside other work.
//! Its bounds leave room for noise and for a node that is built without optimisation: whoever wants figures takes
//! `hubbub-bench figures` and `peers`.

mod delivery;
mod idle;
mod jitter;
mod storm;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};

use crate::peers;
use crate::process;
use crate::run::{self, Watched};
use crate::scenario::Scenario;

/// What the guards are told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's binary.
    pub server: PathBuf,
    /// Where Bun is, or why it could not be had.
    pub peers: peers::Options,
    /// Of the machine.
    pub processors: usize,
}

/// One promise, and how to look whether it is kept.
pub struct Guard {
    pub name: &'static str,
    pub promise: &'static str,
    guard: fn(&Options) -> Result<Found>,
}

/// In this order: the last keeps this program to one processor.
pub const GUARDS: [Guard; 4] = [
    Guard { name: "idle", promise: "an idle user has a node allocate at most 500 bytes, at 5,000 users", guard: idle::guard },
    Guard {
        name: "storm",
        promise: "2,000 connections that are cut at once are all back, nothing is lost, and coming back costs at most 7 bare handshakes",
        guard: storm::guard,
    },
    Guard { name: "jitter", promise: "500 phones that are cut again and again get everything", guard: jitter::guard },
    Guard {
        name: "delivery",
        promise: "a delivery costs at most 2.5 times what it costs Bun, which keeps nothing",
        guard: delivery::guard,
    },
];

/// What a guard found; the sentence has the numbers.
#[derive(Clone, Debug)]
pub struct Found {
    pub kept: bool,
    pub said: String,
}

impl Guard {
    /// What could not be found out is not kept.
    pub fn look(&self, options: &Options) -> Found {
        (self.guard)(options).unwrap_or_else(|error| Found { kept: false, said: format!("{error:#}") })
    }
}

impl Found {
    /// A value under its bound.
    fn below(value: f64, max: f64, said: String) -> Self {
        Self { kept: value <= max, said }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.kept { "kept" } else { "BROKEN" }, self.said)
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    process::raise_open_files();
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// A node for one guard, and what is kept of it.
struct Node {
    watched: Watched,
    pid: u32,
    target: crate::client::Target,
    /// Gone with this.
    _folder: tempfile::TempDir,
}

impl Node {
    async fn start(server: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let process = process::Process::start(server, folder.path(), &process::quiet_keys(), None).await?;
        let (pid, target) = (process.pid(), process.target());
        Ok(Self { watched: Watched::started(process).await, pid, target, _folder: folder })
    }

    /// Carries a scenario out.
    async fn carry_out(&self, scenario: &Scenario) -> Result<crate::report::RunReport> {
        let options = run::Options { nodes: vec![self.watched.clone()], ..run::Options::new("guard", self.target.node) };
        let report = run::run(scenario, &options, &|_| {}).await;
        match report {
            Ok(report) => Ok(report),
            Err(error) => Err(error.context(format!("the node's last words:\n{}", self.watched.last_words().await))),
        }
    }
}

/// A scenario in the box, made smaller.
fn smaller(name: &str, change: impl FnOnce(&mut Scenario)) -> Result<Scenario> {
    let mut scenario = crate::scenario::built_in(name).ok_or_else(|| Error::msg(format!("there is no scenario {name}")))?;
    change(&mut scenario);
    Scenario::read(&scenario.to_toml()).map_err(|mistakes| Error::msg(mistakes[0].what.clone()))
}

/// Why a run is no success, if it is none.
fn offence(report: &crate::report::RunReport) -> Option<String> {
    let it = &report.integrity;
    let named = it.offences.first().map_or_else(String::new, |first| format!("; first of all: {}", first.what));
    let said = || {
        format!(
            "asked {}, acknowledged {}; deliveries due {}, arrived {}; lost {}, doubled {}, reordered {}, unauthorised {}, wrong {}{named}",
            it.asked, it.acked, it.due, it.delivered, it.lost, it.doubled, it.reordered, it.unauthorised, it.wrong
        )
    };
    let whole = report.verdict == crate::report::Verdict::Green && it.acked == it.asked && it.delivered == it.due && it.due > 0;
    (!whole).then(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guard_has_a_name_of_its_own_and_a_promise() {
        for guard in &GUARDS {
            assert_eq!(GUARDS.iter().filter(|other| other.name == guard.name).count(), 1);
            assert!(!guard.promise.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_found_out_is_not_kept() {
        let guard = Guard { name: "none", promise: "nothing", guard: |_| anyhow::bail!("the server is not there") };
        let (server, processors) = (PathBuf::new(), 1);
        let found = guard.look(&Options { server, peers: peers::Options::default(), processors });
        assert_eq!(found.to_string(), "BROKEN: the server is not there");
    }
}
