//! Hubbub beside others that carry messages to many: the same rooms, members and posts, driven by the same loop, in turns
//! in one run (ours, theirs, ours, theirs), so that what is printed is a ratio. Every delivery is counted and its number
//! checked on both sides; a run in which one is lost fails.
//!
//! What differs is what a server promises of a message it delivered; each row says it in words. Installs nothing: it is
//! told where the programs are.

mod adapter;
mod bun;
mod crowd;
mod ejabberd;
mod hubbub;
mod nats;
mod nchan;
mod report;
mod room;
mod server;
mod socketio;
mod text;
mod websocket;

use std::path::{Path, PathBuf};

use adapter::Adapter;
use anyhow::{Context, Error, bail, ensure};
use crowd::Crowd;
use report::Pair;
pub use report::{Report, Row, Sample};
pub(crate) use server::Server;

use crate::process;

pub const ROOMS: usize = 10;
pub const MEMBERS: usize = 100;

/// What to measure, and against whom.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "peers_options")]
pub struct Options {
    /// A server to be measured against, and where its program is: `bun=PATH`
    #[arg(long = "peer", value_name = "NAME=PATH", value_parser = pair)]
    peers: Vec<(String, String)>,
    /// A server that could not be had, and why; it gets a row of its own
    #[arg(long = "missing", value_name = "NAME=REASON", value_parser = pair)]
    missing: Vec<(String, String)>,
    /// Posts under way in each room at a time
    #[arg(long, value_delimiter = ',', default_value = "1,4,16")]
    under_way: Vec<usize>,
    /// How often each side has its turn
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// How long a turn takes
    #[arg(long, default_value_t = 2.0)]
    turn_seconds: f64,
    /// Fail, with exit code 99, when our CPU per delivery is more than this multiple of a peer's
    #[arg(long)]
    ratio_max: Option<f64>,
}

fn pair(told: &str) -> Result<(String, String), String> {
    let (name, rest) = told.split_once('=').ok_or("NAME=… is wanted")?;
    Ok((name.to_owned(), rest.to_owned()))
}

/// One that we measure ourselves against.
struct Peer {
    name: &'static str,
    /// What it promises of a message that was delivered.
    keeps: &'static str,
    launch: fn(&Launch<'_>) -> Result<Side, Error>,
}

const PEERS: &[Peer] = &[
    Peer { name: "bun", keeps: "nothing", launch: bun::launch },
    Peer { name: "bun-our-bytes", keeps: "nothing; sends as many bytes as we do", launch: bun::launch_with_our_bytes },
    Peer { name: "socket.io", keeps: "nothing", launch: socketio::launch },
    Peer { name: "nats", keeps: "nothing", launch: nats::launch },
    Peer { name: "jetstream", keeps: "file, synced before the ack; resume by sequence", launch: nats::launch_jetstream },
    Peer { name: "nchan", keeps: "memory, the last 100 of a room", launch: nchan::launch },
    Peer { name: "ejabberd", keeps: "file, archived in SQLite and synced before it is delivered", launch: ejabberd::launch },
];

/// What a side is started from.
struct Launch<'a> {
    /// Where the program is.
    program: &'a Path,
    /// For its configuration, data and log.
    folder: &'a Path,
    /// The processors it may use; empty: all.
    cpus: &'a [usize],
}

/// One server that runs, and how to talk to it.
struct Side {
    server: Server,
    adapter: Box<dyn Adapter>,
}

