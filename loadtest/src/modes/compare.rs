//! `hubbub-bench compare`: what changed between two reports, and whether it is more than chance.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::report::compare::{Change, compare};
use crate::report::{FORMAT, RunReport, judge};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A report that --json wrote
    first: PathBuf,
    second: PathBuf,
    /// End with 99 when something is worse by more than chance and by more than so many per cent
    #[arg(long, value_name = "PERCENT")]
    worse_max: Option<f64>,
}

pub fn read(path: &Path) -> Result<RunReport> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: RunReport = serde_json::from_slice(&text).with_context(|| format!("{} is no report of a run", path.display()))?;
    ensure!(report.format == FORMAT, "{} has format {}, and this program knows {FORMAT}", path.display(), report.format);
    Ok(report)
}

pub fn compared(options: &Options) -> Result<u8> {
    let comparison = compare(&read(&options.first)?, &read(&options.second)?);
    print!("{comparison}");
    let Some(most) = options.worse_max else { return Ok(judge::GREEN) };
    let too_much = comparison.rows.iter().any(|row| row.change() == Change::Worse && row.change_percent.abs() > most);
    Ok(if too_much { judge::THRESHOLD_MISSED } else { judge::GREEN })
}
