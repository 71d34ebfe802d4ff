//! `hubbub-bench worker`: a process that makes its part of a run's load. Coordinators start their own; on other machines
//! somebody else does.

use std::net::SocketAddr;

use anyhow::Result;

use super::node::address;
use crate::report::judge;
use crate::run::{KEY, join};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where the coordinator waits, as it printed it
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    coordinator: SocketAddr,
    /// The run's key, as the coordinator printed it
    #[arg(long, env = KEY, hide_env_values = true, value_name = "KEY")]
    key: String,
}

pub async fn worker(options: &Options) -> Result<u8> {
    join(options.coordinator, &options.key).await?;
    Ok(judge::GREEN)
}
