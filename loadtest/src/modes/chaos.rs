//! `hubbub-bench chaos`: a node that this program started is killed, paused and restarted under load; of a group (`--group`)
//! each in its turn and all of them, and in a network of its own (`--net`) that is broken too. What every device did and saw
//! is written down and judged by every rule.

use anyhow::Result;

use super::node;
use super::run::carry_out;
use crate::report::figures;

pub use super::run::OwnScenario as Options;

/// Nodes of a group, unless it is said.
const GROUP: u32 = 3;

pub async fn chaos(options: &Options) -> Result<u8> {
    let scenario = match (options.node.group, options.node.net) {
        (false, _) => "chaos",
        (true, false) => "chaos-group",
        (true, true) => "chaos-net",
    };
    let scenario = options.scenario(scenario)?;
    // Only one's own node may be killed.
    let mut node = node::Options { start: true, ..options.node.clone() };
    if node.group && node.nodes == 1 {
        node.nodes = GROUP;
    }
    let folder = tempfile::tempdir()?;
    let mut output = options.output.clone();
    output.history.get_or_insert_with(|| folder.path().join("history"));
    let code = carry_out(&scenario, "chaos", &node, &output, |_| {}, figures::chaos).await?;
    if code != crate::report::judge::GREEN && options.output.history.is_none() {
        eprintln!("the history is kept in {}", folder.keep().display());
    }
    Ok(code)
}
