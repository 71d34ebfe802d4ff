//! `hubbub-bench compare`: what changed between two sides of runs, and whether it is more than chance.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::{output, report};
use crate::report::compare::{Change, compare};
use crate::report::{RunReport, html, judge};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Reports that --json wrote: the first and the second, or with --with as many as there are of the first side
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The runs of the second side
    #[arg(long, num_args = 1.., value_name = "RUN")]
    with: Vec<PathBuf>,
    /// End with 99 when something is worse by more than chance and by more than so many per cent
    #[arg(long, value_name = "PERCENT")]
    worse_max: Option<f64>,
    /// Write it to this file too, as a page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub fn compared(options: &Options) -> Result<u8> {
    let (first, second) = match options.with.as_slice() {
        [] => {
            ensure!(options.runs.len() == 2, "two reports are compared, or several with several: A1 A2 --with B1 B2");
            options.runs.split_at(1)
        }
        with => (options.runs.as_slice(), with),
    };
    let read = |files: &[PathBuf]| files.iter().map(|file| report::read(file)).collect::<Result<Vec<RunReport>>>();
    let (first, second) = (read(first)?, read(second)?);
    let comparison = compare(&first, &second);
    print!("{comparison}");
    if let Some(file) = &options.html {
        output::write(file, html::comparison(&comparison, &first, &second).as_bytes())?;
    }
    let Some(most) = options.worse_max else { return Ok(judge::GREEN) };
    let too_much = comparison.rows.iter().any(|row| row.change == Change::Worse && row.change_percent().abs() > most);
    Ok(if too_much { judge::THRESHOLD_MISSED } else { judge::GREEN })
}
