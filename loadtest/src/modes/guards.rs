//! `hubbub-bench guards`: what a change must not take away, in four short runs; `cargo xtask test` calls it.

use std::path::PathBuf;

use anyhow::Result;

use crate::guard::{self, GUARDS, Guard};
use crate::peers;
use crate::report::judge;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The server's binary; it is started in a folder of its own for each guard, and gone afterwards
    #[arg(long, env = "HUBBUB_BIN", default_value = "hubbub")]
    server: PathBuf,
    /// Only these
    #[arg(long, value_name = "GUARD", value_parser = GUARDS.map(|guard| guard.name))]
    only: Vec<String>,
    #[command(flatten)]
    peers: peers::Options,
}

pub fn guards(options: &Options) -> Result<u8> {
    let Options { server, only, peers } = options.clone();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let told = guard::Options { server, peers, processors };
    let asked = |guard: &&Guard| only.is_empty() || only.iter().any(|name| name == guard.name);
    let (mut kept, mut broken) = (0, 0);
    for guard in GUARDS.iter().filter(asked) {
        println!("{}: {}", guard.name, guard.promise);
        let found = guard.look(&told);
        println!("{} {found}", guard.name);
        *(if found.kept { &mut kept } else { &mut broken }) += 1;
    }
    // As a runner of tests says it.
    println!("\n{kept} passed, {broken} failed");
    Ok(if broken == 0 { judge::GREEN } else { judge::THRESHOLD_MISSED })
}
