//! Phones in a tunnel: the scenario `jitter`, shorter. Everybody is cut at least once, and everything arrives.

use anyhow::{Context, Result};

use super::{Found, Node, Options, offence, runtime, smaller};

const LASTS: &str = "18s";

pub fn guard(options: &Options) -> Result<Found> {
    let lasts = LASTS.parse().map_err(anyhow::Error::msg)?;
    let scenario = smaller("jitter", |scenario| scenario.phase.iter_mut().for_each(|phase| phase.lasts = lasts))?;
    let users = u64::from(scenario.people.users);
    let report = runtime()?.block_on(async {
        let node = Node::start(&options.server).await?;
        node.carry_out(&scenario).await
    })?;
    if let Some(said) = offence(&report) {
        return Ok(Found { kept: false, said });
    }
    let came_back = report.action("resume").and_then(|resume| resume.from_intended.as_ref()).context("nobody came back")?.count;
    let it = &report.integrity;
    let said = format!("{} of {} deliveries to {users} phones that came back {came_back} times", it.delivered, it.due);
    Ok(Found { kept: came_back >= users, said })
}
