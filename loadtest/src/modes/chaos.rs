//! `hubbub-bench chaos`: a node that this program started is killed, paused and restarted under load. What every device did
//! and saw is written down and judged by every rule.

use anyhow::{Context, Result};

use super::run::{Change, carry_out};
use super::{node, output};
use crate::report::figures;
use crate::scenario::built_in;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    node: node::Options,
    #[command(flatten)]
    output: output::Options,
}

pub async fn chaos(options: &Options) -> Result<u8> {
    let scenario = options.change.apply(built_in("chaos").context("the built-in scenario is broken")?)?;
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