impl Options {
    /// Runs all of it; `server` is the node's binary.
    pub fn run(&self, server: &Path, processors: usize) -> Result<Report, Error> {
        ensure!(!self.under_way.is_empty() && self.turns > 0 && self.turn_seconds > 0.0, "there is nothing to measure");
        ensure!(
            self.under_way.iter().all(|n| (1..=room::UNDER_WAY_MAX).contains(n)),
            "1 to {} posts may be under way",
            room::UNDER_WAY_MAX
        );
        let files = process::raise_open_files();
        ensure!(files > 3000, "this takes 2,200 open files, and {files} are allowed: raise `ulimit -n`");
        let cpus = if processors > 1 { vec![0] } else { Vec::new() };
        let folder = tempfile::tempdir()?;
        let launch = Launch { program: server, folder: &folder.path().join("hubbub"), cpus: &cpus };
        let mut ours = Table::open(hubbub::launch(&launch)?).context("hubbub")?;
        let mut report = Report::new(processors);
        for (name, program) in &self.peers {
            let Some(peer) = PEERS.iter().find(|peer| peer.name == name) else { bail!("nobody here knows how to talk to {name}") };
            let launch = Launch { program: Path::new(program), folder: &folder.path().join(name), cpus: &cpus };
            eprintln!("{name}: starting it");
            std::fs::create_dir_all(launch.folder)?;
            // One that does not start is told in the table, and the others are measured; one that loses something ends the run.
            match (peer.launch)(&launch).and_then(Table::open) {
                Ok(theirs) => report.rows.extend(self.against(&mut ours, peer, theirs).with_context(|| format!("against {name}"))?),
                Err(error) => report.missing.push((name.clone(), format!("{error:#}"))),
            }
        }
        report.missing.extend(self.missing.iter().cloned());
        Ok(report)
    }

    fn against(&self, ours: &mut Table, peer: &Peer, mut theirs: Table) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for under_way in &self.under_way {
            eprintln!("{}: {under_way} under way a room", peer.name);
            // Both have run hot once before anything counts: a compiler that works while it runs has had its chance.
            for table in [&mut *ours, &mut theirs] {
                table.turn(*under_way, self.turn_seconds)?;
            }
            let mut pairs = Vec::new();
            for _ in 0..self.turns {
                let (ours, theirs) = (ours.turn(*under_way, self.turn_seconds)?, theirs.turn(*under_way, self.turn_seconds)?);
                pairs.push(Pair { ours, theirs });
            }
            rows.push(Row::new(peer.name, theirs.side.server.version(), peer.keeps, *under_way, pairs));
        }
        Ok(rows)
    }

    /// Against the same peers: so many posts under way, so many turns, so long each.
    pub fn briefly(&self, under_way: usize, turns: usize, turn_seconds: f64) -> Self {
        Self { under_way: vec![under_way], turns, turn_seconds, ..self.clone() }
    }

    /// The first row that is over the bound that was asked for.
    pub fn over<'a>(&self, report: &'a Report) -> Option<&'a Row> {
        report.rows.iter().find(|row| self.ratio_max.is_some_and(|max| row.ratio > max))
    }
}

/// A server with all its members in their rooms.
struct Table {
    side: Side,
    crowd: Crowd,
}

impl Table {
    fn open(mut side: Side) -> Result<Self, Error> {
        match Crowd::join(side.adapter.as_mut()) {
            Ok(crowd) => Ok(Self { side, crowd }),
            Err(error) => Err(error.context(side.server.last_words())),
        }
    }

    fn turn(&mut self, under_way: usize, seconds: f64) -> Result<Sample, Error> {
        let taken = self.crowd.turn(self.side.adapter.as_mut(), &self.side.server, under_way, seconds);
        taken.with_context(|| self.side.server.last_words())
    }
}

/// What a program says of itself: its first line, and of that the last word.
fn said(command: &mut std::process::Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    let out = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let line = String::from_utf8_lossy(&out).lines().next().unwrap_or_default().to_owned();
    Ok(line.split_whitespace().next_back().unwrap_or_default().to_owned())
}

/// The first file of this name under a folder.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let here = entries.iter().find(|path| path.file_name().is_some_and(|found| found == name)).cloned();
    here.or_else(|| entries.iter().filter(|path| path.is_dir() && !path.is_symlink()).find_map(|path| below(path, name)))
}

/// Where Debian's packages keep their libraries, in a folder that they were unpacked into.
fn libraries(folder: &Path) -> std::ffi::OsString {
    let folders = [format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH), "usr/lib".to_owned()];
    std::env::join_paths(folders.map(|inner| folder.join(inner))).unwrap_or_default()
}
