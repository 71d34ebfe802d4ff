//! `hubbub-bench chaos`: a node that this program started is killed, paused and restarted under load. What every device did
//! and saw is written down and judged by every rule.

use anyhow::Result;

use super::node;
use super::run::carry_out;
use crate::report::figures;

pub use super::run::OwnScenario as Options;

pub async fn chaos(options: &Options) -> Result<u8> {
    let scenario = options.scenario("chaos")?;
    // Only one's own node may be killed.
    let node = node::Options { start: true, ..options.node.clone() };
    let folder = tempfile::tempdir()?;
    let mut output = options.output.clone();
    output.history.get_or_insert_with(|| folder.path().join("history"));
    let code = carry_out(&scenario, "chaos", &node, &output, |_| {}, figures::chaos).await?;
    if code != crate::report::judge::GREEN && options.output.history.is_none() {
        eprintln!("the history is kept in {}", folder.keep().display());
    }
    Ok(code)
}
