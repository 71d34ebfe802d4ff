//! `cargo xtask bench`: what one node carries on this machine, from counted and checked deliveries. The measuring is
//! `hubbub-bench` of `loadtest`; this builds both programs optimised and starts it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::{doctor, run};

#[derive(clap::Args)]
pub struct Options {
    /// Write the numbers to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What else `hubbub-bench` is to know (`-- --help` lists it)
    #[arg(last = true)]
    rest: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    doctor::require(&doctor::TO_RUN[..3])?;
    for (package, program) in [("hubbub", "hubbub"), ("hubbub-loadtest", "hubbub-bench")] {
        let built = run::through(run::cargo().args(["build", "--release", "--package", package, "--bin", program]))?;
        ensure!(built, "{program} does not build");
    }
    let programs = std::path::absolute(run::target_folder()?.join("release"))?;
    let mut bench = Command::new(programs.join("hubbub-bench"));
    bench.env("HUBBUB_BIN", programs.join("hubbub")).arg("figures").args(&options.rest);
    if let Some(file) = &options.json {
        bench.arg("--json").arg(file);
    }
    ensure!(run::through(&mut bench)?, "the benchmark did not come to its end");
    Ok(())
}
