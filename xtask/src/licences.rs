//! Every dependency's licence against one list, from what `cargo metadata` and the npm lock file say. It trusts those
//! words; it does not read licence texts.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run;

/// Licences that let Hubbub be given away under Apache-2.0 without conditions on its users' own work.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

/// Packages outside the list, each with the reason it may stay.
const EXCEPTIONS: &[(&str, &str)] =
    &[("@fontsource-variable/inter", "a font under OFL-1.1: may be bundled with software under any licence, and is not sold by itself")];

/// A package and what its manifest says.
#[derive(Debug)]
struct Licensed {
    name: String,
    licence: Option<String>,
}

pub fn run() -> Result<()> {
    let mut packages = crates()?;
    if std::path::Path::new("web/package-lock.json").exists() {
        packages.extend(npm(&std::fs::read_to_string("web/package-lock.json")?)?);
    }
    let wrong: Vec<_> = packages.iter().filter_map(refusal).collect();
    for sentence in &wrong {
        println!("{sentence}");
    }
    if !wrong.is_empty() {
        bail!("{} dependencies have licences that are not on the list in xtask/src/licences.rs", wrong.len());
    }
    println!("licences: {} packages, all on the list", packages.len());
    Ok(())
}

fn refusal(package: &Licensed) -> Option<String> {
    if EXCEPTIONS.iter().any(|(name, _)| *name == package.name) {
        return None;
    }
    match &package.licence {
        None => Some(format!("{} states no licence", package.name)),
        Some(licence) if !allowed(licence) => Some(format!("{} is under {licence}", package.name)),
        Some(_) => None,
    }
}

/// What is built for this machine's platform; other platforms' crates are not even fetched.
fn crates() -> Result<Vec<Licensed>> {
    let host = run::read(std::process::Command::new("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its host")?.to_owned();
    let told = run::read(run::cargo().args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host]))?;
    let told: Value = serde_json::from_str(&told)?;
    let packages = told["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .map(|package| Licensed {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
        })
        .collect())
}

/// What the browser gets: development tools of npm never leave the machine that builds.
fn npm(lock: &str) -> Result<Vec<Licensed>> {
    let lock: Value = serde_json::from_str(lock).context("the npm lock file is not JSON")?;
    let packages = lock["packages"].as_object().context("the npm lock file lists no packages")?;
    Ok(packages
        .iter()
        .filter(|(path, package)| path.contains("node_modules/") && package["dev"] != true && package["link"] != true)
        .map(|(path, package)| Licensed {
            name: path.rsplit("node_modules/").next().unwrap_or(path).to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
        })
        .collect())
}

/// An SPDX expression: allowed if one side of every OR and all sides of every AND are. `/` is the old way to write OR.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "\u{1}");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let verdict = either(&words, &mut at);
    verdict && at == words.len()
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut verdict = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        verdict |= both(words, at);
    }
    verdict
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut verdict = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        verdict &= one(words, at);
    }
    verdict
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else {
        // The expression breaks off: past its end, so that no verdict on its other half counts.
        *at = usize::MAX;
        return false;
    };
    *at += 1;
    if *word != "(" {
        return ALLOWED.contains(&word.replace('\u{1}', " WITH ").as_str());
    }
    let verdict = either(words, at);
    let closed = words.get(*at) == Some(&")");
    *at = at.saturating_add(1);
    verdict && closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_all() {
        assert!(allowed("MIT OR GPL-3.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("(MIT OR GPL-2.0) AND Unicode-3.0"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception OR MIT"));
        assert!(!allowed("MIT AND GPL-3.0"));
        assert!(!allowed("AGPL-3.0"));
        assert!(!allowed("MIT OR"));
        assert!(!allowed(""));
    }

    #[test]
    fn a_planted_copyleft_dependency_is_named() {
        let lock = r#"{"packages": {"": {"name": "web"},
            "node_modules/good": {"license": "MIT"},
            "node_modules/a/node_modules/sticky": {"license": "GPL-3.0-only"},
            "node_modules/silent": {},
            "node_modules/tool": {"license": "GPL-3.0-only", "dev": true}}}"#;
        let said: Vec<_> = npm(lock).unwrap().iter().filter_map(refusal).collect();
        assert_eq!(said, ["sticky is under GPL-3.0-only", "silent states no licence"]);
    }
}
