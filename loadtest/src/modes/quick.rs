//! `hubbub-bench quick`: one built-in scenario against the node that the README's first command starts.

use anyhow::{Context, Result};

use super::{node, output};
use crate::scenario::built_in;

#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    #[command(flatten)]
    node: node::Options,
    #[command(flatten)]
    output: output::Options,
}

pub async fn quick(options: &Options) -> Result<u8> {
    let scenario = built_in("quick").context("the built-in scenario is broken")?;
    super::run::carry_out(&scenario, "quick", &options.node, &options.output, |_| {}, |_| Vec::new()).await
}
