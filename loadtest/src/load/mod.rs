//! Benchmarks of one node, and of several that are a group: each starts from people and rooms that it makes, counts every delivery, checks every sequence,
//! and fails rather than print a figure from a run in which something was lost.

mod big_room;
mod fan_out;
mod flock;
mod history;
mod idle;
mod message;
mod posts;
mod progress;
pub mod raw;
mod report;
mod scenarios;
mod several;
mod slow;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub use anyhow::Error;
use anyhow::{Context, ensure};
use posts::Pace;
use raw::Counts;
use schema::RoomId;
use tokio::task::JoinHandle;

pub use progress::{progress, told};
pub use report::{Figure, Report};

use crate::client::Target;
use crate::people::{self, Person};
use crate::process::{self, Process};

/// What is posted: 128 bytes.
const TEXT: &str =
    "The quick brown fox jumps over the lazy dog, and the dog, who has seen this all before, goes back to sleep in the warm sun again";
const _: () = assert!(TEXT.len() == 128);

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Options {
    pub server: PathBuf,
    /// An echo over the server's own door and lots; none: beside the server, in `examples`.
    pub echo: Option<PathBuf>,
    /// Of each timed part.
    pub seconds: u64,
    /// Idle ones, each of another person.
    pub connections: usize,
    /// Names of the parts to run; none: all of one node.
    pub only: Vec<String>,
    /// How often a node of a group is killed.
    pub kills: usize,
    /// That sleep, at one node of a group.
    pub rooms: usize,
    /// Of the machine, before this program kept itself to one; the node's.
    pub processors: usize,
}

/// What can be measured of one node, in this order.
const ALONE: [&str; 11] =
    ["posts", "ack", "fan-out", "message", "history", "big-room", "slow-readers", "storm", "jitter", "idle", "idle-20"];

/// All that can be measured: of one node, then of a group.
pub fn parts() -> Vec<&'static str> {
    [&ALONE[..], &several::PARTS].concat()
}

/// Members of the big room.
const BIG_ROOM: usize = 10_000;

/// Runs the parts, each on a node of its own with empty data.
pub async fn bench(options: &Options) -> Result<Report, Error> {
    let files = process::raise_open_files();
    let keys = process::counted_keys();
    let for_idle = idle::keys();
    let mut figures = Vec::new();
    let is_wanted = |part: &&str| if options.only.is_empty() { ALONE.contains(part) } else { options.only.iter().any(|only| only == part) };
    for part in parts().into_iter().filter(is_wanted) {
        let folder = tempfile::tempdir()?;
        let own = match part {
            "idle" | "idle-20" => for_idle.clone(),
            "slow-readers" => slow::keys(),
            _ => Vec::new(),
        };
        let is_own = |(section, key, _): &process::Key<'_>| own.iter().any(|(of, other, _)| (of, other) == (section, key));
        let mut keys: Vec<_> = keys.iter().filter(|key| !is_own(key)).cloned().collect();
        keys.extend(own);
        let found = run_part(part, options, &keys, folder.path(), files).await;
        figures.extend(found.with_context(|| format!("the part `{part}` failed"))?);
    }
    let mut changed: Vec<String> = keys.iter().map(|(section, key, value)| format!("{section}.{key}={value}")).collect();
    for (part, keys) in [("idle users", for_idle), ("slow readers", slow::keys())] {
        changed.extend(keys.iter().map(|(section, key, value)| format!("for {part} {section}.{key}={value}")));
    }
    Ok(Report { machine: machine(options.processors), changed, figures })
}

