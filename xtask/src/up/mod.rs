//! `cargo xtask up`: Hubbub on this machine, for a person who wants to look at it. Builds the client and the node, starts
//! one node on the loopback address, with its store inside or in a process of its own, or several on one store process, fills
//! it with people on its first start, and stops it on Ctrl-C. It is no way to run Hubbub for others: that is `hubbub serve` with a configuration.

mod child;
mod demo;
mod home;
pub mod node;
pub mod rest;
mod running;
mod store;
pub mod talk;

use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::{Context, Result, ensure};

use crate::{client, doctor, run};
use home::Home;
use running::{Plan, Running};

#[derive(clap::Args)]
pub struct Options {
    /// Drop the data of earlier starts, and begin anew
    #[arg(long)]
    fresh: bool,
    /// The port of the page, on 127.0.0.1; of several nodes the first has it, and the others have the next ones
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Build the node without optimising: quicker to build, slower to run
    #[arg(long)]
    quick: bool,
    /// Where the data are: in the node (which one node has by itself), or in a store process beside it
    #[arg(long, value_enum)]
    store: Option<StoreIs>,
    /// How many nodes; several share one store process
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=NODES_MAX))]
    nodes: u16,
    /// Start this program, and build none
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    node: Option<PathBuf>,
    /// Everything of the nodes: their data, their logs, and how far the demo came
    #[arg(long, value_name = "DIR", default_value = ".hubbub")]
    home: PathBuf,
}

/// More than this a machine for looking at it has no room for.
const NODES_MAX: i64 = 9;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StoreIs {
    Embedded,
    Remote,
}

pub fn run(options: &Options) -> Result<()> {
    doctor::require(doctor::TO_RUN)?;
    let home = Home::new(&options.home);
    let remote = options.store.unwrap_or(if options.nodes > 1 { StoreIs::Remote } else { StoreIs::Embedded }) == StoreIs::Remote;
    ensure!(remote || options.nodes == 1, "several nodes need a store process that they share: leave out `--store embedded`");
    ensure!(options.port.checked_add(options.nodes - 1).is_some(), "there are no {} ports from {} on", options.nodes, options.port);
    let ensure_free = || (0..options.nodes).try_for_each(|node| node::ensure_free(options.port + node));
    ensure_free()?;
    home.ensure_fits(options.nodes, options.fresh)?;
    let stop = on_stop()?;
    let program = match build(options) {
        // Ctrl-C reached the builders too: they did not fail, they were stopped.
        Err(_) if stop.try_recv().is_ok() => {
            println!("\nstopped");
            return Ok(());
        }
        built => built?,
    };
    println!("[3/3] starting");
    // Once more after minutes of building, and before `--fresh` drops what a node in the way may be using.
    ensure_free()?;
    let first = home.prepare(options.fresh)?;
    let plan = Plan { program, home, port: options.port, nodes: options.nodes, remote };
    let mut running = Running::default();
    let outcome = live(&mut running, &plan, first, &stop);
    let stopped = running.stop();
    // Why it ended says more than how.
    outcome.and(stopped)
}

fn build(options: &Options) -> Result<PathBuf> {
    println!("[1/3] the web client");
    client::install()?;
    client::build()?;
    if let Some(node) = &options.node {
        println!("[2/3] the node is {}", node.display());
        return Ok(node.clone());
    }
    println!("[2/3] the node{}", if options.quick { "" } else { " (the first build takes some minutes)" });
    build_node(options.quick)
}

/// From the first process to Ctrl-C, or to the end of one that ended by itself.
fn live(running: &mut Running, plan: &Plan, first: bool, stop: &mpsc::Receiver<()>) -> Result<()> {
    if !running.start(plan, first, stop)? {
        return Ok(());
    }
    if first {
        demo::play(&rest::Api::new(running.nodes[0].address()), stop)?;
        plan.home.keep_people()?;
    }
    print_welcome(running, &plan.home)?;
    running.watch(stop)?;
    println!("\nstopping …");
    Ok(())
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

fn build_node(quick: bool) -> Result<PathBuf> {
    let mut build = run::cargo();
    build.args(["build", "--package", "hubbub", "--bin", "hubbub"]);
    if !quick {
        build.arg("--release");
    }
    ensure!(run::through(&mut build)?, "the node does not build");
    Ok(run::target_folder()?.join(if quick { "debug/hubbub" } else { "release/hubbub" }))
}

fn print_welcome(running: &Running, home: &Home) -> Result<()> {
    let addresses: Vec<_> = running.nodes.iter().map(node::Node::address).collect();
    println!("\nHubbub is up: {}", addresses.join("  "));
    if running.nodes.len() > 1 {
        let names: Vec<_> = running.nodes.iter().map(|node| node.child.name()).collect();
        println!("Their group calls them {}, in this order.", names.join(", "));
    }
    if home.has_people() {
        let names: Vec<_> = talk::cast()?.people.into_iter().map(|person| person.name).collect();
        println!("Log in as {}; everybody's password is {}", names.join(", "), talk::PASSWORD);
        println!("Two browsers (or one, and a private window) make a conversation.");
    }
    // Of two only one votes: when that one dies, nobody may give its rooms to the other.
    if running.nodes.len() > 2
        && let Some(last) = running.nodes.last()
    {
        println!("kill -9 {}   # {}, to see its rooms move", last.child.id(), last.child.name());
    }
    println!("Ctrl-C stops it. Data and log stay in {}/ for the next start; `cargo xtask up --fresh` drops them.", home.path().display());
    Ok(())
}
