//! `hubbub-bench jitter`: phones in a tunnel. Every connection is cut again and again while everybody goes on talking.

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

pub async fn jitter(options: &Options) -> Result<u8> {
    let scenario = options.change.apply(built_in("jitter").context("the built-in scenario is broken")?)?;
    carry_out(&scenario, "jitter", &options.node, &options.output, |_| {}, figures::jitter).await
}
