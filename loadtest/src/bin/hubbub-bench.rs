//! `hubbub-bench`: figures of one node on this machine, and the checker for any run's history. Decides nothing itself.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use loadtest::check::{self, Bounds};
use loadtest::history::Run;
use loadtest::load::{self, Options};
use loadtest::process;

/// Without a command: durable posts a second, CPU a delivery, bytes an idle connection.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The server's binary; it is started in a folder of its own, and gone afterwards
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub")]
    server: PathBuf,
    /// How long each timed part runs
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Idle connections
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// People behind the idle connections; each is signed up with a real password hash, about 100 a second
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// Only these parts: posts, fan-out, idle
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Write the figures to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Judge the history of a run: a file of JSON lines, or a folder of them
    Check {
        history: PathBuf,
        /// How much later other devices may read what one was acknowledged: 0 on one node
        #[arg(long, default_value_t = 0)]
        lag_ms: u64,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hubbub-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<bool> {
    if let Some(Command::Check { history, lag_ms }) = &arguments.command {
        let run = Run::read(history)?;
        let verdict = check::check(&run, Bounds { lag_us: lag_ms * 1000, ..Bounds::default() });
        print!("{verdict}");
        return Ok(verdict.is_clean());
    }
    let Arguments { server, seconds, connections, users, only, json, .. } = arguments;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = Options { server, seconds, connections, users, only, processors };
    let report = runtime(processors)?.block_on(load::bench(&options))?;
    print!("{report}");
    if let Some(file) = json {
        std::fs::write(&file, serde_json::to_vec_pretty(&report)?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(true)
}

/// On the last processor alone: the node is measured, not this program.
fn runtime(processors: usize) -> Result<tokio::runtime::Runtime> {
    if processors > 1 {
        process::pin(&[processors - 1]).context("cannot keep to one processor")?;
    }
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
