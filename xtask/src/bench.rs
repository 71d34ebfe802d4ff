//! `cargo xtask bench`: what one node carries on this machine, from counted and checked deliveries. The measuring is
//! `hubbub-bench` of `loadtest`; this builds both programs optimised and starts it.

pub mod peers;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::{doctor, run};

#[derive(clap::Args)]
pub struct Options {
    /// Write the numbers to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Beside others: CPU per delivery of our node and of servers that are fetched for it, in turns. All, or those named
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 0..)]
    peers: Option<Vec<String>>,
    /// What else `hubbub-bench` is to know (`-- --help` lists it)
    #[arg(last = true)]
    rest: Vec<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let programs = programs()?;
    let mut bench = programs.bench();
    match &options.peers {
        Some(only) => bench.arg("peers").args(peers::arguments(only)?),
        None => bench.arg("figures"),
    };
    bench.args(&options.rest);
    if let Some(file) = &options.json {
        bench.arg("--json").arg(file);
    }
    ensure!(run::through(&mut bench)?, "the benchmark did not come to its end");
    Ok(())
}

/// The node and the program that measures it, optimised.
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// `hubbub-bench`, told where the node is.
    pub fn bench(&self) -> Command {
        let mut bench = Command::new(self.folder.join("hubbub-bench"));
        bench.env("HUBBUB_BIN", self.folder.join("hubbub"));
        bench
    }
}

/// Builds both.
pub fn programs() -> Result<Programs> {
    doctor::require(&doctor::TO_RUN[..3])?;
    for (package, kind, program) in
        [("hubbub", "--bin", "hubbub"), ("hubbub", "--example", "echo"), ("hubbub-loadtest", "--bin", "hubbub-bench")]
    {
        let built = run::through(run::cargo().args(["build", "--release", "--package", package, kind, program]))?;
        ensure!(built, "{program} does not build");
    }
    Ok(Programs { folder: std::path::absolute(run::target_folder()?.join("release"))? })
}
