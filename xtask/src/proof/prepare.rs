//! Puts on the machine what the proof needs and is not there yet: on Debian as root by apt-get, else one sentence says
//! how a person does it. Python packages go to a folder of their own under the target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::doctor::{self, Need};
use crate::run;

/// Makes sure of these, or says what is missing and how to get it.
pub fn have(names: &[&str]) -> Result<()> {
    let needs = || doctor::TO_RUN.iter().chain(doctor::TO_PROVE).filter(|need| names.contains(&need.name));
    let lacking: Vec<&Need> = needs().filter(|need| doctor::lack(need).is_some()).collect();
    let packages: Vec<&str> = lacking.iter().flat_map(|need| need.packages.iter().copied()).collect();
    if !packages.is_empty() && can_install() {
        install(&packages)?;
    }
    let sentences: Vec<_> = needs().filter_map(doctor::lack).collect();
    if sentences.is_empty() {
        return Ok(());
    }
    bail!("{}", sentences.join("\n"))
}

/// Installs these where that is possible. Elsewhere the test that wants them says what is missing.
pub fn try_for(names: &[&str]) -> Result<()> {
    if can_install() { have(names) } else { Ok(()) }
}

fn can_install() -> bool {
    rustix::process::geteuid().is_root() && Command::new("apt-get").arg("--version").output().is_ok()
}

fn install(packages: &[&str]) -> Result<()> {
    println!("installing {}", packages.join(" "));
    run::show(Command::new("apt-get").args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
    if !run::show(&mut install)?.success {
        bail!("apt-get could not install {}", packages.join(" "));
    }
    Ok(())
}

/// The Python of a folder of our own with these packages in it, made anew when the list changes.
pub fn python(requirements: &str) -> Result<PathBuf> {
    have(&["Python"])?;
    let folder = run::target_folder()?.join("foreign-python");
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    let wanted = std::fs::read_to_string(requirements)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) && python.exists() {
        return Ok(python);
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output();
    if !made.is_ok_and(|output| output.status.success()) {
        if !can_install() {
            bail!("Python's venv is missing: `apt-get install python3-venv`");
        }
        install(&["python3-venv"])?;
        run::read(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    run::read(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}
