//! The servers that Hubbub is measured against, fetched when they are asked for into the user's cache, each in a pinned
//! version (Debian's are whatever the machine's Debian has). Nothing is installed into the system and no service starts:
//! packages are unpacked. What cannot be had is told in one sentence and the others are measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{client, doctor, run};

/// One that can be had, and how.
struct Peer {
    name: &'static str,
    fetch: fn(&Path) -> Result<PathBuf>,
}

const PEERS: &[Peer] = &[
    Peer { name: "bun", fetch: bun },
    Peer { name: "bun-our-bytes", fetch: bun },
    Peer { name: "socket.io", fetch: npm },
    Peer { name: "nats", fetch: nats },
    Peer { name: "jetstream", fetch: nats },
    Peer { name: "nchan", fetch: nchan },
    Peer { name: "ejabberd", fetch: ejabberd },
];

const NATS: &str = "github.com/nats-io/nats-server/v2";
const NATS_VERSION: &str = "v2.15.2";

/// What `hubbub-bench peers` is to be told: the peers with their programs, and those that could not be had.
pub fn arguments(only: &[String]) -> Result<Vec<String>> {
    for name in only {
        let names: Vec<_> = PEERS.iter().map(|peer| peer.name).collect();
        ensure!(names.contains(&name.as_str()), "there is no peer `{name}`: there are {}", names.join(", "));
    }
    let cache = run::cache_folder().context("there is no folder for a cache: set HOME or XDG_CACHE_HOME")?.join("peers");
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let mut arguments = Vec::new();
    for peer in PEERS.iter().filter(|peer| only.is_empty() || only.iter().any(|name| name == peer.name)) {
        println!("{}: looking for it", peer.name);
        match (peer.fetch)(&cache) {
            Ok(program) => arguments.extend(["--peer".to_owned(), format!("{}={}", peer.name, program.display())]),
            Err(error) => {
                println!("{}: {error:#}", peer.name);
                arguments.extend(["--missing".to_owned(), format!("{}={error:#}", peer.name)]);
            }
        }
    }
    Ok(arguments)
}

/// The packages of `loadtest/peers/package-lock.json`; their scripts do not run.
fn npm(cache: &Path) -> Result<PathBuf> {
    doctor::require(&doctor::TO_RUN[3..5])?;
    let folder = cache.join("npm");
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(Path::new("loadtest/peers").join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    client::install_in(&folder.display().to_string())?;
    Ok(folder.join("node_modules"))
}

fn bun(cache: &Path) -> Result<PathBuf> {
    let builds = npm(cache)?.join("@oven");
    let built = fs::read_dir(&builds).into_iter().flatten().flatten().map(|entry| entry.path().join("bin/bun"));
    let mut found: Vec<_> = built.filter(|program| run::read(Command::new(program).arg("--version")).is_ok()).collect();
    found.pop().context("the package `bun` has no program for this machine")
}

/// Built from its module.
fn nats(cache: &Path) -> Result<PathBuf> {
    let folder = cache.join(format!("nats-{NATS_VERSION}"));
    let program = folder.join("nats-server");
    if !program.exists() {
        let mut go = Command::new("go");
        go.args(["install", &format!("{NATS}@{NATS_VERSION}")]).env("GOBIN", &folder).env("CGO_ENABLED", "0");
        ensure!(run::through(&mut go).context("NATS is built with Go")?, "go could not build {NATS}@{NATS_VERSION}");
    }
    Ok(program)
}

fn nchan(cache: &Path) -> Result<PathBuf> {
    debian(cache, "nchan", &["nginx", "libnginx-mod-nchan"])
}

fn ejabberd(cache: &Path) -> Result<PathBuf> {
    debian(cache, "ejabberd", &["ejabberd", "erlang-p1-sqlite3"])
}

/// Unpacks these packages of Debian, and what they need and the system does not have, into a folder of their own.
fn debian(cache: &Path, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = cache.join(name);
    if folder.join("usr").exists() {
        return Ok(folder);
    }
    let mut plan = Command::new("apt-get");
    plan.args(["-s", "--no-install-recommends", "install"]).args(packages).env("LC_ALL", "C");
    let mut planned = run::read(&mut plan);
    if planned.is_err() && rustix::process::geteuid().is_root() {
        run::read(Command::new("apt-get").args(["-q", "update"])).context("it is a package of Debian")?;
        planned = run::read(&mut plan);
    }
    let planned = planned.context("it is a package of Debian")?;
    let needed: Vec<_> = planned.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next()).collect();
    // Installed already, nothing would be downloaded: take the packages themselves all the same.
    let needed = if needed.is_empty() { packages.to_vec() } else { needed };
    let (parts, whole) = (cache.join(format!("{name}.parts")), cache.join(format!("{name}.new")));
    for folder in [&parts, &whole] {
        fs::remove_dir_all(folder).ok();
        fs::create_dir_all(folder)?;
    }
    println!("fetching {}", needed.join(" "));
    run::read(Command::new("apt-get").arg("download").args(&needed).current_dir(&parts))?;
    for part in fs::read_dir(&parts)? {
        run::read(Command::new("dpkg").arg("-x").arg(part?.path()).arg(&whole))?;
    }
    fs::rename(&whole, &folder)?;
    fs::remove_dir_all(&parts)?;
    Ok(folder)
}
