//! Starting other programs: shown as they run, or kept for reading. No shell in between, so no quoting to get wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result, bail};

/// What a program that was shown left behind.
#[derive(Debug)]
pub struct Ran {
    pub success: bool,
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    /// Both streams, line by line, in the order they came.
    pub lines: Vec<String>,
}

/// Lines kept of one program: the runners' closing lines are at the end, so the oldest go first.
const LINES_MAX: usize = 20_000;

/// Cargo itself. In CI its target folder is the user's cache, so that a machine that is warm builds only what changed.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if let Some(folder) = cached_target() {
        command.env("CARGO_TARGET_DIR", folder);
    }
    command
}

/// For a program that calls cargo by itself: the same target folder.
pub fn with_target(command: &mut Command) -> Result<&mut Command> {
    Ok(command.env("CARGO_TARGET_DIR", target_folder()?))
}

fn cached_target() -> Option<PathBuf> {
    if !crate::proof::in_ci() || std::env::var_os("CARGO_TARGET_DIR").is_some() {
        return None;
    }
    Some(cache_folder()?.join("target"))
}

/// Ours in the user's cache: for what takes long to get and can be got again.
pub fn cache_folder() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("hubbub"))
}

/// Where cargo puts what it builds.
pub fn target_folder() -> Result<PathBuf> {
    let told = read(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    Ok(told["target_directory"].as_str().context("cargo does not say where it builds")?.into())
}

pub fn npm(folder: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder);
    command
}

/// Runs to the end, showing every line as it comes and keeping it.
pub fn show(command: &mut Command) -> Result<Ran> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}: `cargo xtask doctor` tells what is missing"))?;
    let (lines, incoming) = mpsc::sync_channel(1024);
    let readers = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .flatten()
    .map(|stream| {
        let lines = lines.clone();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
                if lines.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    break;
                }
                line.clear();
            }
        })
    })
    .collect::<Vec<_>>();
    drop(lines);
    let mut kept = std::collections::VecDeque::new();
    let mut out = std::io::stdout();
    for line in incoming {
        let _ = writeln!(out, "{line}");
        if kept.len() == LINES_MAX {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    let status = child.wait()?;
    for reader in readers {
        let _ = reader.join();
    }
    Ok(Ran { success: status.success(), code: status.code(), lines: kept.into() })
}

/// Runs to the end on this very terminal, with the progress that the program draws there; whether it succeeded.
pub fn through(command: &mut Command) -> Result<bool> {
    let program = command.get_program().to_string_lossy().into_owned();
    Ok(command.stdin(Stdio::null()).status().with_context(|| format!("{program} is missing"))?.success())
}

/// Runs to the end in silence; its output is the answer, or the reason it failed.
pub fn read(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{program} is missing"))?;
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
