//! `cargo xtask test`: everything there is to prove Hubbub, one part after the other, from a bare checkout. A part that
//! fails does not stop the rest; a part that cannot run is told as skipped, with the reason, and CI fails on that.

mod parts;
mod prepare;
mod tally;
mod up;

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tally::Tally;

/// What to prove.
#[derive(clap::Args)]
pub struct Options {
    /// Only these parts, by name (see --list)
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<String>,
    /// Name the parts and run none
    #[arg(long)]
    list: bool,
}

/// One part of the proof.
struct Part {
    name: &'static str,
    proves: &'static str,
    run: fn() -> Result<Tally>,
}

/// How a part went.
struct Row {
    name: &'static str,
    tally: Tally,
    took: Duration,
}

pub fn run(options: &Options) -> Result<()> {
    if options.list {
        for part in parts::ALL {
            println!("{:<10} {}", part.name, part.proves);
        }
        return Ok(());
    }
    for name in &options.only {
        ensure!(parts::ALL.iter().any(|part| part.name == name), "there is no part `{name}`: `cargo xtask test --list` names them");
    }
    let asked = |part: &&Part| options.only.is_empty() || options.only.iter().any(|name| name == part.name);
    let started = Instant::now();
    let rows: Vec<Row> = parts::ALL.iter().filter(asked).map(run_part).collect();
    print_table(&rows, started.elapsed());
    conclude(&rows)
}

fn run_part(part: &Part) -> Row {
    println!("\n== {}: {}", part.name, part.proves);
    let started = Instant::now();
    let tally = (part.run)().unwrap_or_else(|error| {
        println!("{}: {error:#}", part.name);
        Tally::failure()
    });
    Row { name: part.name, tally, took: started.elapsed() }
}

fn print_table(rows: &[Row], took: Duration) {
    println!("\n{:<10} {:>7} {:>7} {:>8} {:>9}", "part", "passed", "failed", "skipped", "time");
    for row in rows {
        let Tally { passed, failed, skipped } = &row.tally;
        println!("{:<10} {:>7} {:>7} {:>8} {:>8.1}s", row.name, passed, failed, skipped.len(), row.took.as_secs_f64());
    }
    println!("{:<34} {:>9.1}s", "", took.as_secs_f64());
    for (row, reason) in rows.iter().flat_map(|row| row.tally.skipped.iter().map(move |reason| (row, reason))) {
        println!("skipped in {}: {reason}", row.name);
    }
}

fn conclude(rows: &[Row]) -> Result<()> {
    let total = |count: fn(&Tally) -> usize| rows.iter().map(|row| count(&row.tally)).sum::<usize>();
    let (passed, failed, skipped) = (total(|t| t.passed), total(|t| t.failed), total(|t| t.skipped.len()));
    if skipped == 0 {
        println!("\n{passed} passed, {failed} failed");
    } else {
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    }
    if failed > 0 {
        let parts: Vec<_> = rows.iter().filter(|row| row.tally.failed > 0).map(|row| row.name).collect();
        bail!("failed: {}", parts.join(", "));
    }
    if skipped > 0 && in_ci() {
        bail!("CI skips nothing: see the reasons above");
    }
    Ok(())
}

pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
