//! `hubbub-bench figures`: the plain benchmarks of one node, or of a group, that this program starts; `cargo xtask bench` calls it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::load;
use crate::process;
use crate::report::judge;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The server's binary; it is started in a folder of its own, and gone afterwards
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub")]
    server: PathBuf,
    /// The echo that a message to another is held against; by default the one in `examples` beside the server
    #[arg(long, value_name = "FILE")]
    echo: Option<PathBuf>,
    /// How long each timed part runs
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Idle connections, each of another person
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Only these parts; without any, all of one node and none of a group
    #[arg(long, value_name = "PART", value_parser = load::parts())]
    only: Vec<String>,
    /// How often `group-kills` kills a node
    #[arg(long, default_value_t = 30)]
    kills: usize,
    /// How many rooms sleep for `sleeping-rooms`
    #[arg(long, default_value_t = 100_000)]
    rooms: usize,
    /// Write the figures to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub fn figures(options: Options) -> Result<u8> {
    let Options { server, echo, seconds, connections, only, kills, rooms, json } = options;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = load::Options { server, echo, seconds, connections, only, kills, rooms, processors };
    let report = runtime(processors)?.block_on(load::bench(&options))?;
    print!("{report}");
    if let Some(file) = json {
        std::fs::write(&file, serde_json::to_vec_pretty(&report)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(judge::GREEN)
}

/// On the last processor alone: the node is measured, not this program.
fn runtime(processors: usize) -> Result<tokio::runtime::Runtime> {
    if processors > 1 {
        process::pin(&[processors - 1]).context("cannot keep to one processor")?;
    }
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
