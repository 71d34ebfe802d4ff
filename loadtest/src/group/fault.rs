//! What is done to a group on purpose. Each ends when the group is whole again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, sleep};

use super::{Group, LOOK, Member, STORE};
use crate::scenario::{Fault, FaultKind, Which};

/// Slots that do not move in this time never will.
const MOVE_MAX: Duration = Duration::from_secs(60);

impl Group {
    /// `turn`: how many faults there were before.
    pub async fn carry_out(&self, fault: &Fault, turn: usize) -> Result<()> {
        let (members, away) = (self.members(), fault.away.duration());
        let node = match fault.node {
            Which::Turn => members.get(turn % members.len().max(1)).cloned(),
            Which::Leader => Some(self.leader().await?),
            Which::Follower => {
                let leader = self.leader().await?;
                members.iter().find(|member| member.host != leader.host).cloned()
            }
        };
        let node = node.context("the group has no such node")?;
        match fault.kind {
            FaultKind::Kill | FaultKind::Pause | FaultKind::Restart => node.watched.break_it(fault.kind, away).await?,
            FaultKind::KillTwo => self.kill_two(&node, away).await?,
            FaultKind::Roll => {
                for member in &members {
                    member.watched.break_it(FaultKind::Restart, Duration::ZERO).await?;
                    self.settle().await?;
                }
            }
            FaultKind::Drain => {
                self.drain(&node).await?;
                node.watched.break_it(FaultKind::Restart, away).await?;
            }
            FaultKind::Replace => self.replace(&node).await?,
            FaultKind::StoreKill => {
                let mut store = self.store.lock().await;
                store.kill()?;
                sleep(away).await;
                store.start_again().await?;
            }
            FaultKind::Clock => {
                for shift in ["+3600", "-3600", "+0"] {
                    std::fs::write(self.folder.join(node.host.to_string()).join(CLOCK), shift)?;
                    sleep(away / 2).await;
                }
            }
            FaultKind::Cut => bail!("connections are cut by who made them"),
            _ => {
                self.break_net(fault, &node, &members)?;
                sleep(away).await;
                self.net()?.heal()?;
            }
        }
        self.settle().await
    }

    fn break_net(&self, fault: &Fault, node: &Member, members: &[Member]) -> Result<()> {
        let net = self.net()?;
        let hosts: Vec<_> = members.iter().map(|member| member.host).collect();
        let others = hosts.iter().copied().filter(|host| *host != node.host);
        let place = hosts.iter().position(|host| *host == node.host).unwrap_or_default();
        match fault.kind {
            FaultKind::Split => others.clone().try_for_each(|other| net.part(node.host, other))?,
            FaultKind::Deaf => others.clone().try_for_each(|other| net.lose(other, node.host, 100))?,
            FaultKind::Mute => others.clone().try_for_each(|other| net.lose(node.host, other, 100))?,
            FaultKind::Alone => others.clone().chain([STORE]).try_for_each(|other| net.part(node.host, other))?,
            FaultKind::Between => net.part(node.host, hosts[(place + 1) % hosts.len()])?,
            FaultKind::Ring => {
                ensure!(hosts.len() > 3, "in a ring of {} everybody reaches everybody: start more nodes", hosts.len());
                for (one, host) in hosts.iter().enumerate() {
                    for other in one + 2..hosts.len() {
                        if (one, other) != (0, hosts.len() - 1) {
                            net.part(*host, hosts[other])?;
                        }
                    }
                }
            }
            FaultKind::Loss => {
                let percent = (fault.share * 100.0).round() as u32;
                for from in &hosts {
                    hosts.iter().filter(|to| *to != from).try_for_each(|to| net.lose(*from, *to, percent))?;
                }
            }
            FaultKind::StoreCut => hosts.iter().try_for_each(|host| net.part(*host, STORE))?,
            other => bail!("`{}` is nothing that happens to a network", other.text()),
        }
        Ok(())
    }

    /// The second dies as soon as it leads: without a majority, if there were three.
    async fn kill_two(&self, first: &Member, away: Duration) -> Result<()> {
        first.watched.process().await?.kill()?;
        let second = self.leader().await?;
        second.watched.process().await?.kill()?;
        sleep(away).await;
        tokio::try_join!(first.watched.start_again(), second.watched.start_again())?;
        Ok(())
    }

    /// Until it has no slot any more, as another node says.
    async fn drain(&self, node: &Member) -> Result<()> {
        let other = self.other_than(node)?;
        self.order(&other, node, "drain").await?;
        let begun = Instant::now();
        while self.status(&other).await?.and_then(|status| Some(status.entry(&node.address)?.slots)) != Some(0) {
            ensure!(begun.elapsed() < MOVE_MAX, "a node that is drained keeps its slots:\n{}", self.last_words().await);
            sleep(LOOK).await;
        }
        Ok(())
    }

    async fn replace(&self, node: &Member) -> Result<()> {
        self.grow().await?;
        self.settle().await?;
        self.retire(node).await
    }

    /// The node that came last goes, and is removed.
    pub async fn shrink(&self) -> Result<()> {
        let last = self.members().pop().context("there is no node")?;
        self.retire(&last).await
    }

    async fn retire(&self, node: &Member) -> Result<()> {
        node.watched.process().await?.terminate().await?;
        let other = self.other_than(node)?;
        self.order(&other, node, "remove").await?;
        self.members.lock().unwrap_or_else(std::sync::PoisonError::into_inner).retain(|member| member.host != node.host);
        Ok(())
    }

    fn other_than(&self, node: &Member) -> Result<Member> {
        self.members().into_iter().find(|member| member.host != node.host).context("it is the only node")
    }

    async fn order(&self, asked: &Member, node: &Member, what: &str) -> Result<()> {
        let status = self.status(asked).await?.context("a node does not say how its group is")?;
        let number = status.entry(&node.address).context("the group does not know that node")?.node.to_string();
        let told = asked.watched.process().await?.command(&["cluster", what, &number]).output()?;
        ensure!(told.status.success(), "`cluster {what} {number}`: {}", String::from_utf8_lossy(&told.stderr).trim());
        Ok(())
    }
}

/// In a node's folder: how far its clock is off.
const CLOCK: &str = "clock";

/// What makes a node believe the file in its folder. Errors: the library is not there.
pub fn clock_of(folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let library = libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists());
    let library = library.context("libfaketime is missing: `apt-get install libfaketime`")?;
    let file = folder.join(CLOCK);
    std::fs::write(&file, "+0")?;
    Ok(vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_CACHE_DURATION", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}