async fn run_part(part: &str, options: &Options, keys: &[process::Key<'_>], folder: &Path, files: u64) -> Result<Vec<Figure>, Error> {
    if several::PARTS.contains(&part) {
        return several::run_part(part, options, keys, folder).await;
    }
    eprintln!("{part}: starting a node");
    // What something costs is measured on one processor: the node's own, with this program on another. Elsewhere the node has
    // all of them: told so, since a child would inherit the one that this program keeps to.
    let cpus = match part {
        "fan-out" | "message" | "history" | "slow-readers" => vec![0],
        _ => (0..options.processors).collect(),
    };
    let node = Process::start(&options.server, folder, keys, Some(cpus.clone())).await?;
    let found = match part {
        "posts" => posts(&node, options, [Pace::Closed; 2]).await,
        "ack" => posts(&node, options, [20_000, 40_000].map(|posts_per_second| Pace::Open { posts_per_second })).await,
        "fan-out" => fan_out::measure(&node, options.seconds).await,
        "message" => {
            let program = options.echo.clone().unwrap_or_else(|| options.server.with_file_name("examples").join("echo"));
            let echo = message::Echo::start(&program, folder, &cpus)?;
            message::measure(&node, &echo, options.seconds).await
        }
        "history" => history::measure(&node, options.seconds).await,
        "big-room" => big_room::measure(&node, BIG_ROOM, files).await,
        "slow-readers" => slow::measure(&node).await,
        "storm" => return scenarios::storm(node).await,
        "jitter" => return scenarios::jitter(node).await,
        "idle" => idle::measure(&node, options.connections, 1, files).await,
        _ => idle::measure(&node, options.connections, 20, files).await,
    };
    found.with_context(|| format!("the node's last words:\n{}", node.last_words()))
}

/// In one room, and over a thousand.
async fn posts(node: &Process, options: &Options, paces: [Pace; 2]) -> Result<Vec<Figure>, Error> {
    let people = enrol(node, "poster", 50).await?;
    let one = make_groups(node.target(), &people, vec![vec![0, 1, 2, 3]]).await?;
    let one = vec![(one[0], vec![0, 1, 2, 3])];
    let members: Vec<_> = (0..1000).map(|n| vec![n % people.len(), (n + 1) % people.len()]).collect();
    let rooms = make_groups(node.target(), &people, members.clone()).await?;
    let rooms: Vec<_> = rooms.into_iter().zip(members).collect();
    let mut figures = Vec::new();
    for (place, people, rooms, pace) in [("in one room", &people[..4], &one, paces[0]), ("over 1,000 rooms", &people[..], &rooms, paces[1])]
    {
        let name = match pace {
            Pace::Closed => format!("posts {place}"),
            Pace::Open { posts_per_second } => format!("ack {place} at {posts_per_second}/s"),
        };
        let plan = posts::Plan { name, rooms: rooms.clone(), pace, seconds: options.seconds };
        figures.push(posts::measure(node.target(), people, plan).await?);
    }
    Ok(figures)
}

async fn enrol(node: &Process, prefix: &str, count: usize) -> Result<Vec<Person>, Error> {
    people::enrol(node, prefix, count as u32, &told("making people", count)).await
}

async fn make_groups(target: Target, people: &[Person], members: Vec<Vec<usize>>) -> Result<Vec<RoomId>, Error> {
    let rooms = people::make_rooms(target, None, people, &members, &told("making rooms", members.len())).await?;
    Ok(rooms.into_iter().map(|(room, _)| room).collect())
}

fn machine(processors: usize) -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{processors} processors, Linux {}", kernel.trim())
}

/// Waits for something that has to come; a minute without it is a failed run.
async fn until(what: &str, condition: impl Fn() -> bool) -> Result<(), Error> {
    let begun = Instant::now();
    while !condition() {
        ensure!(begun.elapsed() < Duration::from_secs(60), "{what} did not come within a minute");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Waits until everything that is due has been delivered, or will not be.
async fn delivered(counts: &Counts, expected: u64) -> Result<(), Error> {
    let done = || counts.deliveries.load(Ordering::Relaxed) >= expected || counts.behinds.load(Ordering::Relaxed) > 0;
    let waited = until("the last deliveries", done).await;
    sound(counts, expected).and(waited)
}

/// Everything was delivered, in sequence, and nothing refused.
fn sound(counts: &Counts, expected: u64) -> Result<(), Error> {
    let all = [&counts.deliveries, &counts.breaks, &counts.refusals, &counts.behinds];
    let [deliveries, breaks, refusals, behinds] = all.map(|count| count.load(Ordering::Relaxed));
    ensure!(behinds == 0, "the node was ahead of this program {behinds} times, and left events out: {deliveries} of {expected} came");
    ensure!(deliveries == expected, "{deliveries} deliveries were counted where {expected} were due");
    ensure!(breaks == 0, "{breaks} deliveries were out of sequence");
    ensure!(refusals == 0, "{refusals} requests were refused");
    Ok(())
}

/// Why a reader ended.
async fn ended(reader: JoinHandle<crate::client::Error>) -> String {
    reader.await.map_or_else(|error| error.to_string(), |error| error.to_string())
}
