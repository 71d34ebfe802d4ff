//! The figures of scenarios that are done to a group, each carried out as its mode does it: all rules are checked, and a run that is not green has
//! no figure.

use std::sync::Arc;

use anyhow::{Context, ensure};

use super::{Host, with_last_words};
use crate::group::Group;
use crate::load::{Error, Figure};
use crate::report::{RunReport, Verdict};
use crate::run;
use crate::scenario::{Scenario, built_in};

/// Of the store process.
const READS: &str = "hubbub_store_read_seconds_count";

/// The same people with the same plan, once with nothing done to the nodes and once with all of them restarted.
pub async fn roll(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let rolled = scenario("roll")?;
    let quiet = Scenario { fault: Vec::new(), ..rolled.clone() };
    let users = f64::from(rolled.people.users);
    let mut told = Vec::new();
    for (name, scenario) in [("quiet", quiet), ("rolled", rolled)] {
        let group = Arc::new(host.start(name, &[100; 3], 0, host.all_processors()).await?);
        let report = carry_out(&group, &scenario).await?;
        told.push((report, group.store_metric(READS).await? / users));
    }
    let [(_, before), (report, after)] = &told[..] else { unreachable!("two runs") };
    let detail = format!(
        "{before:.1} reads a client in a quiet run, {after:.1} in one in which every node was restarted, accounts and rooms made in both"
    );
    Ok(vec![
        refused("rolling restart", report),
        waits("rolling restart", report),
        Figure::new("rolling restart: store reads a client", after / before * 100.0 - 100.0, "% more", detail),
    ])
}

pub async fn storm(host: &Host<'_>) -> Result<Vec<Figure>, Error> {
    let group = Arc::new(host.start("group-storm", &[100; 4], 0, host.all_processors()).await?);
    let report = carry_out(&group, &scenario("group-storm")?).await?;
    let resume = report.action("resume").and_then(|action| action.from_intended.as_ref()).context("nobody came back")?;
    let detail = format!(
        "{} connections of one of four nodes that was killed, of {} in all; half of them within {:.2} s, 99 of 100 within {:.2}",
        resume.count,
        scenario("group-storm")?.people.users,
        resume.p50_us as f64 / 1e6,
        resume.p99_us as f64 / 1e6
    );
    Ok(vec![
        Figure::new("kill -9 of one of four: until the last was back", resume.max_us as f64 / 1e6, "s", detail),
        refused("kill -9 of one of four", &report),
        waits("kill -9 of one of four", &report),
    ])
}

fn scenario(name: &str) -> Result<Scenario, Error> {
    built_in(name).with_context(|| format!("there is no scenario {name}"))
}

async fn carry_out(group: &Arc<Group>, scenario: &Scenario) -> Result<RunReport, Error> {
    let (nodes, addresses) = (group.nodes(), group.addresses().await?);
    let first = *addresses.first().context("the group has nodes")?;
    let options = run::Options { addresses, nodes, group: Some(Arc::clone(group)), ..run::Options::new(&scenario.name, first) };
    let carried_out = run::run(scenario, &options, &|_| {}).await;
    let report = with_last_words(group, carried_out).await?;
    ensure!(report.verdict == Verdict::Green, "the run is red: {:?}", report.integrity.offences.first());
    Ok(report)
}

fn refused(of: &str, report: &RunReport) -> Figure {
    let refused: u64 = report.actions.iter().map(|action| action.refused).sum();
    let it = &report.integrity;
    let back = report.action("resume").map_or(0, |action| action.count);
    let detail = format!("{back} connections lost and back; {} of {} deliveries arrived", it.delivered, it.due);
    Figure::new(format!("{of}: requests refused"), refused as f64, "refusals", detail)
}

fn waits(of: &str, report: &RunReport) -> Figure {
    let posted = report.action("post").and_then(|action| action.from_intended.as_ref());
    let [p50, p99, most] = posted.map_or([0; 3], |it| [it.p50_us, it.p99_us, it.max_us]).map(|us| us as f64 / 1e3);
    let certified = if report.generator.certified { "" } else { "; NOT CERTIFIED: this program was too slow to judge times" };
    Figure::new(
        format!("{of}: wait for an ack"),
        p99,
        "ms p99",
        format!("p50 {p50:.1} ms, at most {most:.0} ms, over the whole run{certified}"),
    )
}
