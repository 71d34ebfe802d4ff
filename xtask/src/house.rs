//! Where the house stands and which files belong to it. Reads git's list, so that what git ignores is nobody's business.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// One text file of the house.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root, with forward slashes.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Makes the root of the workspace the current folder, so that every chore may use paths from there.
pub fn enter() -> Result<()> {
    let root = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder).parent().map(Path::to_path_buf).unwrap_or_default(),
        None => std::env::current_dir()?,
    };
    ensure!(root.join("xtask").is_dir(), "there is no xtask in {}: run `cargo xtask` inside the project", root.display());
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}

/// Every text file that is in git or would be after `git add`.
pub fn sources() -> Result<Vec<Source>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .output()
        .context("git is missing: it tells which files belong to the project")?;
    ensure!(listed.status.success(), "git cannot list the files here: {}", String::from_utf8_lossy(&listed.stderr).trim());
    let mut sources = Vec::new();
    for path in listed.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        let path = String::from_utf8(path.to_vec()).context("a file name is not UTF-8")?;
        // A file deleted but not committed is listed and not there; a picture is not text.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path, text });
        }
    }
    Ok(sources)
}
