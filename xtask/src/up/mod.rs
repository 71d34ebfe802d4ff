//! `cargo xtask up`: Hubbub on this machine, for a person who wants to look at it. Builds the client and the node, starts
//! one node on the loopback address, with its store inside or in a process of its own, fills it with people on its first
//! start, and stops it on Ctrl-C. It is no way to run Hubbub for others: that is `hubbub serve` with a configuration.

mod child;
mod demo;
pub mod node;
pub mod rest;
mod store;
pub mod talk;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::{client, doctor, run};
use node::Node;
use store::Store;

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
    /// Where the data are: in the node, or in a store process beside it
    #[arg(long, value_enum, default_value_t = StoreIs::Embedded)]
    store: StoreIs,
    /// Start this program, and build none
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    node: Option<PathBuf>,
    /// Everything of this node: its data, its log, and how far the demo came
    #[arg(long, value_name = "DIR", default_value = ".hubbub")]
    home: PathBuf,
}

/// How often it is looked whether all that runs still does.
const WATCH: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum StoreIs {
    Embedded,
    Remote,
}

/// What runs, in the order in which it has to end.
struct Running {
    node: Node,
    store: Option<Store>,
}

pub fn run(options: &Options) -> Result<()> {
    doctor::require(doctor::TO_RUN)?;
    node::ensure_free(options.port)?;
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
    node::ensure_free(options.port)?;
    let first = prepare_home(&options.home, options.fresh)?;
    let Some(mut running) = start(&program, options, first, &stop)? else { return Ok(()) };
    let outcome = live(&mut running, &options.home, first, &stop);
    let stopped = running.stop();
    // Why it ended says more than how.
    outcome.and(stopped)
}

impl Running {
    fn stop(&mut self) -> Result<()> {
        self.node.child.stop()?;
        if let Some(store) = &mut self.store {
            store.child.stop()?;
        }
        println!("stopped");
        Ok(())
    }
}

/// `None`: it was told to stop before.
fn start(program: &Path, options: &Options, first: bool, stop: &mpsc::Receiver<()>) -> Result<Option<Running>> {
    let mut store = None;
    if options.store == StoreIs::Remote {
        let mut process = Store::start(program, &options.home)?;
        if !process.wait_ready(stop)? {
            process.child.stop()?;
            return Ok(None);
        }
        store = Some(process);
    }
    let node = Node::start(program, &options.home, options.port, store.as_ref(), first)?;
    Ok(Some(Running { node, store }))
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

/// From the first answer to Ctrl-C, or to the end of one that ended by itself.
fn live(running: &mut Running, home: &Path, first: bool, stop: &mpsc::Receiver<()>) -> Result<()> {
    if !running.node.wait_ready(stop)? {
        return Ok(());
    }
    if first {
        demo::play(&rest::Api::new(running.node.address()), stop)?;
        std::fs::write(stage_file(home), "done")?;
    }
    print_welcome(&running.node, home, stage_file(home).exists())?;
    while stop.recv_timeout(WATCH).is_err() {
        if let Some(status) = running.node.child.ended()? {
            bail!("the node ended by itself ({status}); {}", running.node.child.last_words());
        }
        if let Some(store) = &mut running.store
            && let Some(status) = store.child.ended()?
        {
            bail!("the store process ended by itself ({status}); {}", store.child.last_words());
        }
    }
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

fn stage_file(home: &Path) -> PathBuf {
    home.join("demo")
}

/// Whether the demo is to be played: on data that is new, and on data whose demo was cut off, which is dropped.
fn prepare_home(home: &Path, fresh: bool) -> Result<bool> {
    let stage = std::fs::read_to_string(stage_file(home)).ok();
    let data = home.join("data");
    let cut_off = stage.as_deref() == Some("begun");
    if (fresh || cut_off) && home.exists() {
        std::fs::remove_dir_all(home).with_context(|| format!("cannot drop {}: is another node still running on it?", home.display()))?;
    }
    let first = !data.exists();
    std::fs::create_dir_all(&data)?;
    if first {
        std::fs::write(stage_file(home), "begun")?;
    }
    Ok(first)
}

fn print_welcome(node: &Node, home: &Path, with_people: bool) -> Result<()> {
    println!("\nHubbub is up: {}", node.address());
    if with_people {
        let names: Vec<_> = talk::cast()?.people.into_iter().map(|person| person.name).collect();
        println!("Log in as {}; everybody's password is {}", names.join(", "), talk::PASSWORD);
        println!("Two browsers (or one, and a private window) make a conversation.");
    }
    println!("Ctrl-C stops it. Data and log stay in {}/ for the next start; `cargo xtask up --fresh` drops them.", home.display());
    Ok(())
}
