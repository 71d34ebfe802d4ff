//! `hubbub-bench storm`: everybody is cut at once and comes back at once, with token and resume.

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

pub async fn storm(options: &Options) -> Result<u8> {
    let scenario = options.change.apply(built_in("storm").context("the built-in scenario is broken")?)?;
    carry_out(&scenario, "storm", &options.node, &options.output, |_| {}, figures::storm).await
}
