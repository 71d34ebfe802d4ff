//! The web client from its sources to what the node serves. A stamp of what went in says when there is nothing to do.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::{house, run};

/// Where a build lands, for the node to serve.
pub const BUILT: &str = "web/app/dist";
const WEB: &str = "web";
const STAMP: &str = ".hubbub-stamp";

pub fn install() -> Result<()> {
    install_in(WEB)
}

/// `npm ci` in a folder, unless its lock file is the one it was done for.
pub fn install_in(folder: &str) -> Result<()> {
    let mut hash = DefaultHasher::new();
    std::fs::read(format!("{folder}/package-lock.json"))?.hash(&mut hash);
    let stamp = format!("{:x}", hash.finish());
    let stamp_file = format!("{folder}/node_modules/{STAMP}");
    if is_stamped(&stamp_file, &stamp) {
        return Ok(());
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-timeout=30000"];
    ensure!(run::show(run::npm(folder).args(arguments))?.success, "npm could not install what {folder}/package-lock.json names");
    std::fs::write(stamp_file, stamp)?;
    Ok(())
}

/// `npm run build`, unless nothing under `web/` changed since.
pub fn build() -> Result<()> {
    let mut hash = DefaultHasher::new();
    for source in house::sources()?.iter().filter(|source| source.path.starts_with("web/")) {
        (&source.path, &source.text).hash(&mut hash);
    }
    let stamp = format!("{:x}", hash.finish());
    let stamp_file = format!("{BUILT}/{STAMP}");
    if is_stamped(&stamp_file, &stamp) {
        return Ok(());
    }
    ensure!(run::show(run::npm(WEB).args(["run", "build"]))?.success, "the web client does not build");
    std::fs::write(stamp_file, stamp)?;
    Ok(())
}

fn is_stamped(path: &str, stamp: &str) -> bool {
    Path::new(path).exists() && std::fs::read_to_string(path).is_ok_and(|had| had == stamp)
}
