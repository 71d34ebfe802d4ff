//! `cargo xtask fuzz`: noise against every decoder, guided by which code it reaches. Builds `fuzz/`, a workspace of its own,
//! with the compiler's coverage counters, and runs libFuzzer on one target after the other. What a run learnt stays under
//! the target folder for the next one. The targets themselves are in `tests/fuzz`, where every test run feeds them too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::{doctor, run};

/// Counters at every edge and at every comparison, by the stable compiler's own passes.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// A message has 64 KiB; some decoders look at a little more before they refuse.
const INPUT_BYTES_MAX: u32 = 70_000;
const MEMORY_MB_MAX: u32 = 2_048;
/// One input.
const SECONDS_MAX: u32 = 10;
/// Of what libFuzzer says, when it found something.
const LINES_SHOWN: usize = 40;

#[derive(clap::Args)]
pub struct Options {
    /// Only these targets (see --list)
    targets: Vec<String>,
    /// How long for each
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Feed one file that broke a target once, and nothing else
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Name the targets and run none
    #[arg(long)]
    list: bool,
}

pub fn run(options: &Options) -> Result<()> {
    doctor::require(&doctor::TO_RUN[..3])?;
    doctor::require(doctor::TO_FUZZ)?;
    let home = std::path::absolute(run::target_folder()?.join("fuzz"))?;
    let program = build(&home)?;
    let all = run::read(Command::new(&program).env("FUZZ_TARGET", "list"))?;
    if options.list {
        println!("{all}");
        return Ok(());
    }
    for name in &options.targets {
        ensure!(all.lines().any(|known| known == name), "there is no target `{name}`: `cargo xtask fuzz --list` names them");
    }
    let asked = |name: &&str| options.targets.is_empty() || options.targets.iter().any(|asked| asked == name);
    let names: Vec<&str> = all.lines().filter(asked).collect();
    if let Some(input) = &options.input {
        ensure!(names.len() == 1, "--input is for one target: name it");
        let fed = run::through(Command::new(&program).env("FUZZ_TARGET", names[0]).arg(input))?;
        ensure!(fed, "{} breaks on {}", names[0], input.display());
        return Ok(());
    }
    let mut broken = Vec::new();
    for name in names {
        if !hold(&program, &home, name, options.seconds)? {
            broken.push(name);
        }
    }
    if !broken.is_empty() {
        bail!("broke: {}", broken.join(", "));
    }
    Ok(())
}

fn build(home: &Path) -> Result<PathBuf> {
    let host = run::read(Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its host")?.to_owned();
    // The versions are the product's; what only noise needs is added to them.
    std::fs::copy("Cargo.lock", "fuzz/Cargo.lock")?;
    let mut build = run::cargo();
    // With a target named, what runs while building (macros, scripts) is built without the counters.
    build.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]).arg("--target-dir").arg(home);
    ensure!(run::through(build.env("RUSTFLAGS", FLAGS))?, "the fuzz targets do not build");
    Ok(home.join(host).join("release/hubbub-fuzz"))
}

/// Whether a target held for so long; if not, what broke it is told.
fn hold(program: &Path, home: &Path, name: &str, seconds: u32) -> Result<bool> {
    let (corpus, found) = (home.join("corpus").join(name), home.join("found"));
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&found)?;
    let mut fuzzer = Command::new(program);
    fuzzer.env("FUZZ_TARGET", name).env("FUZZ_CORPUS", &corpus).arg(&corpus);
    fuzzer.args([format!("-max_total_time={seconds}"), format!("-max_len={INPUT_BYTES_MAX}"), format!("-rss_limit_mb={MEMORY_MB_MAX}")]);
    fuzzer.args([format!("-timeout={SECONDS_MAX}"), format!("-artifact_prefix={}/{name}-", found.display())]);
    fuzzer.arg("-print_final_stats=1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = fuzzer.spawn().and_then(std::process::Child::wait_with_output).context("the fuzz program does not start")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    if output.status.success() {
        println!("{name:<16} {}", summary(&lines));
        return Ok(true);
    }
    println!("{name:<16} BROKE\n{}", lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"));
    if let Some(file) = lines.iter().find_map(|line| line.split("Test unit written to ").nth(1)) {
        println!("Repeat it with `cargo xtask fuzz {name} --input {file}`; when it is mended, keep that file in tests/fuzz/found/{name}/.");
    }
    Ok(false)
}

/// Inputs and the edges they reached, from libFuzzer's closing lines.
fn summary(lines: &[&str]) -> String {
    let inputs = lines.iter().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).unwrap_or("?").trim();
    let edges = lines.iter().rev().find_map(|line| line.split(" cov: ").nth(1)?.split(' ').next()).unwrap_or("?");
    format!("{inputs} inputs, {edges} edges reached, nothing found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_one_line() {
        let said = [
            "#2 INITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#99 NEW    cov: 40 ft: 60 corp: 2/9b",
            "Done 99 runs",
            "stat::number_of_executed_units: 99",
        ];
        assert_eq!(summary(&said), "99 inputs, 40 edges reached, nothing found");
    }
}
