//! `cargo xtask up`: Hubbub on this machine, for a person who wants to look at it. Builds the client and the node, starts
//! one node on the loopback address with the embedded store, fills it with people on its first start, and stops it on
//! Ctrl-C. It is no way to run Hubbub for others: that is `hubbub serve` with a configuration.

mod demo;
mod node;
mod rest;
mod talk;

use std::path::Path;
use std::sync::mpsc;

use anyhow::{Context, Result, bail, ensure};

use crate::{client, doctor, run};
use node::Node;

/// Everything of this node: its data, its log, and how far the demo came.
const HOME: &str = ".hubbub";

#[derive(clap::Args)]
pub struct Options {
    /// Drop the data of earlier starts, and begin anew
    #[arg(long)]
    fresh: bool,
    /// The port of the page, on 127.0.0.1
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Build the node without optimising: quicker to build, slower to run
    #[arg(long)]
    quick: bool,
}

pub fn run(options: &Options) -> Result<()> {
    doctor::require(doctor::TO_RUN)?;
    let stop = on_stop()?;
    let program = match build(options.quick) {
        // Ctrl-C reached the builders too: they did not fail, they were stopped.
        Err(_) if stop.try_recv().is_ok() => {
            println!("\nstopped");
            return Ok(());
        }
        built => built?,
    };
    println!("[3/3] starting");
    let first = prepare_home(options.fresh)?;
    let mut node = Node::start(&program, Path::new(HOME), options.port, first)?;
    let outcome = live(&mut node, first, &stop);
    node.stop()?;
    outcome
}

fn build(quick: bool) -> Result<std::path::PathBuf> {
    println!("[1/3] the web client");
    client::install()?;
    client::build()?;
    println!("[2/3] the node{}", if quick { "" } else { " (the first build takes some minutes)" });
    build_node(quick)
}

/// From the first answer to Ctrl-C, or to the node's own end.
fn live(node: &mut Node, first: bool, stop: &mpsc::Receiver<()>) -> Result<()> {
    if !node.wait_ready(stop)? {
        return Ok(());
    }
    if first {
        demo::play(&rest::Api::new(node.address()), stop)?;
        std::fs::write(stage_file(), "done")?;
    }
    print_welcome(node, Path::new(&stage_file()).exists())?;
    match node.wait(stop)? {
        None => {
            println!("\nstopping …");
            Ok(())
        }
        Some(status) => bail!("the node ended by itself ({status}); the end of its log:\n{}", node.log_end()),
    }
}

/// A message for every Ctrl-C or SIGTERM: the node gets its own, from us, so that it ends in order.
fn on_stop() -> Result<mpsc::Receiver<()>> {
    let (say, heard) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = say.send(());
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(heard)
}

fn build_node(quick: bool) -> Result<std::path::PathBuf> {
    let mut build = run::cargo();
    build.args(["build", "--package", "hubbub", "--bin", "hubbub"]);
    if !quick {
        build.arg("--release");
    }
    ensure!(run::through(&mut build)?, "the node does not build");
    Ok(run::target_folder()?.join(if quick { "debug/hubbub" } else { "release/hubbub" }))
}

fn stage_file() -> String {
    format!("{HOME}/demo")
}

/// Whether the demo is to be played: on data that is new, and on data whose demo was cut off, which is dropped.
fn prepare_home(fresh: bool) -> Result<bool> {
    let stage = std::fs::read_to_string(stage_file()).ok();
    let data = Path::new(HOME).join("data");
    let cut_off = stage.as_deref() == Some("begun");
    if (fresh || cut_off) && Path::new(HOME).exists() {
        std::fs::remove_dir_all(HOME).with_context(|| format!("cannot drop {HOME}: is another node still running on it?"))?;
    }
    let first = !data.exists();
    std::fs::create_dir_all(&data)?;
    if first {
        std::fs::write(stage_file(), "begun")?;
    }
    Ok(first)
}

fn print_welcome(node: &Node, with_people: bool) -> Result<()> {
    println!("\nHubbub is up: {}", node.address());
    if with_people {
        let names: Vec<_> = talk::cast()?.people.into_iter().map(|person| person.name).collect();
        println!("Log in as {}; everybody's password is {}", names.join(", "), talk::PASSWORD);
        println!("Two browsers (or one, and a private window) make a conversation.");
    }
    println!("Ctrl-C stops it. Data and log stay in {HOME}/ for the next start; `cargo xtask up --fresh` drops them.");
    Ok(())
}
