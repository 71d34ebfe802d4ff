//! `hubbub-bench peers`: a node that this program starts, beside other servers; `cargo xtask bench --peers` calls it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::peers;
use crate::process;
use crate::report::judge;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The server's binary; it is started in a folder of its own, and gone afterwards
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub")]
    server: PathBuf,
    /// Write everything that was measured to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    peers: peers::Options,
}

pub fn peers(options: &Options) -> Result<u8> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    if processors > 1 {
        // On the last processor alone: the servers are measured, not this program.
        process::pin(&[processors - 1]).context("cannot keep to one processor")?;
    }
    let report = options.peers.run(&options.server, processors)?;
    print!("{report}");
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let Some(row) = options.peers.over(&report) else { return Ok(judge::GREEN) };
    eprintln!("{} at {} under way: {:.2} times its CPU per delivery is more than was allowed", row.peer, row.under_way, row.ratio);
    Ok(judge::THRESHOLD_MISSED)
}
