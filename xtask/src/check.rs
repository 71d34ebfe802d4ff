//! `check` looks and writes nothing; `fix` mends what a machine can mend. Both run every part and tell all that is wrong.

use anyhow::{Result, bail};

use crate::{r#gen, licences, run, tidy};

pub fn check() -> Result<()> {
    let mut wrong = Vec::new();
    let mut note = |name: &str, outcome: Result<()>| {
        if let Err(error) = outcome {
            eprintln!("{name}: {error:#}");
            wrong.push(name.to_owned());
        }
    };
    note("format", format());
    note("tidy", tidy::run());
    note("licences", licences::run());
    note("lints", lints());
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("wrong: {}. `cargo xtask fix` mends what a machine can.", wrong.join(", "))
}

pub fn fix() -> Result<()> {
    r#gen::run(false)?;
    shown(run::cargo().args(["clippy", "--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"]), "clippy --fix")?;
    shown(run::cargo().args(["fmt", "--all"]), "fmt")
}

pub fn format() -> Result<()> {
    shown(run::cargo().args(["fmt", "--all", "--check"]), "fmt --check")
}

pub fn lints() -> Result<()> {
    shown(run::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]), "clippy")
}

fn shown(command: &mut std::process::Command, name: &str) -> Result<()> {
    if run::show(command)?.success {
        return Ok(());
    }
    bail!("`cargo {name}` is not content")
}
