//! What is made out of the schema crate: API documents, TypeScript types, the tables in PROTOCOL.
//!
//! The same schema gives the same bytes on every machine. It never touches golden files that exist: those are what
//! older clients and stored data hold us to.

mod asyncapi;
mod openapi;
mod protocol;
mod routes;
#[cfg(test)]
mod shape;
mod tables;
mod types;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

#[derive(clap::Args)]
pub struct Options {
    /// Write nothing; fail on the first file that is not what it should be
    #[arg(long)]
    check: bool,
    /// Write the golden files of new variants, bodies and records; those that exist are never touched
    #[arg(long, conflicts_with = "check")]
    golden: bool,
}

pub fn chore(options: &Options) -> Result<()> {
    if options.golden {
        write_golden()?;
    }
    run(options.check)
}

/// The samples live with the test that compares them; the same test writes the files that are missing.
fn write_golden() -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "-p", "hubbub-schema", "--test", "golden"])
        .env("GOLDEN_WRITE", "1")
        .current_dir(root()?)
        .status()
        .context("cargo could not be started")?;
    if status.success() { Ok(()) } else { bail!("the golden files could not be written: see above") }
}

/// Writes every generated file; with `check`, writes nothing and fails on the first that is not what it should be.
pub fn run(check: bool) -> Result<()> {
    let root = root()?;
    for (path, content) in outputs(&root)? {
        let file = root.join(path);
        let before = fs::read_to_string(&file).unwrap_or_default();
        if before == content {
            continue;
        }
        if check {
            bail!("{path} is not what the schema crate says: run `cargo xtask gen` and commit what it writes");
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("could not make the folder of {path}"))?;
        }
        fs::write(&file, content).with_context(|| format!("could not write {path}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

fn outputs(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let types = types::Types::collect();
    let words = fs::read_to_string(root.join("docs/PROTOCOL.md")).context("docs/PROTOCOL.md could not be read")?;
    Ok(vec![
        ("web/sdk/src/generated/types.ts", typescript::render(&types)),
        ("docs/api/openapi.json", pretty(openapi::render(&types))?),
        ("docs/api/asyncapi.json", pretty(asyncapi::render(&types))?),
        ("docs/PROTOCOL.md", protocol::fill(&words, &types)?),
    ])
}

fn pretty(mut document: serde_json::Value) -> Result<String> {
    // The same order however serde_json was built.
    document.sort_all_objects();
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The workspace's folder: the one above this crate's.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).context("the folder of the workspace could not be found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_files_are_in_step_with_the_schema_crate() {
        run(true).unwrap();
    }
}
