//! `hubbub-bench report`: the page of a run, made again from its JSON alone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::output;
use crate::report::{FORMAT, RunReport, html, judge, screen};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A report that --json wrote
    run: PathBuf,
    /// Where the page goes; without it, beside the report
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Errors say which file it is and what is wrong with it.
pub fn read(path: &Path) -> Result<RunReport> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report: RunReport = serde_json::from_slice(&text).with_context(|| format!("{} is no report of a run", path.display()))?;
    ensure!(report.format == FORMAT, "{} has format {}, and this program knows {FORMAT}", path.display(), report.format);
    Ok(report)
}

/// The exit code is 0 whatever the run's was: the page could be made.
pub fn report(options: &Options) -> Result<u8> {
    let report = read(&options.run)?;
    let file = options.html.clone().unwrap_or_else(|| options.run.with_extension("html"));
    print!("{}", screen::screen(&report));
    output::write(&file, html::page(&report).as_bytes())?;
    println!("the page is {}", file.display());
    Ok(judge::GREEN)
}
