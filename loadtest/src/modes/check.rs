//! `hubbub-bench check`: the checker for any run's history, also one that was made elsewhere.

use std::path::PathBuf;

use anyhow::Result;

use crate::check::{self, Bounds};
use crate::history::Run;
use crate::report::judge;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    history: PathBuf,
    /// How much later other devices may read what one was acknowledged: 0 on one node
    #[arg(long, default_value_t = 0)]
    lag_ms: u64,
}

pub fn check(options: &Options) -> Result<u8> {
    let run = Run::read(&options.history)?;
    let verdict = check::check(&run, Bounds { lag_us: options.lag_ms * 1000, ..Bounds::default() });
    print!("{verdict}");
    Ok(if verdict.is_clean() { judge::GREEN } else { judge::RED })
}
