//! `hubbub-bench record`: what people really do, from an access log, as a persona for a scenario.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::report::judge;
use crate::scenario::access_log::Habit;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// An access log of a proxy: common or combined format, or JSON lines with method, path (or uri), and an address
    log: PathBuf,
    /// The persona's name
    #[arg(long, default_value = "recorded")]
    name: String,
}

pub fn record(options: &Options) -> Result<u8> {
    let file = std::fs::File::open(&options.log).with_context(|| format!("cannot read {}", options.log.display()))?;
    let mut habit = Habit::default();
    for line in BufReader::new(file).lines() {
        habit.take(&line?);
    }
    ensure!(habit.known > 0, "none of {} lines is a request that a persona could make: is it an access log of /v1/…?", habit.lines);
    eprintln!(
        "{} lines, {} of them requests of people, from {} addresses over {:.1} minutes",
        habit.lines,
        habit.known,
        habit.people(),
        habit.minutes()
    );
    print!("{}", habit.to_toml(&options.name));
    Ok(judge::GREEN)
}
