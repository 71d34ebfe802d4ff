//! A reconnect storm: the scenario `storm`, smaller. All come back, nothing is lost, and what coming back costs the node is
//! held against bare handshakes of WebSocket, as many, on the same node in the same run.

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::wire::Format;

use super::{Found, Node, Options, offence, runtime, smaller};
use crate::client::{Socket, Target};
use crate::people::source;
use crate::process;
use crate::report::figures;

const USERS: u32 = 2_000;
const ACCOUNTS: u32 = 500;
/// Handshakes at a time.
const PARALLEL: usize = 64;
const RATIO_MAX: f64 = 7.0;

pub fn guard(options: &Options) -> Result<Found> {
    let scenario = smaller("storm", |scenario| {
        (scenario.people.users, scenario.people.accounts) = (USERS, Some(ACCOUNTS));
    })?;
    let (report, handshake_us) = runtime()?.block_on(async {
        let node = Node::start(&options.server).await?;
        let report = node.carry_out(&scenario).await?;
        anyhow::Ok((report, handshake_us(&node).await?))
    })?;
    if let Some(said) = offence(&report) {
        return Ok(Found { kept: false, said });
    }
    let came_back = report.action("resume").and_then(|resume| resume.from_intended.as_ref()).context("nobody came back")?.count;
    let figures = figures::storm(&report);
    let each = figures.iter().find(|figure| figure.unit == "CPU µs").context("the node's processor time is not known")?.value;
    let (ratio, it) = (each / handshake_us.max(1.0), &report.integrity);
    let said = format!(
        "{came_back} of {USERS} came back, {} of {} deliveries; coming back costs {ratio:.2} bare handshakes ({each:.0} : {handshake_us:.0} CPU µs)",
        it.delivered, it.due
    );
    Ok(Found { kept: came_back == u64::from(USERS) && ratio <= RATIO_MAX, said })
}

/// The node's time for one connection that comes, shakes hands and goes.
async fn handshake_us(node: &Node) -> Result<f64> {
    let before = process::cpu_us(node.pid)?;
    let opening = stream::iter(0..USERS).map(|n| Socket::open(Target { source: Some(source(0, n)), ..node.target }, Format::Json));
    let open: Vec<Socket> = opening.buffer_unordered(PARALLEL).try_collect().await?;
    drop(open);
    Ok((process::cpu_us(node.pid)? - before) as f64 / f64::from(USERS))
}
