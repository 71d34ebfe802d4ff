//! What is made out of the schema crate: API documents, TypeScript types, the tables in PROTOCOL.
//!
//! The same schema gives the same bytes on every machine. It never touches golden files that exist: those are what
//! older clients and stored data hold us to.

mod tables;
mod types;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

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

fn outputs(_root: &Path) -> Result<Vec<(&'static str, String)>> {
    let types = types::Types::collect();
    Ok(vec![("web/sdk/src/generated/types.ts", typescript::render(&types))])
}

/// The workspace's folder: the one above this crate's.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).context("the folder of the workspace could not be found")
}
