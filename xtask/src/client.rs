//! The web client from its sources to what the node serves. A stamp of what went in says when there is nothing to do.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::{house, run};

const INSTALLED_STAMP: &str = "web/node_modules/.hubbub-stamp";
const BUILT_STAMP: &str = "web/app/dist/.hubbub-stamp";

/// `npm ci`, unless the lock file is the one it was done for.
pub fn install() -> Result<()> {
    let mut hash = DefaultHasher::new();
    std::fs::read("web/package-lock.json")?.hash(&mut hash);
    let stamp = format!("{:x}", hash.finish());
    if is_stamped(INSTALLED_STAMP, &stamp) {
        return Ok(());
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-timeout=30000"];
    ensure!(run::show(run::npm("web").args(arguments))?.success, "npm could not install what web/package-lock.json names");
    std::fs::write(INSTALLED_STAMP, stamp)?;
    Ok(())
}

/// `npm run build`, unless nothing under `web/` changed since.
pub fn build() -> Result<()> {
    let mut hash = DefaultHasher::new();
    for source in house::sources()?.iter().filter(|source| source.path.starts_with("web/")) {
        (&source.path, &source.text).hash(&mut hash);
    }
    let stamp = format!("{:x}", hash.finish());
    if is_stamped(BUILT_STAMP, &stamp) {
        return Ok(());
    }
    ensure!(run::show(run::npm("web").args(["run", "build"]))?.success, "the web client does not build");
    std::fs::write(BUILT_STAMP, stamp)?;
    Ok(())
}

fn is_stamped(path: &str, stamp: &str) -> bool {
    Path::new(path).exists() && std::fs::read_to_string(path).is_ok_and(|had| had == stamp)
}
