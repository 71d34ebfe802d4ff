//! What this machine lacks, one sentence a thing, with how to get it. Only looks; `test` may install (`prepare`).

use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// One program that a chore needs.
pub struct Need {
    pub name: &'static str,
    /// Any of these will do.
    programs: &'static [&'static str],
    arguments: &'static [&'static str],
    at_least: &'static [u32],
    get: &'static str,
    /// Debian's packages that hold it; empty: a person gets it by hand.
    pub packages: &'static [&'static str],
}

/// For `up`: all that a person has to have.
pub const TO_RUN: &[Need] = &[
    Need {
        name: "Rust",
        programs: &["cargo"],
        arguments: &["--version"],
        at_least: &[1, 95],
        get: "install Rust with rustup, or `rustup update stable`",
        packages: &[],
    },
    Need {
        name: "C compiler",
        programs: &["cc"],
        arguments: &["--version"],
        at_least: &[],
        get: "install a C compiler: `apt-get install gcc`, or Xcode's command line tools",
        packages: &["gcc", "libc6-dev"],
    },
    Need {
        name: "make",
        programs: &["make", "gmake"],
        arguments: &["--version"],
        at_least: &[],
        get: "install make: `apt-get install make`",
        packages: &["make"],
    },
    Need {
        name: "Node",
        programs: &["node"],
        arguments: &["--version"],
        at_least: &[20, 19],
        get: "install Node 20.19 or newer, from its home page or your package manager",
        packages: &[],
    },
    Need {
        name: "npm",
        programs: &["npm"],
        arguments: &["--version"],
        at_least: &[],
        get: "install npm: it comes with Node",
        packages: &[],
    },
];

/// For `test`, besides.
pub const TO_PROVE: &[Need] = &[
    Need {
        name: "rustfmt",
        programs: &["cargo"],
        arguments: &["fmt", "--version"],
        at_least: &[],
        get: "`rustup component add rustfmt`",
        packages: &[],
    },
    Need {
        name: "clippy",
        programs: &["cargo"],
        arguments: &["clippy", "--version"],
        at_least: &[],
        get: "`rustup component add clippy`",
        packages: &[],
    },
    Need {
        name: "Chromium",
        programs: &["chromium", "chromium-browser", "google-chrome"],
        arguments: &["--version"],
        at_least: &[],
        get: "install Chromium: `apt-get install chromium fonts-dejavu-core fonts-noto-color-emoji`",
        packages: &["chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"],
    },
    Need {
        name: "Python",
        programs: &["python3"],
        arguments: &["--version"],
        at_least: &[3, 9],
        get: "install Python 3 with venv: `apt-get install python3 python3-venv`",
        packages: &["python3", "python3-venv"],
    },
    Need {
        name: "git",
        programs: &["git"],
        arguments: &["--version"],
        at_least: &[2],
        get: "install git: `apt-get install git`",
        packages: &["git"],
    },
    Need {
        name: "ip",
        programs: &["ip"],
        arguments: &["-V"],
        at_least: &[],
        get: "install iproute2: `apt-get install iproute2` (Linux alone has network namespaces)",
        packages: &["iproute2"],
    },
    Need {
        name: "nft",
        programs: &["nft"],
        arguments: &["--version"],
        at_least: &[],
        get: "install nftables: `apt-get install nftables` (Linux alone has it)",
        packages: &["nftables"],
    },
];

/// For `fuzz`, besides what `up` needs to build the node.
pub const TO_FUZZ: &[Need] = &[Need {
    name: "C++ compiler",
    programs: &["c++"],
    arguments: &["--version"],
    at_least: &[],
    get: "install a C++ compiler: `apt-get install g++`, or Xcode's command line tools",
    packages: &["g++"],
}];

/// What is wrong with one need on this machine, as a sentence.
pub fn lack(need: &Need) -> Option<String> {
    match found(need) {
        None => Some(format!("{} is missing: {}.", need.name, need.get)),
        Some(said) if !new_enough(&said, need.at_least) => {
            let wanted = need.at_least.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            Some(format!("{} here says `{said}`, and {wanted} is needed: {}.", need.name, need.get))
        }
        Some(_) => None,
    }
}

/// Refuses in one sentence a thing if this machine cannot do the chore.
pub fn require(needs: &[Need]) -> Result<()> {
    let lacks: Vec<_> = needs.iter().filter_map(lack).collect();
    if lacks.is_empty() {
        return Ok(());
    }
    bail!("{}", lacks.join("\n"))
}

pub fn run() -> Result<()> {
    let mut lacking = 0;
    let parts = [
        ("To run it (`cargo xtask up`):", TO_RUN),
        ("To prove it (`cargo xtask test`), besides:", TO_PROVE),
        ("To fuzz it (`cargo xtask fuzz`), besides:", TO_FUZZ),
    ];
    for (title, needs) in parts {
        println!("{title}");
        for need in needs {
            match lack(need) {
                None => println!("  ok       {:<12} {}", need.name, found(need).unwrap_or_default()),
                Some(sentence) => {
                    lacking += 1;
                    println!("  missing  {sentence}");
                }
            }
        }
    }
    if lacking > 0 {
        bail!("{lacking} missing");
    }
    Ok(())
}

fn found(need: &Need) -> Option<String> {
    need.programs.iter().find_map(|program| {
        let said = run::read(Command::new(program).args(need.arguments)).ok()?;
        Some(said.lines().next().unwrap_or_default().to_owned())
    })
}

/// Compares the first dotted number in what the program says of itself.
fn new_enough(said: &str, at_least: &[u32]) -> bool {
    let Some(start) = said.find(|c: char| c.is_ascii_digit()) else { return at_least.is_empty() };
    let number = said[start..].split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let have: Vec<u32> = number.split('.').filter_map(|part| part.parse().ok()).collect();
    have.as_slice() >= at_least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers_and_not_as_text() {
        assert!(new_enough("v20.19.0", &[20, 19]));
        assert!(new_enough("cargo 1.100.0 (abc 2027-01-01)", &[1, 95]));
        assert!(!new_enough("v20.9.1", &[20, 19]));
        assert!(!new_enough("cargo 1.94.1", &[1, 95]));
        assert!(new_enough("no number at all", &[]));
        assert!(!new_enough("no number at all", &[1]));
    }

    #[test]
    fn a_missing_program_is_named_with_the_way_to_get_it() {
        let need =
            Need { name: "Lute", programs: &["a-program-nobody-has"], arguments: &[], at_least: &[], get: "build a lute", packages: &[] };
        assert_eq!(lack(&need).as_deref(), Some("Lute is missing: build a lute."));
    }
}
