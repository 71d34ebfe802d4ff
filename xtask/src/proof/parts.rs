//! The parts of the proof, quickest first, so that a slip shows early. Each says what it needs; none knows another.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::tally::{self, Tally};
use super::{Part, prepare, up};
use crate::bench::peers;
use crate::{check, client, licences, run, tidy};

pub const ALL: &[Part] = &[
    Part { name: "format", proves: "every Rust file is as rustfmt writes it", run: format },
    Part { name: "tidy", proves: "the rules of the house hold", run: rules },
    Part { name: "licences", proves: "every dependency may be given away with Hubbub", run: licences },
    Part { name: "lints", proves: "clippy has nothing to say", run: lints },
    Part { name: "rust", proves: "the tests of every crate, end to end ones among them", run: rust },
    Part { name: "power", proves: "twenty power cuts lose nothing that was acknowledged", run: power },
    Part {
        name: "net",
        proves: "three nodes in networks of their own keep every promise while one is cut off, killed, replaced",
        run: net,
    },
    Part { name: "web", proves: "the client's types, unit tests and build", run: web },
    Part { name: "browser", proves: "the client in Chromium against a real node", run: browser },
    Part { name: "up", proves: "the first command starts, keeps its data, and stops on Ctrl-C", run: first_command },
    Part { name: "guards", proves: "memory of an idle user, a delivery beside Bun, a storm, phones in a tunnel", run: guards },
    Part { name: "foreign", proves: "clients in Python and Node that know PROTOCOL alone", run: foreign },
];

fn format() -> Result<Tally> {
    prepare::have(&["rustfmt"])?;
    check::format().map(|()| Tally::success())
}

fn rules() -> Result<Tally> {
    tidy::run().map(|()| Tally::success())
}

fn licences() -> Result<Tally> {
    licences::run().map(|()| Tally::success())
}

fn lints() -> Result<Tally> {
    prepare::have(&["Rust", "clippy", "C compiler", "make"])?;
    check::lints().map(|()| Tally::success())
}

fn rust() -> Result<Tally> {
    prepare::have(&["Rust", "C compiler", "make", "git"])?;
    counted(run::cargo().args(["test", "--workspace", "--no-fail-fast"]))
}

/// How a test says that this machine has no root, or not what only root can use: loop devices, network namespaces.
const UNABLE: i32 = 77;

fn power() -> Result<Tally> {
    prepare::have(&["Rust", "Python"])?;
    let mut cuts = Command::new("python3");
    let ran = run::show(run::with_target(cuts.arg("store/tests/power_cut.py"))?)?;
    if ran.code == Some(UNABLE) {
        // Where the machine does not allow it nothing was promised; the script has said why.
        return Ok(Tally::default());
    }
    Ok(tally::read(&ran.lines, ran.success))
}

/// The small set; `cargo test --workspace --test net -- all` runs every fault.
fn net() -> Result<Tally> {
    prepare::have(&["Rust", "C compiler", "make"])?;
    prepare::try_for(&["ip", "nft"])?;
    let ran = run::show(run::cargo().args(["test", "--workspace", "--test", "net", "--", "small"]))?;
    if ran.code == Some(UNABLE) {
        // As with `power`.
        return Ok(Tally::default());
    }
    Ok(tally::read(&ran.lines, ran.success))
}

fn web() -> Result<Tally> {
    prepare::have(&["Node", "npm"])?;
    client::install()?;
    let mut tally = counted(run::npm("web").args(["run", "test"]))?;
    tally.add(Tally::of(run::show(run::npm("web").args(["run", "build"]))?.success));
    Ok(tally)
}

fn browser() -> Result<Tally> {
    prepare::have(&["Node", "npm", "Chromium"])?;
    client::install()?;
    client::build()?;
    counted(run::npm("web").args(["run", "e2e"]).env("HUBBUB_BIN", node()?))
}

fn first_command() -> Result<Tally> {
    prepare::have(&["Rust", "C compiler", "make", "Node", "npm"])?;
    up::prove(node()?)
}

fn foreign() -> Result<Tally> {
    prepare::have(&["Node", "npm", "Python"])?;
    client::install_in("tests/foreign")?;
    let node = node()?;
    let python = prepare::python("tests/foreign/requirements.txt")?;
    let mut tally = counted(Command::new(&python).arg("tests/foreign/state_hash_test.py"))?;
    for script in ["tests/foreign/python_test.py", "tests/foreign/routes_test.py", "tests/foreign/protocol_test.py"] {
        tally.add(counted(Command::new(&python).arg(script).env("HUBBUB_BIN", &node))?);
    }
    let echo = node.with_file_name("examples").join("echo");
    tally.add(counted(Command::new(&python).arg("tests/foreign/rfc6455_test.py").env("HUBBUB_ECHO", &echo))?);
    tally.add(counted(
        Command::new("node").args(["--test", "tests/foreign/golden.test.mjs", "tests/foreign/ws.test.mjs"]).env("HUBBUB_BIN", &node),
    )?);
    Ok(tally)
}

/// With the programs as the tests built them: most of what is measured is the kernel's, and what they depend on is optimised.
fn guards() -> Result<Tally> {
    prepare::have(&["Node", "npm"])?;
    let node = node()?;
    let mut guards = Command::new(node.with_file_name("hubbub-bench"));
    counted(guards.arg("guards").args(peers::arguments(&["bun".to_owned()])?).env("HUBBUB_BIN", &node))
}

/// The server's program as the tests of the `rust` part built it; the examples are beside it.
fn node() -> Result<std::path::PathBuf> {
    let built = run::show(run::cargo().args(["build", "--workspace", "--bins", "--examples"]))?;
    anyhow::ensure!(built.success, "the node does not build");
    Ok(std::path::absolute(run::target_folder()?.join(Path::new("debug/hubbub")))?)
}

fn counted(command: &mut Command) -> Result<Tally> {
    let ran = run::show(command)?;
    Ok(tally::read(&ran.lines, ran.success))
}
