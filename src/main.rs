//! The `hubbub` binary: thin on purpose, everything it does is in the library.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// The configuration file; without it hubbub.toml, if there is one.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a node until it is told to stop.
    Serve,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let loaded = hubbub::config::load(arguments.config.as_deref(), std::env::vars())?;
    hubbub::logs::start(&loaded.config.log)?;
    let runtime = tokio::runtime::Runtime::new()?;
    match arguments.command {
        Command::Serve => runtime.block_on(hubbub::wiring::serve(&loaded.config)),
    }
}
