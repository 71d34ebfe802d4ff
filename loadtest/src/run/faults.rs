//! What goes wrong on purpose, in order of time: connections that are cut by the workers, nodes that are broken from here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Options;
use super::clock::RunClock;
use super::nodes::Watched;
use crate::group::Group;
use crate::report;
use crate::scenario::{Fault, FaultKind, Scenario};

/// A fault of the node that is not over after this has broken the run.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Faults {
    due: VecDeque<(u64, Fault)>,
    node: Option<Watched>,
    group: Option<Arc<Group>>,
    /// How many have happened to nodes.
    turn: usize,
    clock: RunClock,
    go_us: u64,
    under_way: Option<(report::Fault, JoinHandle<Result<u64>>)>,
    told: Vec<report::Fault>,
}

pub enum Step {
    Cut {
        share: f64,
        away_us: u64,
    },
    /// One of them is over.
    Told(report::Fault),
}

impl Faults {
    pub fn of(scenario: &Scenario, options: &Options, clock: RunClock, go_us: u64) -> Self {
        let times = |fault: &Fault| {
            let (at, every, fault) = (fault.at.us(), fault.every.map_or(0, |every| every.us()), fault.clone());
            (0..u64::from(fault.times)).map(move |n| (at + n * every, fault.clone()))
        };
        let mut due: Vec<_> = scenario.fault.iter().flat_map(times).collect();
        due.sort_by_key(|(at, _)| *at);
        let (node, group) = (options.nodes.first().cloned(), options.group.clone());
        Self { due: due.into(), node, group, turn: 0, clock, go_us, under_way: None, told: Vec::new() }
    }

    fn now_s(&self) -> f64 {
        self.clock.now_us().saturating_sub(self.go_us) as f64 / 1e6
    }

    /// The next thing to do or to tell; waits for ever when there is none. May be dropped without loss.
    pub async fn next(&mut self) -> Result<Step> {
        if let Some((_, over)) = &mut self.under_way {
            let until_us =
                tokio::time::timeout(PATIENCE, over).await.context("what was broken was not whole again within three minutes")???;
            let (mut fault, _) = self.under_way.take().context("it was under way")?;
            fault.until_s = Some(until_us.saturating_sub(self.go_us) as f64 / 1e6);
            self.told.push(fault.clone());
            return Ok(Step::Told(fault));
        }
        let Some((at_us, _)) = self.due.front() else { return std::future::pending().await };
        sleep_until(Instant::from_std(self.clock.at(self.go_us + at_us))).await;
        let Some((_, fault)) = self.due.pop_front() else { return std::future::pending().await };
        let mut told = report::Fault { name: fault.kind.text().to_owned(), at_s: self.now_s(), until_s: None, detail: String::new() };
        if fault.kind == FaultKind::Cut {
            told.detail = format!("{:.0} % of the connections, for {}", fault.share * 100.0, fault.away);
            self.told.push(told);
            return Ok(Step::Cut { share: fault.share, away_us: fault.away.us() });
        }
        let (clock, away, turn) = (self.clock, fault.away.duration(), self.turn);
        self.turn += 1;
        told.detail = if fault.away.us() > 0 { format!("away for {}", fault.away) } else { String::new() };
        let breaking = match (self.group.clone(), self.node.clone()) {
            (Some(group), _) => tokio::spawn(async move {
                group.carry_out(&fault, turn).await?;
                Ok(clock.now_us())
            }),
            (None, node) => {
                let node = node.context("there is no node to break")?;
                tokio::spawn(async move {
                    node.break_it(fault.kind, away).await?;
                    Ok(clock.now_us())
                })
            }
        };
        self.under_way = Some((told.clone(), breaking));
        Ok(Step::Told(told))
    }

    /// All that happened; waits for the one under way.
    pub async fn finish(mut self) -> Result<Vec<report::Fault>> {
        if self.under_way.is_some() {
            self.next().await?;
        }
        Ok(self.told)
    }
}
